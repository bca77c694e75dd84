"""OpenVINO draws the map that ONNX Runtime draws, from the same file; without it, it is said how to get it."""

import sys
import threading
from pathlib import Path
from typing import List

import numpy as np
import pytest
from nasion.config.nvinfer import default_nvinfer_file, read_nvinfer
from nasion.engine.onnx_model import HeatMapModel
from nasion.engine.openvino_model import OpenVinoModel
from nasion.engine.precision import int8_file
from nasion.engine.signal_stack import signal_stack
from nasion.errors import DependencyError, InputError, NasionError
from nasion.locating import PictureLocator
from numpy.typing import NDArray
from skimage import data

HEIGHT, WIDTH = 256, 256


def portrait() -> NDArray[np.float32]:
    """The astronaut, every other pixel, as the network takes it."""
    picture = data.astronaut()  # type: ignore[no-untyped-call]
    return np.ascontiguousarray(picture[::2, ::2].transpose(2, 0, 1)[None], np.float32)


def released(precision: str) -> Path:
    file = default_nvinfer_file("full")
    return read_nvinfer(int8_file(file) if precision == "int8" else file).onnx_file


@pytest.mark.parametrize(("precision", "apart"), [("float", 1e-4), ("int8", 0.05)])
def test_both_draw_the_same(precision: str, apart: float) -> None:
    """Integers are rounded by each in its own way."""
    path = released(precision)
    one, other = (kind(path, height=HEIGHT, width=WIDTH, threads=1) for kind in (HeatMapModel, OpenVinoModel))
    expected, found = one.infer(portrait()), other.infer(portrait())
    assert expected.max() > PictureLocator(path).metadata.threshold
    assert np.abs(expected - found).max() < apart
    assert (one.metadata, one.digest) == (other.metadata, other.digest)


def test_a_map_is_not_overwritten_by_the_next_one(spot_model: Path) -> None:
    model = OpenVinoModel(spot_model, height=64, width=96, threads=1)
    white, black = np.full((1, 3, 64, 96), 255, np.float32), np.zeros((1, 3, 64, 96), np.float32)
    white[:, 1:] = 0
    first = model.infer(white)
    kept = first.copy()
    assert not np.array_equal(model.infer(black), kept)
    np.testing.assert_array_equal(first, kept)


def test_several_threads_may_ask_at_once(spot_model: Path) -> None:
    model = OpenVinoModel(spot_model, height=64, width=96, threads=1)
    pictures = [np.random.default_rng(seed).uniform(0, 255, (1, 3, 64, 96)).astype(np.float32) for seed in range(4)]
    expected = [model.infer(picture) for picture in pictures]
    wrong: List[int] = []

    def ask(number: int) -> None:
        for _ in range(50):
            if not np.array_equal(model.infer(pictures[number]), expected[number]):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_what_onnx_runtime_refuses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    with pytest.raises(InputError, match="is no ONNX model"):
        OpenVinoModel(tmp_path / "model.onnx", height=64, width=64, threads=1)


def test_a_failing_inference_is_a_failure_while_running_in_one_line(spot_model: Path) -> None:
    model = OpenVinoModel(spot_model, height=64, width=96, threads=1)
    with pytest.raises(NasionError, match="OpenVINO failed") as caught:
        model.infer(np.zeros((1, 3, 8, 8), np.float32))
    assert "\n" not in str(caught.value)


def test_without_openvino_it_is_said_how_to_get_it(spot_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(DependencyError, match=r"scripts/setup openvino, or take --engine onnxruntime"):
        OpenVinoModel(spot_model, height=64, width=96, threads=1)


def test_networks_may_end_in_any_order_and_signals_are_handled_all_the_same(spot_model: Path) -> None:
    """Else the next Ctrl-C would end the process: see `signal_stack_kept`."""
    before = signal_stack()
    models = [OpenVinoModel(spot_model, height=64, width=96, threads=threads) for threads in (1, 2, 2)]
    while models:
        del models[0]
        after = signal_stack()
        assert (after.sp, after.flags, after.size) == (before.sp, before.flags, before.size)
