"""pyzed where it is missing, another project's or broken; what each version of the SDK is asked for."""

import re
import sys
import types
from pathlib import Path
from typing import Any, Optional

import numpy as np
import pytest
from nasion.errors import DependencyError, InputError
from nasion.settings import DepthSettings
from nasion.sources.uri import parse_uri
from nasion.sources.zed.codes import Code, Meaning
from nasion.sources.zed.options import camera_request
from nasion.sources.zed.sdk import ZedCamera, load_sl

from tests.doubles.pyzed_double import VERSIONS, Reality, install

PLUGINS = Path(__file__).parents[3] / "plugins"


def refused() -> str:
    with pytest.raises(DependencyError) as caught:
        load_sl()
    assert "get_python_api.py" in str(caught.value)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def opened(uri: str = "zed:", limits: Optional[DepthSettings] = None) -> "tuple[ZedCamera, str]":
    camera = ZedCamera()
    found, mode = camera.open(camera_request(parse_uri(uri)), limits or DepthSettings(), 5.0)
    assert found.ok
    return camera, mode


def test_without_pyzed_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "pyzed"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(sys, "path", [])
    message = refused()
    assert "needs Stereolabs' pyzed, which is not installed" in message
    assert "never `pip install pyzed`" in message


@pytest.mark.parametrize("holds_sl", [False, True])
def test_the_other_package_of_that_name_is_known_for_what_it_is(
    monkeypatch: pytest.MonkeyPatch, holds_sl: bool
) -> None:
    other = types.ModuleType("pyzed")
    other.__path__ = []
    monkeypatch.setitem(sys.modules, "pyzed", other)
    monkeypatch.delitem(sys.modules, "pyzed.sl", raising=False)
    if holds_sl:
        monkeypatch.setitem(sys.modules, "pyzed.sl", types.ModuleType("pyzed.sl"))
    message = refused()
    assert "is not Stereolabs' but another project of that name: pip uninstall pyzed" in message


@pytest.mark.parametrize(
    "error",
    [
        ImportError("libsl_zed.so: cannot open shared object file"),
        ValueError("numpy.dtype size changed,\nmay indicate binary incompatibility"),
        ModuleNotFoundError("No module named 'numpy'", name="numpy"),
        SystemError("initialization of sl raised unreported exception"),
    ],
)
def test_a_pyzed_that_does_not_load_is_told_with_its_reason(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(_: str) -> None:
        raise error

    monkeypatch.setattr("nasion.sources.zed.sdk.importlib.import_module", fail)
    message = refused()
    assert "does not load" in message
    assert " ".join(str(error).split()) in message


@pytest.mark.parametrize(
    ("version", "told"),
    [("4.2.5", True), ("5.0.0", True), ("5.0.1", True), ("5.0.2", False), ("5.1.0", False), ("5.4.1", False)],
)
def test_a_version_that_holds_the_interpreter_is_told(
    monkeypatch: pytest.MonkeyPatch, version: str, told: bool
) -> None:
    install(monkeypatch, Reality(sdk=version))
    assert (ZedCamera().warning is not None) == told


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_asked_for_metres_by_neural_without_tracking(
    monkeypatch: pytest.MonkeyPatch, version: str, clock: Any
) -> None:
    reality = install(monkeypatch, Reality(version=version, clock=clock))
    camera, mode = opened("zed:4711?size=720&fps=15", DepthSettings(near_m=0.7, far_m=8.0))
    asked = reality.opened[0]
    assert mode == asked.depth_mode.name == "NEURAL"
    assert (asked.wanted, asked.camera_fps, asked.camera_resolution.name) == (("serial", 4711), 15, "HD720")
    assert (asked.coordinate_units.name, asked.coordinate_system.name) == ("METER", "IMAGE")
    assert (asked.depth_minimum_distance, asked.depth_maximum_distance) == (0.3, 8.0)
    assert (asked.depth_stabilization, asked.svo_real_time_mode, asked.camera_disable_self_calib) == (0, False, False)
    if version != "3.8":
        assert asked.async_grab_camera_recovery
        assert asked.enable_image_validity_check
    camera.close()


@pytest.mark.parametrize(("without", "taken"), [(("NEURAL",), "NEURAL_LIGHT"), (("NEURAL", "NEURAL_LIGHT"), "ULTRA")])
def test_where_the_sdk_has_no_neural_the_next_best_is_taken_unless_it_was_asked_for(
    monkeypatch: pytest.MonkeyPatch, clock: Any, without: "tuple[str, ...]", taken: str
) -> None:
    reality = install(monkeypatch, Reality(clock=clock, without=without))
    camera, mode = opened()
    assert mode == taken
    assert reality.opened[0].depth_mode.name == taken
    camera.close()
    with pytest.raises(InputError, match=r"this ZED SDK has no depth=neural; it has (neural_light, )?ultra, quality"):
        opened("zed:?depth=neural")


def test_a_mode_or_size_that_the_sdk_lacks_is_refused(monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    install(monkeypatch, Reality(version="3.8", clock=clock))
    for uri, says in (
        ("zed:?depth=neural_light", "has no depth=neural_light; it has neural, ultra, quality, performance"),
        ("zed:?size=1200", r"has no size=1200 \(HD1200\)"),
    ):
        with pytest.raises(InputError, match=says):
            ZedCamera().open(camera_request(parse_uri(uri)), DepthSettings(), 5.0)


@pytest.mark.parametrize(("lines", "size"), [(720, (1280, 720)), (1080, (1920, 1080))])
def test_what_is_handed_out_is_its_own_and_of_one_grab(
    monkeypatch: pytest.MonkeyPatch, clock: Any, lines: int, size: "tuple[int, int]"
) -> None:
    install(monkeypatch, Reality(clock=clock))
    camera, _ = opened(f"zed:?size={lines}")
    kept = []
    for _ in range(3):
        assert camera.grab() == Code("SUCCESS", Meaning.GOOD)
        kept.append((camera.picture(None), camera.depth(size)))
    for number, (picture, depth) in enumerate(kept):
        assert isinstance(picture, np.ndarray)
        assert isinstance(depth, np.ndarray)
        assert picture.shape == (size[1], size[0], 4)
        assert picture.dtype == np.uint8
        assert depth.shape == (size[1], size[0])
        assert depth.dtype == np.float32
        assert picture.flags.c_contiguous
        assert depth.flags.c_contiguous
        assert picture[0, 0, 0] == number
        assert depth[9, 9] == np.float32(1 + 0.01 * number)
    calibration = camera.calibration(size)
    assert calibration.baseline_m == pytest.approx(0.12)
    assert calibration.left.width == size[0]
    assert calibration.left.fx == pytest.approx(0.55 * size[0])


def test_no_other_module_touches_pyzed() -> None:
    touching = re.compile(r"^\s*(import pyzed|from pyzed)|import_module\(.pyzed|self\._sl\b", re.MULTILINE)
    files = [path for path in PLUGINS.rglob("*.py") if touching.search(path.read_text(encoding="utf-8"))]
    assert [path.name for path in files] == ["sdk.py"]


def test_closing_twice_is_no_error(monkeypatch: pytest.MonkeyPatch, clock: Any) -> None:
    reality = install(monkeypatch, Reality(clock=clock))
    camera, _ = opened()
    camera.close()
    camera.close()
    assert not reality.is_open
