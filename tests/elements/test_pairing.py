"""A picture goes with the depth of its own grab, whatever stands between the elements."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable

import pytest
from nasion.elements import records

Make = Callable[..., Path]
AWAY = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5]


@pytest.fixture
def run_json(spot_model: Path) -> Callable[[Path], list[dict[str, Any]]]:
    """`nasion run` over a folder."""

    def run(folder: Path) -> list[dict[str, Any]]:
        command = [sys.executable, "-m", "nasion", "run", "--source", f"rgbd:{folder}", "--model", str(spot_model)]
        done = subprocess.run([*command, "--mqtt", "none", "--json"], capture_output=True, text=True, check=True)
        return [json.loads(text) for text in done.stdout.splitlines()]

    return run


def line(folder: Path, model: Path, before: str = "", between: str = "", after: str = "", **source: str) -> str:
    told = " ".join(f"{name}={value}" for name, value in source.items())
    return (
        f"nasionsrc uri=rgbd:{folder} {told} {before} ! nasioninfer model={model} {between} ! nasionlocate "
        f"! nasionrange jump=off {after} ! nasionpublish url=none post-messages=true ! fakesink sync=false"
    )


def test_each_picture_has_the_depth_of_its_grab(player: Any, record: Make, spot_model: Path) -> None:
    played = player.play(line(record(), spot_model))

    assert played.error is None
    assert played.depths() == pytest.approx(AWAY)
    assert [message["seq"] for message in played.messages] == list(range(6))
    assert [message["persons"][0]["pixel"][0] for message in played.messages] == pytest.approx([150.0] * 6, abs=0.5)
    assert all(message["latency_ms"].keys() >= {"receive", "network", "total"} for message in played.messages)


@pytest.mark.parametrize(
    "way",
    [
        "! queue",
        "! videoconvert ! video/x-raw,format=RGB ! videoconvert",
        "! jpegenc quality=100 ! jpegdec ! videoconvert",
        "! videoscale ! video/x-raw,width=640 ! videoscale ! video/x-raw,width=320,height=180",
        "! queue max-size-buffers=1 ! identity single-segment=true ! queue",
        "! videorate ! video/x-raw,framerate=30/1",
    ],
)
def test_it_goes_through_elements_that_make_new_buffers(player: Any, record: Make, spot_model: Path, way: str) -> None:
    played = player.play(line(record(), spot_model, before=way))

    assert played.error is None
    assert played.depths() == pytest.approx(AWAY)


def test_a_picture_that_is_shown_later_keeps_its_depth(player: Any, record: Make, spot_model: Path) -> None:
    """videorate repeats pictures under the PTS of others: twice each, and then every depth is there twice."""
    played = player.play(line(record(), spot_model, before="! videorate ! video/x-raw,framerate=60/1"))

    depths = played.depths()
    assert len(depths) > len(AWAY)
    assert sorted(set(depths)) == pytest.approx(AWAY)
    assert depths == sorted(depths)


def test_pictures_that_a_queue_lets_go_leave_nothing_behind(player: Any, record: Make, spot_model: Path) -> None:
    way = "! queue max-size-buffers=1 leaky=downstream ! identity sleep-time=50000"
    played = player.play(line(record(), spot_model, before=way))

    shown = played.depths()
    assert 1 <= len(shown) <= len(AWAY)
    for depth in shown:
        assert min(abs(depth - away) for away in AWAY) < 1e-5
    assert [message["seq"] for message in played.messages] == list(range(len(shown)))
    gc.collect()
    assert records.kept() == 0


def test_two_cameras_in_one_process_are_kept_apart(player: Any, record: Make, spot_model: Path) -> None:
    front = line(record("front", u=60.0), spot_model, camera="front")
    rear = line(record("rear", u=240.0, first_m=3.0), spot_model, camera="rear")
    played = player.play(f"{front}   {rear}")

    assert played.depths("front") == pytest.approx(AWAY)
    assert played.depths("rear") == pytest.approx([away + 2 for away in AWAY])
    assert {m["frame_id"] for m in played.messages} == {f"{n}_left_camera_optical_frame" for n in ("front", "rear")}


def test_two_networks_behind_a_tee_do_not_share_their_results(player: Any, record: Make, spot_model: Path) -> None:
    """The first one's view is large, the second one's small; their keypoints agree all the same."""
    branch = (
        "t. ! queue ! nasioninfer model={model} view={view} ! nasionlocate threshold=0.3 ! nasionrange jump=off "
        "! nasionpublish url=none post-messages=true ! fakesink sync=false"
    )
    both = " ".join(branch.format(model=spot_model, view=view) for view in ("full", "centre"))
    played = player.play(f"nasionsrc uri=rgbd:{record()} ! tee name=t  {both}")

    assert played.error is None
    assert sorted(played.depths()) == pytest.approx(sorted(AWAY * 2))
    for message in played.messages:
        assert message["persons"][0]["pixel"] == pytest.approx([150.0, 80.0], abs=1.0)


@pytest.mark.parametrize("damaged", [0, 2, 5])
def test_a_damaged_frame_is_told_in_its_place(player: Any, record: Make, spot_model: Path, damaged: int) -> None:
    played = player.play(line(record(damaged=damaged), spot_model, before="! queue", between="! queue"))

    reasons = [message["reason"] for message in played.messages]
    assert reasons == ["corrupt_frame" if number == damaged else None for number in range(6)]
    assert [message["seq"] for message in played.messages] == list(range(6))
    assert len(played.warnings) == 1
    assert f"{damaged:06d}_left.png" in played.warnings[0]


def test_the_limits_of_the_source_are_those_of_the_range(player: Any, record: Make, spot_model: Path) -> None:
    played = player.play(line(record(), spot_model, **{"near-m": "1.25", "far-m": "1.45"}))

    reasons = [message["persons"][0]["reason"] for message in played.messages]
    assert reasons == ["too_near"] * 3 + [None] * 2 + ["too_far"]


def test_the_elements_agree_with_the_application(player: Any, record: Make, spot_model: Path, run_json: Any) -> None:
    folder = record()
    played = player.play(line(folder, spot_model))

    told = run_json(folder)
    assert played.depths() == pytest.approx([message["persons"][0]["depth_m"] for message in told])
    for ours, theirs in zip(played.messages, told, strict=True):
        # They scale by different methods.
        assert ours["persons"][0]["pixel"] == pytest.approx(theirs["persons"][0]["pixel"], abs=0.25)
        assert ours["recorded_ns"] == theirs["recorded_ns"]
