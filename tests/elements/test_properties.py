"""Properties are the settings: nothing about them is said a second time."""

from __future__ import annotations

from typing import Any

import pytest
from nasion.elements.properties import Property, property_of, settings_from
from nasion.errors import InputError
from nasion.settings import DepthSettings, JumpSettings, RunSettings

PLACES = {
    "patch-px": ("depth", "patch_px"),
    "near-m": ("depth", "near_m"),
    "far-m": ("depth", "far_m"),
    "camera": ("cameras", "name"),
    "threshold": ("threshold",),
    "qos": ("mqtt", "qos"),
    "url": ("mqtt", "url"),
}


@pytest.mark.parametrize(
    ("place", "kind", "default", "limits"),
    [
        (("depth", "patch_px"), int, 5, (1, 63)),
        (("depth", "min_share"), float, 0.2, (0, 1)),
        (("hysteresis", "enabled"), bool, False, (None, None)),
        (("jump", "mode"), str, "speed", (None, None)),
        (("mqtt", "qos"), int, 1, (0, 1)),
        (("threshold",), str, None, (None, None)),
        (("mode",), str, None, (None, None)),
        (("cameras", "name"), str, "cam0", (None, None)),
    ],
)
def test_a_property_has_the_kind_range_and_default_of_its_setting(
    place: tuple[str, ...], kind: type, default: Any, limits: tuple[Any, Any]
) -> None:
    made = property_of(place)

    assert (made.kind, made.default, (made.low, made.high)) == (kind, default, limits)
    assert made.text


def test_choices_are_named_in_the_help() -> None:
    assert property_of(("jump", "mode")).text.endswith("One of speed, fixed, off.")
    assert isinstance(property_of(("jump", "mode")), Property)


def test_what_is_not_set_is_the_settings_default() -> None:
    made = settings_from("nasionrange", PLACES, {"patch-px": 7, "threshold": None})

    assert made.depth == DepthSettings(patch_px=7)
    assert (made.jump, made.threshold) == (JumpSettings(), None)
    assert made.cameras[0].name == RunSettings.model_validate({"cameras": [{"source": "x"}]}).cameras[0].name


def test_values_go_to_their_places() -> None:
    made = settings_from("nasionsrc", PLACES, {"camera": "front", "threshold": "0.5", "qos": 0})

    assert (made.cameras[0].name, made.threshold, made.mqtt.qos) == ("front", 0.5, 0)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"patch-px": 4}, "nasionrange: patch_px must be odd, not 4"),
        ({"near-m": 4.0, "far-m": 2.0}, "nasionrange: near_m (4.0) must be less than far_m (2.0)"),
        ({"threshold": "high"}, "nasionrange: threshold=high: Input should be a valid number"),
        ({"threshold": "1.5"}, "nasionrange: threshold=1.5: Input should be less than or equal to 1"),
        ({"camera": "a/b"}, "nasionrange: camera=a/b: 'a/b' contains /"),
        ({"url": 5}, "nasionrange: url: Input should be a valid string"),
    ],
)
def test_what_is_wrong_is_said_by_the_propertys_name(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError) as caught:
        settings_from("nasionrange", PLACES, values)

    assert str(caught.value).startswith(said)
