"""The one module that touches pyds, against a double that fails where the real one would."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from nasion.deepstream.meta import MetaReader, why_no_pyds
from nasion.errors import DependencyError, NasionError
from nasion.pipeline.buffers import picture_buffer

from tests.doubles import pyds_double as double

PLUGINS = Path(__file__).parents[2] / "plugins"


class Buffers:
    """Batches made by hand: frames of (pad, PTS, heat maps by unique id)."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.batches = double.Batches()
        self.pyds = double.module(self.batches)
        monkeypatch.setitem(sys.modules, "pyds", self.pyds)
        self.memory: list[Any] = []

    def make(self, frames: list[tuple[int, int, dict[int, Any]]], ends: double.Ends = "none", outputs: int = 1) -> Any:
        life, forever = double.Life(), double.Life()
        made = []
        for pad, pts, heats in frames:
            metas = []
            for unique_id, heat in heats.items():
                self.memory.append(heat)
                dims = double.NvDsInferDims(forever, numDims=3, numElements=heat.size)
                layer = double.NvDsInferLayerInfo(
                    forever, layerName="heat", dataType=double.NvDsInferDataType.FLOAT, inferDims=dims, buffer=None
                )
                tensors = double.NvDsInferTensorMeta(
                    life,
                    unique_id=unique_id,
                    num_output_layers=outputs,
                    out_buf_ptrs_host=double.Pointer([heat.ctypes.data]),
                    _layers=[layer],
                )
                base = double.NvDsBaseMeta(life, meta_type=double.NvDsMetaType.NVDSINFER_TENSOR_OUTPUT_META)
                metas.append(double.NvDsUserMeta(life, base_meta=base, user_meta_data=double.Pointer(tensors)))
            made.append(
                double.NvDsFrameMeta(life, pad_index=pad, buf_pts=pts, frame_user_meta_list=double.linked(metas, ends))
            )
        buffer = picture_buffer(np.zeros((1, 4, 4), np.uint8), 0)
        self.batches.attach(hash(buffer), double.NvDsBatchMeta(life, frame_meta_list=double.linked(made, ends)))
        return buffer


@pytest.fixture
def buffers(monkeypatch: pytest.MonkeyPatch) -> Buffers:
    return Buffers(monkeypatch)


def heat(value: float) -> Any:
    return np.full((1, 2, 3), value, np.float32)


@pytest.mark.parametrize("ends", ["none", "stop"])
def test_each_frame_comes_with_its_pad_its_pts_and_the_heat_map_of_our_nvinfer(buffers: Buffers, ends: Any) -> None:
    buffer = buffers.make([(1, 70, {9: heat(0.9), 5: heat(0.5)}), (0, 40, {5: heat(0.4)}), (1, 71, {})], ends)
    reader = MetaReader(5, 2, 3)

    assert reader.frames(buffer) == [(1, 70), (0, 40), (1, 71)]
    first, second, third = reader.searched(buffer)
    assert (first.pad, first.pts, second.pad, second.pts) == (1, 70, 0, 40)
    assert first.heat is not None
    assert second.heat is not None
    assert first.heat.shape == (2, 3)
    assert (float(first.heat[1, 2]), float(second.heat[0, 0])) == pytest.approx((0.5, 0.4))
    assert third.heat is None


@pytest.mark.parametrize("ends", ["none", "stop"])
def test_an_empty_batch_has_no_frames(buffers: Buffers, ends: Any) -> None:
    assert MetaReader(5, 2, 3).searched(buffers.make([], ends)) == []


def test_the_heat_map_is_a_copy(buffers: Buffers) -> None:
    memory = heat(0.5)
    (frame,) = MetaReader(5, 2, 3).searched(buffers.make([(0, 1, {5: memory})]))
    memory.fill(7)
    assert frame.heat is not None
    assert (frame.heat == 0.5).all()


def test_another_number_of_outputs_is_told(buffers: Buffers) -> None:
    with pytest.raises(NasionError, match="2 outputs; expected one"):
        MetaReader(5, 2, 3).searched(buffers.make([(0, 1, {5: heat(0)})], outputs=2))


@pytest.mark.parametrize("size", [(2, 4), (1, 3), (20, 30)])
def test_another_size_is_told_and_not_read(buffers: Buffers, size: tuple[int, int]) -> None:
    with pytest.raises(NasionError, match="6 values"):
        MetaReader(5, *size).searched(buffers.make([(0, 1, {5: heat(0)})]))


def test_a_machine_without_pyds_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyds", None)
    with pytest.raises(DependencyError, match="DeepStream's Python module pyds"):
        MetaReader(1, 2, 3)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        ("ImportError('libnvds_meta.so: cannot open shared object file')", "libnvds_meta.so: cannot open"),
        ("AttributeError('_ARRAY_API\\nnot found')", "_ARRAY_API not found"),
    ],
)
def test_a_pyds_that_does_not_load_is_as_good_as_none(
    error: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "pyds", raising=False)
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "pyds.py").write_text(f"raise {error}\n")

    with pytest.raises(DependencyError, match=said) as caught:
        MetaReader(1, 2, 3)

    assert "\n" not in str(caught.value)


def test_a_pyds_of_another_project_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyds", ModuleType("pyds"))
    assert "another project's" in (why_no_pyds() or "")


def test_no_other_module_touches_pyds() -> None:
    touching = re.compile(r"^\s*(import pyds|from pyds)|import_module\(.pyds|\bpyds\.\w", re.MULTILINE)
    files = [path for path in PLUGINS.rglob("*.py") if touching.search(path.read_text())]
    assert [path.name for path in files] == ["meta.py"]


class TestTheDouble:
    """It would be worth nothing if it let pass what the real pyds does not."""

    def walk(self, buffers: Buffers) -> Any:
        buffer = buffers.make([(0, 1, {5: heat(0.5)})])
        batch = buffers.pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
        frame = buffers.pyds.NvDsFrameMeta.cast(batch.frame_meta_list.data)
        user = buffers.pyds.NvDsUserMeta.cast(frame.frame_user_meta_list.data)
        return buffer, frame, buffers.pyds.NvDsInferTensorMeta.cast(user.user_meta_data)

    def test_a_layers_pointer_is_empty_until_it_is_asked_for(self, buffers: Buffers) -> None:
        _, _, tensors = self.walk(buffers)
        assert tensors.output_layers_info(0).buffer is None
        layer = buffers.pyds.get_nvds_LayerInfo(tensors, 0)
        assert buffers.pyds.get_ptr(layer.buffer)
        assert tensors.output_layers_info(0).buffer is None
        assert buffers.pyds.get_ptr(None) == 0

    def test_what_does_not_exist_cannot_be_read_or_written(self, buffers: Buffers) -> None:
        _, frame, _ = self.walk(buffers)
        with pytest.raises(AttributeError):
            _ = frame.pipeline_width
        with pytest.raises(AttributeError):
            _ = buffers.pyds.get_detections
        with pytest.raises(double.BrokenError):
            frame.buf_pts = 3

    def test_a_wrong_cast_fails(self, buffers: Buffers) -> None:
        buffer, _, _ = self.walk(buffers)
        batch = buffers.pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
        with pytest.raises(double.BrokenError):
            buffers.pyds.NvDsUserMeta.cast(batch.frame_meta_list.data)

    def test_what_is_kept_beyond_its_buffer_cannot_be_read(self, buffers: Buffers) -> None:
        buffer, frame, tensors = self.walk(buffers)
        buffers.batches.gone(hash(buffer))
        assert buffers.pyds.gst_buffer_get_nvds_batch_meta(hash(buffer)) is None
        for kept in (frame, tensors):
            with pytest.raises(double.BrokenError, match="after its buffer was gone"):
                _ = kept.unique_id

    def test_calls_that_return_arrays_fail(self, buffers: Buffers) -> None:
        _, _, tensors = self.walk(buffers)
        with pytest.raises(double.BrokenError, match="array"):
            _ = buffers.pyds.get_nvds_LayerInfo(tensors, 0).inferDims.d
