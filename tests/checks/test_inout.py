"""Sources are opened as a run opens them; a video is begun where it would be."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from nasion.checks import inout
from nasion.checks.everything import one, plan
from nasion.checks.subject import Subject
from nasion.checks.verdict import Verdict
from nasion.errors import InputError
from nasion.show.video import PART_BYTES
from nasion.sources.clock import SystemClock

from tests.checks.made_up import MadeUpMachine, subject_of
from tests.doubles.pyzed_double import Reality, install


def looked_at(*sources: str) -> "list[Verdict]":
    subject = subject_of(MadeUpMachine(), *sources)
    return [one(name, check, subject) for name, check in plan(subject) if name.startswith("source")]


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    """One frame of an `rgbd:` recording."""
    lens = {"width": 64, "height": 36, "fx": 50, "fy": 50, "cx": 32, "cy": 18, "baseline_m": 0.12}
    (tmp_path / "calibration.json").write_text(json.dumps(lens))
    cv2.imwrite(str(tmp_path / "000000_left.png"), np.zeros((36, 64, 3), np.uint8))
    np.save(tmp_path / "000000_depth.npy", np.ones((36, 64), np.float32))
    return tmp_path


class TestSources:
    def test_each_camera_has_its_verdict(self, recording: Path) -> None:
        demo, recorded = looked_at("demo:", f"rgbd:{recording}")
        assert (demo.name, demo.status, demo.found) == ("source cam0", "ok", "demo: gives 1280 x 720 at 30 fps")
        assert (recorded.name, recorded.status) == ("source cam1", "ok")
        assert "64 x 36" in recorded.found

    @pytest.mark.parametrize("source", ["svo:/nowhere/walk.svo2", "sbs:/nowhere/walk.avi", "/nowhere", "zed:abc"])
    def test_what_is_not_there_or_cannot_be_is_bad_input(self, source: str) -> None:
        [verdict] = looked_at(source)
        assert (verdict.name, verdict.status, verdict.exit_code) == ("source cam0", "fail", 2)
        assert verdict.remedy

    def test_where_none_is_named_none_is_opened(self) -> None:
        [verdict] = looked_at()
        assert (verdict.name, verdict.status) == ("source", "skipped")

    def test_a_source_is_let_go_of(self) -> None:
        closed = []

        class Source:
            calibration = None

            def close(self) -> None:
                closed.append(self)

        subject = subject_of(MadeUpMachine(), "demo:")
        subject.opener = lambda *_, **__: Source()  # type: ignore[assignment]
        assert one("source cam0", plan(subject)[-3][1], subject).status == "fail"
        assert closed


class TestZed:
    """On a double of the ZED SDK."""

    def test_a_camera_that_is_there_has_given_a_picture(self, monkeypatch: pytest.MonkeyPatch) -> None:
        reality = install(monkeypatch, Reality(clock=SystemClock()))
        [verdict] = looked_at("zed:?size=720")
        assert verdict.status == "ok"
        assert verdict.found.startswith("zed:?size=720 gives 1280 x 720 at 30 fps; camera 20000001, depth by NEURAL")
        assert reality.grabbed >= 1
        assert not reality.is_open

    def test_a_camera_that_is_not_there_is_missing_hardware(self, monkeypatch: pytest.MonkeyPatch) -> None:
        install(monkeypatch, Reality(clock=SystemClock(), present=False))
        [verdict] = looked_at("zed:")
        assert (verdict.status, verdict.exit_code) == ("fail", 4)
        assert "CAMERA_NOT_DETECTED: plug it in" in verdict.found

    def test_without_the_sdk_a_dependency_is_missing(self) -> None:
        [verdict] = looked_at("zed:")
        assert (verdict.status, verdict.exit_code) == ("fail", 3)
        assert "get_python_api.py" in (verdict.remedy or "")


class TestSave:
    def said(self, path: Path, room: int = 1 << 40) -> Verdict:
        subject = subject_of(MadeUpMachine(room=room), save=str(path))
        return one("save", inout.save, subject)

    def test_a_place_that_can_be_written_is_left_as_it_was(self, tmp_path: Path) -> None:
        assert self.said(tmp_path / "walk.avi").status == "ok"
        assert list(tmp_path.iterdir()) == []

    def test_a_video_that_is_there_is_refused_and_not_touched(self, tmp_path: Path) -> None:
        (tmp_path / "walk.avi").write_bytes(b"an old video")
        verdict = self.said(tmp_path / "walk.avi")
        assert (verdict.status, verdict.exit_code) == ("fail", InputError.exit_code)
        assert (tmp_path / "walk.avi").read_bytes() == b"an old video"

    @pytest.mark.parametrize("name", ["walk.mp4", "nowhere/walk.avi"])
    def test_a_place_where_no_video_can_be_is_bad_input(self, tmp_path: Path, name: str) -> None:
        verdict = self.said(tmp_path / name)
        assert (verdict.status, verdict.exit_code) == ("fail", InputError.exit_code)

    @pytest.mark.parametrize(
        ("room", "status"),
        [(0, "fail"), (inout.LEAST_FREE_BYTES - 1, "fail"), (PART_BYTES - 1, "warn"), (PART_BYTES, "ok")],
    )
    def test_a_disk_that_is_nearly_full_is_said(self, tmp_path: Path, room: int, status: str) -> None:
        assert self.said(tmp_path / "walk.avi", room).status == status

    def test_without_a_video_there_is_nothing_to_check(self) -> None:
        subject: Subject = subject_of(MadeUpMachine())
        assert inout.save(subject).status == "skipped"
