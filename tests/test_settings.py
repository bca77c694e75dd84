"""Settings are refused where they make no sense, before anything runs."""

from typing import Any, Dict

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.settings import (
    FORBIDDEN_IN_NAMES,
    CameraSettings,
    DepthSettings,
    HysteresisSettings,
    JumpSettings,
    MountSettings,
    MqttSettings,
    RunSettings,
    checked_name,
)
from pydantic import BaseModel, ValidationError

DEMO = CameraSettings(source="demo:")


def every_model() -> Any:
    return [DepthSettings, JumpSettings, HysteresisSettings, MountSettings, CameraSettings, MqttSettings, RunSettings]


def test_defaults_are_the_designs() -> None:
    run = RunSettings(cameras=[DEMO])
    assert (run.view, run.engine, run.mode, run.every, run.max_persons, run.threads) == ("full", "auto", None, 1, 1, 1)
    assert (run.depth.patch_px, run.depth.near_m, run.depth.far_m, run.depth.min_share) == (5, 0.7, 10.0, 0.2)
    assert (run.jump.mode, run.jump.max_speed_m_s, run.jump.fixed_m, run.jump.expires_s) == ("speed", 3.0, 2.0, 1.0)
    assert (run.hysteresis.enabled, run.hysteresis.appear, run.hysteresis.stay) == (False, 0.7, 0.6)
    assert (run.mqtt.prefix, run.mqtt.qos, run.mqtt.keepalive_s, run.mqtt.max_age_ms) == ("nasion", 1, 2, 200.0)
    assert run.cameras[0].name == "cam0"
    assert run.threshold is None


@pytest.mark.parametrize("model", every_model())
def test_unknown_keys_are_refused(model: Any) -> None:
    needed: Dict[Any, Dict[str, Any]] = {CameraSettings: {"source": "demo:"}, RunSettings: {"cameras": [DEMO]}}
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        model(near=1.0, **needed.get(model, {}))


@pytest.mark.parametrize("model", every_model())
def test_every_setting_is_described(model: Any) -> None:
    for name, field in model.model_fields.items():
        is_group = isinstance(field.default, BaseModel)
        assert field.description or is_group, f"{model.__name__}.{name}"


@pytest.mark.parametrize(
    ("model", "wrong", "said"),
    [
        (DepthSettings, {"patch_px": 4}, "patch_px must be odd, not 4"),
        (DepthSettings, {"patch_px": 0}, "greater than or equal to 1"),
        (DepthSettings, {"near_m": 10.0}, r"near_m \(10.0\) must be less than far_m \(10.0\)"),
        (DepthSettings, {"near_m": float("nan")}, "finite"),
        (DepthSettings, {"far_m": float("inf")}, "finite"),
        (DepthSettings, {"min_share": 1.5}, "less than or equal to 1"),
        (DepthSettings, {"reducer": "mode"}, "'median' or 'mean'"),
        (JumpSettings, {"mode": "fast"}, "'speed', 'fixed' or 'off'"),
        (JumpSettings, {"max_speed_m_s": 0}, "greater than 0"),
        (HysteresisSettings, {"stay": 0.8}, r"stay \(0.8\) must not exceed appear \(0.7\)"),
        (MountSettings, {"translation_m": [0.0, 1.0]}, "Field required"),
        (CameraSettings, {"source": ""}, "at least 1 character"),
        (CameraSettings, {"source": "demo:", "name": "front/left"}, "contains /"),
        (MqttSettings, {"prefix": ""}, "is empty"),
        (MqttSettings, {"qos": 2}, "0 or 1"),
        (MqttSettings, {"keepalive_s": 0}, "greater than or equal to 1"),
        (MqttSettings, {"max_age_ms": 0}, "greater than 0"),
        (RunSettings, {"cameras": []}, "at least 1 item"),
        (RunSettings, {"cameras": [DEMO, DEMO]}, "camera name 'cam0' is used twice"),
        (RunSettings, {"cameras": [DEMO], "view": "wide"}, "'centre', 'full' or 'fine'"),
        (RunSettings, {"cameras": [DEMO], "every": 0}, "greater than or equal to 1"),
        (RunSettings, {"cameras": [DEMO], "threshold": 1.1}, "less than or equal to 1"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_was_expected(model: Any, wrong: Dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        model(**wrong)


@pytest.mark.parametrize(("name", "fits"), [("c" * 100, True), ("c" * 101, False), ("é" * 50, True), ("é" * 51, False)])
def test_a_name_has_a_length_that_every_broker_takes(name: str, fits: bool) -> None:
    if fits:
        assert checked_name(name) == name
    else:
        with pytest.raises(ValueError, match=r"has 10[12] bytes; a name has at most 100"):
            checked_name(name)


@given(st.text(min_size=1, max_size=25))
def test_names_are_safe_in_topics(name: str) -> None:
    safe = name.isprintable() and not set(name) & set(FORBIDDEN_IN_NAMES)
    if safe:
        assert checked_name(name) == name
    else:
        with pytest.raises(ValueError, match="a name has at least one character and none of"):
            checked_name(name)


def test_settings_cannot_be_changed_afterwards() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        MqttSettings().prefix = "other"  # type: ignore[misc]


def test_positions_are_in_the_optical_frame_unless_a_mount_says_otherwise() -> None:
    assert CameraSettings(source="demo:", name="front").frame_id == "front_left_camera_optical_frame"
    assert CameraSettings(source="demo:", mount=MountSettings()).frame_id == "base_link"
