"""Eyes that do not fit, as a user meets them: `check` fails, `run` says so once and gives no distance."""

import json
import shutil
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import cv2
import numpy as np
import pytest
from nasion.core.eyes_judge import FIRST_LOOKS
from nasion.messages import PersonMessage

from tests.eyes_made import FAULTS, HEIGHT, NEAR_PX, WIDTH, Pair, Picture, good_pair, lowered
from tests.program import Command

LENS = {"width": WIDTH, "height": HEIGHT, "fx": 350, "fy": 350, "cx": 320, "cy": 180, "baseline_m": 0.12}
FRAMES = 2 * FIRST_LOOKS
#: The person whom the model of the tests sees: a red dot before the wall, and its distance by LENS.
DOT = (150, 180)
DOT_M = 350 * 0.12 / NEAR_PX
#: Lenses that hardly differ from LENS: whose pictures are rectified already, and are rectified once more with these.
CONF = """\
[LEFT_CAM_VGA]
fx=351
fy=351
cx=337
cy=182
k1=-0.17
k2=0.03
[RIGHT_CAM_VGA]
fx=350
fy=350
cx=334
cy=188
k1=-0.17
k2=0.03
[STEREO]
Baseline=120
TY=0
TZ=0
RX_VGA=0.004
CV_VGA=0.004
RZ_VGA=0.001
"""


def with_person(pair: Pair) -> Pair:
    """Grey, so that nothing is red but the dot, which is a little uneven as faces are."""
    marked = []
    pattern = np.random.default_rng(0).integers(0, 60, (2 * HEIGHT, 2 * WIDTH)).astype(np.uint8)
    pattern = np.asarray(cv2.GaussianBlur(pattern, (0, 0), 1.2), np.uint8)
    for picture, u in zip(pair, (DOT[0], DOT[0] - NEAR_PX)):
        grey = np.asarray(cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR), np.uint8)
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        inside = (columns - u) ** 2 + (rows - DOT[1]) ** 2 < 22**2
        uneven = pattern[HEIGHT : 2 * HEIGHT, WIDTH - u : 2 * WIDTH - u]
        grey[inside] = np.stack([uneven, uneven, 255 - uneven], axis=2)[inside]
        marked.append(grey)
    return Pair(*marked)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Path]:
    """A folder of pairs that all show the same."""

    def folder(spoilt: Callable[[Pair], Pair] = lambda pair: pair, count: int = FRAMES) -> Path:
        path = tmp_path / "pairs"
        path.mkdir()
        (path / "calibration.json").write_text(json.dumps(LENS))
        left, right = spoilt(with_person(good_pair(1)))
        for number in range(count):
            cv2.imwrite(str(path / f"{number:03d}_left.png"), left)
            cv2.imwrite(str(path / f"{number:03d}_right.png"), right)
        return path

    return folder


@pytest.fixture
def run(spot_model: Path, nasion: Command) -> Callable[..., Tuple[int, List[PersonMessage], List[str]]]:
    """`nasion run` with the model that sees red: exit code, messages, what it says of the eyes."""

    def told(source: object, *more: object) -> Tuple[int, List[PersonMessage], List[str]]:
        mqtt = () if "--mqtt" in more else ("--mqtt", "none")
        code, out, err = nasion("run", "--source", source, "--model", spot_model, "--json", *mqtt, *more)
        said = [PersonMessage.model_validate_json(line, strict=True) for line in out.splitlines()]
        return code, said, [line for line in err.splitlines() if "eyes" in line or "eye " in line]

    return told


@pytest.fixture
def check(nasion: Command) -> Callable[..., Tuple[int, Dict[str, Dict[str, Any]]]]:
    """`nasion check`: exit code, and the verdicts by name."""

    def told(*sources: object) -> Tuple[int, Dict[str, Dict[str, Any]]]:
        named = [word for source in sources for word in ("--source", source)]
        code, out, _ = nasion("check", "--json", "--engine", "onnxruntime", "--mqtt", "none", *named)
        return code, {verdict["name"]: verdict for verdict in json.loads(out)}

    return told


def reasons(said: List[PersonMessage]) -> List[Optional[str]]:
    return [person.reason and person.reason.value for message in said for person in message.persons]


def test_where_they_fit_the_distance_is_right_and_nothing_is_said(
    make: Callable[..., Path], run: Callable[..., Any], check: Callable[..., Any]
) -> None:
    folder = make()
    code, said, lines = run(folder)
    assert (code, lines) == (0, [])
    assert reasons(said) == [None] * FRAMES
    assert [message.persons[0].depth_m for message in said] == pytest.approx([DOT_M] * FRAMES, rel=0.01)
    code, verdicts = check(folder)
    assert (code, verdicts["eyes cam0"]["status"]) == (0, "ok")


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("count", [1, FRAMES])
def test_each_fault_fails_the_check_and_gives_no_distance(
    kind: str, count: int, make: Callable[..., Path], run: Callable[..., Any], check: Callable[..., Any]
) -> None:
    _, spoilt = FAULTS[kind]
    folder = make(spoilt, count)

    code, verdicts = check(folder)
    eyes = verdicts["eyes cam0"]
    assert (code, eyes["status"]) == (2, "fail")
    assert eyes["remedy"]
    assert verdicts["source cam0"]["status"] == "ok"

    code, said, lines = run(folder)
    assert (code, len(said)) == (0, count)
    assert set(reasons(said)) == {"eyes_do_not_fit"}
    [told, counted] = lines
    assert eyes["remedy"] in told
    assert "eyes_misfit 1" in counted


@pytest.mark.parametrize("mode", ["live", "every-frame"])
def test_at_its_own_pace_too(mode: str, make: Callable[..., Path], run: Callable[..., Any]) -> None:
    folder = make(FAULTS["swapped eyes"][1], 3)
    (folder / "timestamps.csv").write_text("frame,recorded_ns\n000,0\n001,33333333\n002,66666666\n")
    code, said, _ = run(folder, "--mode", mode)
    assert code == 0
    assert said
    assert set(reasons(said)) == {"eyes_do_not_fit"}


def video(path: Path, left: Picture, right: Picture) -> Path:
    """Side by side."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 30, (2 * left.shape[1], left.shape[0]))
    for _ in range(FRAMES):
        writer.write(np.hstack([left, right]))
    writer.release()
    return path


def test_pictures_that_are_rectified_once_more_by_the_factory_file_beside_them(
    tmp_path: Path, run: Callable[..., Any], check: Callable[..., Any]
) -> None:
    (tmp_path / "SN99000001.conf").write_text(CONF)
    pair = with_person(good_pair(1))
    size = (672, 376)
    left, right = (np.asarray(cv2.resize(picture, size), np.uint8) for picture in pair)
    clip = video(tmp_path / "walk.avi", left, right)
    code, verdicts = check(clip)
    assert (code, verdicts["eyes cam0"]["status"]) == (2, "fail")
    code, said, lines = run(clip)
    assert code == 0
    assert set(reasons(said)) == {"eyes_do_not_fit"}
    assert "rectified already" in lines[0]


def test_rows_that_are_nearly_too_far_apart_are_a_warning_and_distances_are_given(
    make: Callable[..., Path], check: Callable[..., Any]
) -> None:
    code, verdicts = check(make(lambda pair: Pair(pair.left, lowered(pair.right, 1.6))))
    assert (code, verdicts["eyes cam0"]["status"]) == (0, "warn")


def test_what_cannot_be_told_is_a_warning(make: Callable[..., Path], check: Callable[..., Any]) -> None:
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    code, verdicts = check(make(lambda _: Pair(flat, flat)))
    assert (code, verdicts["eyes cam0"]["status"]) == (0, "warn")
    assert verdicts["eyes cam0"]["remedy"]


def test_measured_depth_and_what_cannot_be_opened_have_no_eyes_to_check(
    tmp_path: Path, check: Callable[..., Any]
) -> None:
    (tmp_path / "calibration.json").write_text(json.dumps(LENS))
    cv2.imwrite(str(tmp_path / "000000_left.png"), good_pair(1).left)
    np.save(tmp_path / "000000_depth.npy", np.ones((HEIGHT, WIDTH), np.float32))
    _, verdicts = check(f"measured={tmp_path}", "none=/nowhere")
    assert verdicts["eyes measured"]["status"] == "skipped"
    assert verdicts["eyes none"]["status"] == "skipped"
    assert verdicts["source none"]["status"] == "fail"


def test_a_recording_of_them_is_refused_as_they_were(
    make: Callable[..., Path], tmp_path: Path, nasion: Command, run: Callable[..., Any]
) -> None:
    folder = make(FAULTS["a right eye that looks higher"][1])
    recorded = tmp_path / "walk.mcap"
    code, _, err = nasion("record", "--source", folder, "--out", recorded, "--mqtt", "none")
    assert code == 0, err
    assert "px apart" in err
    shutil.rmtree(folder)
    code, said, lines = run(recorded)
    assert (code, len(said)) == (0, FRAMES)
    assert set(reasons(said)) == {"eyes_do_not_fit"}
    assert "px apart" in lines[0]
