"""Pictures into GStreamer buffers and back, byte by byte, whatever their width."""

import gc
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
from nasion.core.tensor import row_stride, row_view
from nasion.errors import DependencyError
from nasion.pipeline import gst
from nasion.pipeline.buffers import mapped, picture_buffer


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 641])
def test_a_picture_goes_in_and_comes_out_unchanged(width: int, channels: int) -> None:
    picture = np.random.default_rng(width).integers(0, 256, (7, width, channels), np.uint8)

    buffer = picture_buffer(picture, 123)

    assert buffer.pts == 123
    assert buffer.get_size() == 7 * row_stride(width, channels)
    with mapped(buffer) as data:
        assert np.array_equal(row_view(data, width, 7, channels), picture)


def test_a_picture_lives_as_long_as_its_buffer_and_no_longer() -> None:
    picture = np.full((480, 640, 3), 7, np.uint8)
    gone = weakref.ref(picture)
    buffer = picture_buffer(picture, 0)

    with mapped(buffer) as data:
        assert np.shares_memory(data, picture), "a copy would cost more than scaling the picture"
    del picture, data
    gc.collect()
    with mapped(buffer) as data:
        assert (data == 7).all()
    del buffer, data
    gc.collect()

    assert gone() is None


def test_a_slice_of_a_larger_picture_is_taken_as_it_looks() -> None:
    large = np.random.default_rng(0).integers(0, 256, (20, 30, 3), np.uint8)

    with mapped(picture_buffer(large[3:11, 5:16], 0)) as data:
        assert np.array_equal(row_view(data, 11, 8), large[3:11, 5:16])


def test_missing_python_bindings_are_named_with_the_packages_that_bring_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gi", None)

    with pytest.raises(DependencyError, match=r"apt-get install .*python3-gi python3-gst"):
        gst.load_gst.__wrapped__()


CRASH = """
import sys
import cv2
from pathlib import Path
from nasion.pipeline.gst import load_gst
load_gst()
from nasion.engine.onnx_model import HeatMapModel
from nasion.errors import InputError
refused = 0
for _ in range(10):
    try:
        HeatMapModel(Path(sys.argv[1]), height=32, width=32, threads=1)
    except InputError:
        refused += 1
print(refused)
"""


def test_exceptions_in_onnx_runtime_survive_gstreamers_unwinder(tmp_path: Path) -> None:
    """Both bring functions of the same names; the wrong ones end the process at the first C++ exception."""
    rubbish = tmp_path / "rubbish.onnx"
    rubbish.write_bytes(bytes(range(256)))

    ended = subprocess.run([sys.executable, "-c", CRASH, str(rubbish)], capture_output=True, text=True, check=False)

    assert (ended.returncode, ended.stdout) == (0, "10\n"), ended.stderr


def test_a_missing_element_is_named() -> None:
    with pytest.raises(DependencyError, match=r"no element 'nosuchelement'.*plugins-good"):
        gst.make_element("nosuchelement", "it")
    assert not gst.has_element("nosuchelement")
    assert gst.has_element("videocrop")
