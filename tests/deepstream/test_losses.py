"""Frames that do not come out, or come out without an answer: counted, told, and never taken for another frame."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from nasion.core.results import FrameReason
from nasion.errors import InputError, NasionError
from nasion.sources.frame import Grab
from numpy.typing import NDArray

from tests.doubles import nv_double
from tests.pipeline.conftest import Stage


def walk(stage: Stage, count: int) -> list[Grab]:
    """Each frame has a place and a depth of its own."""
    return [stage.frame(stage.dot(u=20.0 + 5 * number), 1 + 0.05 * number, number) for number in range(count)]


def check_pairs(stage: Stage) -> list[int]:
    """The numbers of the frames with a person, each with the place and depth of that very frame."""
    numbers = []
    for message in stage.messages:
        number = int(message.recorded_ns or 0)
        for person in message.persons:
            assert person.pixel[0] == pytest.approx(20.0 + 5 * number, abs=0.5)
            assert person.depth_m == pytest.approx(1 + 0.05 * number)
            numbers.append(number)
    return numbers


def run(stage: Stage, grabs: Any, **settings: Any) -> dict[str, int]:
    summary = stage.run(
        {"cam0": stage.source(grabs)}, engine="deepstream", **{"jump": {"mode": "off"}, **settings}
    ).cameras["cam0"]
    assert summary.frames == summary.processed + sum(summary.drops.get(cause, 0) for cause in ("lost", "unfinished"))
    return summary.drops


@pytest.mark.parametrize("gone", [{0}, {3}, {3, 4, 5}, {11}, set(range(12))], ids=str)
def test_frames_that_the_mux_drops_are_counted_and_the_others_keep_their_own(
    stage: Stage, device: nv_double.Reality, gone: set[int]
) -> None:
    """Also the first, the last, and all of them."""
    device.dropped_by_mux = lambda _pad, number: number in gone

    drops = run(stage, walk(stage, 12))

    assert check_pairs(stage) == [number for number in range(12) if number not in gone]
    assert drops == {"lost": len(gone)}


def test_a_batch_that_nvinfer_swallows_is_counted_for_each_of_its_cameras(
    stage: Stage, device: nv_double.Reality
) -> None:
    device.swallowed = lambda batch: batch == 2
    summary = stage.run(
        {name: stage.source(walk(stage, 8)) for name in ("front", "rear")},
        engine="deepstream",
        jump={"mode": "off"},
    )

    assert sum(camera.drops.get("lost", 0) for camera in summary.cameras.values()) == device.batch_sizes[2]
    assert len(check_pairs(stage)) == 16 - device.batch_sizes[2]


def test_a_frame_that_comes_out_twice_counts_once(stage: Stage, device: nv_double.Reality) -> None:
    device.twice = lambda _pad, number: number == 4

    drops = run(stage, walk(stage, 8))

    assert check_pairs(stage) == list(range(8))
    assert drops == {"unknown": 1}


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("without_tensor", "no tensor meta of gie-unique-id=1 is on it"),
        ("null", "its host buffer is a null pointer"),
        ("no_list", "its list of host buffers is a null pointer"),
    ],
)
def test_a_frame_without_a_tensor_says_so_and_is_not_taken_for_an_empty_one(
    stage: Stage, device: nv_double.Reality, how: str, why: str
) -> None:
    """Why is told once."""
    setattr(device, how, lambda _pad, number: number in (2, 5))

    drops = run(stage, walk(stage, 8))

    assert check_pairs(stage) == [0, 1, 3, 4, 6, 7]
    assert [message.reason for message in stage.messages].count(FrameReason.NO_TENSOR) == 2
    assert [stage.messages[number].reason for number in (2, 5)] == [FrameReason.NO_TENSOR] * 2
    assert drops == {"no_tensor": 2}
    assert [text for text in stage.events if "heat map" in text] == [
        f"deepstream: cam0: nvinfer gave a frame without a heat map: {why}"
    ]


def test_a_heat_map_that_is_not_finite_counts_as_none(stage: Stage, device: nv_double.Reality) -> None:
    device.tensor = lambda heat: np.full_like(heat, np.nan)

    drops = run(stage, walk(stage, 3))

    assert [message.reason for message in stage.messages] == [FrameReason.NO_TENSOR] * 3
    assert drops == {"no_tensor": 3}


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (lambda heat: heat[:, ::2], "17280 values of type 0; expected 34560 (144 x 240) of type FLOAT"),
        (lambda heat: np.concatenate([heat, heat]), "69120 values"),
        (lambda heat: heat.astype(np.float16), "34560 values of type 1"),
        (lambda heat: heat.transpose(0, 2, 1), "(144 x 240) of type FLOAT; its shape is 1 x 240 x 144"),
        (lambda heat: heat.reshape(1, 1, -1), "its shape is 1 x 1 x 34560"),
    ],
    ids=["too small", "too large", "half", "transposed", "flat"],
)
def test_a_tensor_of_another_shape_or_type_ends_the_run_before_its_memory_is_read(
    stage: Stage, device: nv_double.Reality, made: Any, said: str
) -> None:
    def tensor(heat: NDArray[np.float32]) -> NDArray[Any]:
        given: NDArray[Any] = made(heat)
        return given

    device.tensor = tensor

    with pytest.raises(NasionError) as caught:
        run(stage, walk(stage, 3))

    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert stage.messages == []


def test_an_output_whose_name_is_no_text_ends_the_run_with_one_line(stage: Stage, device: nv_double.Reality) -> None:
    device.name = b"caf\xe9"

    with pytest.raises(NasionError) as caught:
        run(stage, walk(stage, 3))

    assert r"the name b'caf\xe9', which is not UTF-8" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert stage.messages == []


def test_an_error_of_nvinfer_ends_the_run_with_one_line(stage: Stage, device: nv_double.Reality) -> None:
    device.failing = lambda batch: batch == 3

    with pytest.raises(NasionError) as caught:
        run(stage, (stage.frame() for _ in iter(int, 1)))

    assert str(caught.value) == (
        "deepstream: GStreamer: infer: Failed to queue input batch for inferencing (cuda error 700)"
    )
    assert caught.value.exit_code == 1
    # The batches before it may still be on their way through.
    assert [message.seq for message in stage.messages] == list(range(len(stage.messages)))
    assert len(stage.messages) <= 3


def test_an_nvinfer_that_does_not_start_is_told(
    stage: Stage, device: nv_double.Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_self: Any) -> None:
        raise OSError("Build engine failed from config file")

    assert device.faults == []
    monkeypatch.setattr(nv_double.NvInfer, "_start", refuse)

    with pytest.raises(NasionError, match=r"infer: Failed to create NvDsInferContext instance \(Build engine failed"):
        run(stage, [])


def test_a_camera_that_fails_ends_the_run_of_all_with_its_own_error(stage: Stage, device: nv_double.Reality) -> None:
    assert device.faults == []

    def grabs() -> Iterator[Grab]:
        yield stage.frame()
        raise NasionError("the cable was pulled")

    with pytest.raises(NasionError, match="the cable was pulled"):
        stage.run(
            {"broken": stage.source(grabs()), "other": stage.source(stage.frame() for _ in iter(int, 1))},
            engine="deepstream",
        )


def test_a_failure_in_a_step_ends_the_run(stage: Stage, device: nv_double.Reality) -> None:
    assert device.faults == []

    def on_message(_message: Any) -> None:
        raise ZeroDivisionError("in a GStreamer thread")

    with pytest.raises(ZeroDivisionError, match="in a GStreamer thread"):
        stage.run(
            {"cam0": stage.source(stage.frame() for _ in iter(int, 1))}, on_message=on_message, engine="deepstream"
        )


def test_buffers_without_metadata_end_the_run(
    stage: Stage, device: nv_double.Reality, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pyds of another release reads nothing."""
    assert device.faults == []
    monkeypatch.setattr(sys.modules["pyds"], "gst_buffer_get_nvds_batch_meta", lambda _address: None)

    with pytest.raises(NasionError, match="pyds and DeepStream must be of one release"):
        stage.run({"cam0": stage.source([stage.frame()])}, engine="deepstream")


def test_a_picture_of_another_shape_ends_the_run(stage: Stage, device: nv_double.Reality) -> None:
    assert device.faults == []
    other = stage.frame(stage.dot(width=160, height=90))
    grabs = [stage.frame(), type(other)(other.picture, other.depth, stage.calibration(), other.stamp)]

    with pytest.raises(NasionError, match=r"cam0: the source gave a picture of the shape \(90, 160, 3\)"):
        run(stage, grabs)


def test_cameras_whose_pictures_make_no_common_batch_are_refused(stage: Stage, device: nv_double.Reality) -> None:
    assert device.faults == []

    with pytest.raises(InputError, match=r"rear: the view makes 384 x 288 .* 480 x 270"):
        stage.run({"front": stage.source([]), "rear": stage.source([], 640, 480)}, engine="deepstream")


class FastClock:
    """Time that passes fifty times as fast, for whoever asks."""

    def __init__(self, clock: Any) -> None:
        self._clock, self._origin = clock, clock.monotonic_ns()

    def utc_ns(self) -> int:
        return int(self._clock.utc_ns())

    def monotonic_ns(self) -> int:
        return int(self._origin + 50 * (self._clock.monotonic_ns() - self._origin))

    def sleep(self, seconds: float) -> None:
        self._clock.sleep(seconds / 50)


@pytest.mark.parametrize("live", [False, True])
def test_frames_that_all_get_lost_do_not_stop_the_others_for_ever(
    stage: Stage, device: nv_double.Reality, live: bool
) -> None:
    """More in a row than may be on their way: nothing that comes out tells that they are gone; only time does."""
    stage.clock = FastClock(stage.clock)
    device.swallowed = lambda batch: batch < 12
    seen = threading.Event()

    def grabs() -> Iterator[Grab]:
        while not seen.is_set():
            yield stage.frame(stage.dot())

    def on_message(message: Any) -> None:
        if message.persons:
            seen.set()

    summary = stage.run(
        {"cam0": stage.source(grabs(), live=live)},
        on_message=on_message,
        engine="deepstream",
        seconds=1000,
        frozen_ms=0,
    )

    assert seen.is_set()
    assert summary.cameras["cam0"].drops["lost"] >= 12
