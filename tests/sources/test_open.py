"""From what was written on the command line to the source it means, or to one line that says why not."""

import json
import sys
from pathlib import Path
from typing import Any, Callable, Optional

import cv2
import numpy as np
import pytest
from nasion.errors import DependencyError, InputError
from nasion.settings import DepthSettings, Mode
from nasion.sources.clock import SystemClock
from nasion.sources.demo.source import DemoSource
from nasion.sources.eyes import EyesSource
from nasion.sources.frame import Clock, End, Frame, Source
from nasion.sources.open import open_source
from nasion.sources.paced import PacedSource
from nasion.sources.pairs import PairsSource
from nasion.sources.rgbd import RgbdSource
from nasion.sources.sbs import SideBySideSource

Maker = Callable[..., Path]


def opened(uri: str, clock: Clock, mode: Optional[Mode] = None) -> Source:
    """What is opened, without what looks at its eyes."""
    source = open_source(uri, depth=DepthSettings(), clock=clock, mode=mode)
    return source.watched if isinstance(source, EyesSource) else source


def refused(uri: str) -> str:
    with pytest.raises(InputError) as caught:
        opened(uri, SystemClock())
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_each_scheme_opens_its_kind(make_pairs: Maker, make_rgbd: Maker, make_video: Maker, clock: Clock) -> None:
    assert isinstance(opened(f"pairs:{make_pairs()}", clock), PairsSource)
    assert isinstance(opened(f"rgbd:{make_rgbd()}", clock), RgbdSource)
    video = make_video()
    assert isinstance(opened(f"sbs:{video}", clock), SideBySideSource)
    source = opened(f"sbs:{video}?rectified=1&calibration={video.parent / 'calibration.json'}", clock)
    assert isinstance(source, SideBySideSource)
    assert source.uri.startswith("sbs:")


def test_a_plain_path_is_recognised_by_its_content(
    make_pairs: Maker, make_rgbd: Maker, make_video: Maker, clock: Clock
) -> None:
    assert isinstance(opened(str(make_pairs()), clock), PairsSource)
    named_otherwise = make_pairs(names=("left_{:02d}.png", "right_{:02d}.png"), folder="more")
    assert isinstance(opened(str(named_otherwise), clock), PairsSource)
    assert isinstance(opened(str(make_rgbd()), clock), RgbdSource)
    video = make_video()
    assert isinstance(opened(str(video), clock), SideBySideSource)
    assert isinstance(opened(f"{video}?rectified=1", clock), SideBySideSource)


def test_a_path_that_is_there_is_that_path_whatever_its_name(make_pairs: Maker, clock: Clock) -> None:
    folder = make_pairs(folder="demo:?size=1080")
    source = opened(str(folder), clock)
    assert isinstance(source, PairsSource)
    assert source.uri == str(folder)


@pytest.mark.parametrize(
    ("uri", "mode", "size", "live"),
    [
        ("demo:", None, (1280, 720), True),
        ("demo:?size=1080", "live", (1920, 1080), True),
        ("demo:?size=720&frames=2", "every-frame", (1280, 720), False),
        ("demo:?loop=0", "every-frame", (1280, 720), False),
    ],
)
def test_the_demo_has_sizes_and_is_paced_but_in_every_frame_mode(
    clock: Clock, uri: str, mode: Optional[Mode], size: "tuple[int, int]", live: bool
) -> None:
    source = opened(uri, clock, mode)
    assert isinstance(source, DemoSource)
    assert (source.calibration.left.width, source.calibration.left.height) == size
    assert source.live is live


def test_the_demo_ends_after_the_frames_asked_for(clock: Clock) -> None:
    source = opened("demo:?frames=2", clock, "every-frame")
    assert [type(source.read()) for _ in range(3)] == [Frame, Frame, End]


def test_a_recording_in_live_mode_is_played_at_its_own_pace(make_pairs: Maker, clock: Any) -> None:
    source = opened(str(make_pairs(count=2)), clock, "live")
    assert isinstance(source, PacedSource)
    assert source.live is True
    began = clock.monotonic_ns()
    assert [type(source.read()) for _ in range(3)] == [Frame, Frame, End]
    assert clock.monotonic_ns() - began == pytest.approx(1e9, abs=1000)


def test_limits_reach_the_depth(make_rgbd: Maker, clock: Clock) -> None:
    folder = make_rgbd()
    source = open_source(str(folder), depth=DepthSettings(near_m=1.5, far_m=2.5), clock=clock)
    frames = [source.read() for _ in range(3)]
    seen = [frame.depth.patch(50, 50, 1)[0, 0] for frame in frames if isinstance(frame, Frame)]
    assert seen == [-np.inf, 2.0, np.inf]


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("", "a source is missing; expected demo:, pairs:DIR, sbs:FILE, rgbd:DIR, zed:[SERIAL], svo:FILE, "),
        ("dmeo:", "unknown kind of source 'dmeo'; did you mean 'demo'?"),
        ("demo:?sise=1080", "unknown option 'sise'; did you mean 'size'? (it has size, frames, loop)"),
        ("demo:?size=480", "size is one of 720, 1080, not '480'"),
        ("demo:?loop=maybe", "loop is 1 or 0"),
        ("demo:1080", "did you mean demo:?size=1080?"),
        ("demo:walk", "the demo takes no path, only options"),
        ("pairs:", "pairs: names no file; expected pairs:DIR"),
        ("pairs:none", "none does not exist"),
        ("rgbd:none", "none does not exist"),
        ("sbs:none.avi", "none.avi does not exist"),
        ("none.avi", "none.avi does not exist; expected a file, a folder, or demo:"),
        ("pairs:none?rectified=1", "unknown option 'rectified' (it has none)"),
        ("sbs:none?rectifed=1", "unknown option 'rectifed'; did you mean 'rectified'?"),
        ("zed:front", "a camera is named by its serial number, as on its sticker, not 'front'"),
        ("zed:?sise=720", "unknown option 'sise'; did you mean 'size'?"),
        ("svo:", "svo: names no file; expected svo:FILE"),
        ("svo:none.svo", "none.svo does not exist"),
        ("svo:none.svo?fps=30", "unknown option 'fps' (it has depth, stabilization)"),
        ("zed-stream:", "expected zed-stream:HOST:PORT"),
        ("mcap:", "mcap: names no file; expected mcap:FILE"),
        ("mcap:none.mcap", "none.mcap does not exist"),
        ("mcap:none.mcap?cam=front", "unknown option 'cam'; did you mean 'camera'?"),
    ],
)
def test_what_cannot_be_opened_is_told(uri: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert says in refused(uri)


@pytest.mark.parametrize(
    "uri", ["zed:", "zed:4711", "svo:walk.svo", "walk.svo", "walk.SVO2", "zed-stream:10.0.0.2:30000"]
)
def test_what_needs_the_zed_sdk_says_so_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("walk.svo", "walk.SVO2"):
        (tmp_path / name).write_bytes(b"\0")
    monkeypatch.delitem(sys.modules, "pyzed", raising=False)
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(DependencyError, match=r"Stereolabs' pyzed, .* get_python_api\.py"):
        opened(uri, SystemClock())


def test_a_folder_or_file_of_something_else_is_refused(tmp_path: Path) -> None:
    assert "is a folder without frames" in refused(str(tmp_path))
    (tmp_path / "notes.txt").write_text("hello")
    assert "is not a video that can be decoded" in refused(str(tmp_path / "notes.txt"))
    still = tmp_path / "still.png"
    cv2.imwrite(str(still), np.zeros((48, 64, 3), np.uint8))
    assert f"is a still picture; find the person in it with: nasion locate {still}" in refused(str(still))


def test_a_home_folder_is_found(make_pairs: Maker, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_pairs()
    monkeypatch.setenv("HOME", str(folder.parent))
    assert isinstance(opened(f"pairs:~/{folder.name}", clock), PairsSource)


def test_the_calibration_may_lie_elsewhere(make_video: Maker, clock: Clock, tmp_path: Path) -> None:
    video = make_video(calibration=None)
    (tmp_path / "else where").mkdir()
    other = tmp_path / "else where" / "lens.json"
    layout = {"width": 320, "height": 180, "fx": 222.0, "fy": 222.0, "cx": 160.0, "cy": 90.0, "baseline_m": 0.12}
    other.write_text(json.dumps(layout))
    quoted = str(other).replace(" ", "%20")
    assert opened(f"sbs:{video}?calibration={quoted}", clock).calibration.left.fx == 222.0
