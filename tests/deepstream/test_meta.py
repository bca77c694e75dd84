"""The one module that touches pyds, against a double that fails where the real one would."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from math import prod
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.deepstream.meta import MetaReader, why_no_pyds
from nasion.errors import DependencyError, NasionError
from nasion.pipeline.buffers import picture_buffer

from tests.doubles import pyds_double as double

PLUGINS = Path(__file__).parents[2] / "plugins"


HEIGHT, WIDTH = 2, 3
Layer = double.Layer
TENSOR = double.NvDsMetaType.NVDSINFER_TENSOR_OUTPUT_META


def heat(value: float) -> Any:
    return np.full((1, HEIGHT, WIDTH), value, np.float32)


class Buffers:
    """Batches made by hand."""

    def __init__(self) -> None:
        self.batches = double.Batches()
        self.pyds = double.module(self.batches)
        self.memory: list[Any] = []

    def user(self, life: double.Life, data: Any, kind: double.NvDsMetaType = TENSOR) -> double.NvDsUserMeta:
        base = double.NvDsBaseMeta(life, meta_type=kind)
        return double.NvDsUserMeta(life, base_meta=base, user_meta_data=None if data is None else double.Pointer(data))

    def frame(self, life: double.Life, pad: int, pts: int, users: list[Any]) -> double.NvDsFrameMeta:
        return double.NvDsFrameMeta(
            life, pad_index=pad, buf_pts=pts, frame_user_meta_list=double.linked(life, users) if users else None
        )

    def batch(self, life: double.Life, frames: list[Any]) -> Any:
        """A buffer whose batch is of these frames."""
        buffer = picture_buffer(np.zeros((1, 4, 4), np.uint8), 0)
        self.batches.attach(hash(buffer), double.NvDsBatchMeta(life, frame_meta_list=double.linked(life, frames)))
        return buffer

    def make(self, frames: list[tuple[int, int, dict[int, Any]]]) -> Any:
        """Frames of (pad, PTS, heat maps by unique id)."""
        life = self.batches.life()
        made = []
        for pad, pts, heats in frames:
            users = [
                self.user(life, double.NvDsInferTensorMeta(life, unique_id, [Layer(values)]))
                for unique_id, values in heats.items()
            ]
            self.memory.extend(heats.values())
            made.append(self.frame(life, pad, pts, users))
        return self.batch(life, made)

    def of_layers(self, *layers: double.Layer, **about: Any) -> Any:
        """One frame, pad 1 and PTS 7, on which our nvinfer has hung these outputs."""
        life = self.batches.life()
        self.memory.extend(layers)
        tensors = double.NvDsInferTensorMeta(life, 5, layers, **about)
        return self.batch(life, [self.frame(life, 1, 7, [self.user(life, tensors)])])


@pytest.fixture
def buffers(monkeypatch: pytest.MonkeyPatch) -> Buffers:
    made = Buffers()
    monkeypatch.setitem(sys.modules, "pyds", made.pyds)
    return made


@pytest.fixture
def reader(buffers: Buffers) -> Iterator[MetaReader]:
    """Nothing that it does is undefined."""
    yield MetaReader(5, HEIGHT, WIDTH)
    assert buffers.batches.undefined == []


def test_each_frame_comes_with_its_pad_its_pts_and_the_heat_map_of_our_nvinfer(
    buffers: Buffers, reader: MetaReader
) -> None:
    buffer = buffers.make([(1, 70, {9: heat(0.9), 5: heat(0.5)}), (0, 40, {5: heat(0.4)}), (1, 71, {})])

    assert reader.frames(buffer) == [(1, 70), (0, 40), (1, 71)]
    first, second, third = reader.searched(buffer)
    assert (first.pad, first.pts, second.pad, second.pts) == (1, 70, 0, 40)
    assert first.heat is not None
    assert second.heat is not None
    assert first.heat.shape == (2, 3)
    assert (float(first.heat[1, 2]), float(second.heat[0, 0])) == pytest.approx((0.5, 0.4))
    assert (first.missing, second.missing) == (None, None)
    assert third.heat is None
    assert third.missing == "no tensor meta of gie-unique-id=5 is on it"


def test_an_empty_batch_has_no_frames(buffers: Buffers, reader: MetaReader) -> None:
    assert reader.searched(buffers.make([])) == []


def test_a_buffer_without_batch_meta_is_told(buffers: Buffers, reader: MetaReader) -> None:
    assert buffers.memory == []
    for read in (reader.frames, reader.searched):
        with pytest.raises(NasionError, match="without batch meta"):
            read(picture_buffer(np.zeros((1, 4, 4), np.uint8), 0))


def test_the_heat_map_is_a_copy(buffers: Buffers, reader: MetaReader) -> None:
    memory = heat(0.5)
    buffer = buffers.make([(0, 1, {5: memory})])
    (frame,) = reader.searched(buffer)
    memory.fill(7)
    buffers.batches.gone(hash(buffer))
    assert frame.heat is not None
    assert (frame.heat == 0.5).all()


@pytest.mark.parametrize(
    ("layer", "about", "missing"),
    [
        (Layer(heat(1)), {"host_list": False}, "its list of host buffers is a null pointer"),
        (Layer(None, sizes=(1, HEIGHT, WIDTH)), {}, "its host buffer is a null pointer"),
        (Layer(heat(np.nan)), {}, "its values are not all within 0..1"),
        (Layer(heat(np.inf)), {}, "its values are not all within 0..1"),
        (Layer(heat(1.5)), {}, "its values are not all within 0..1"),
        (Layer(heat(-0.1)), {}, "its values are not all within 0..1"),
    ],
    ids=["no list", "no buffer", "nan", "inf", "too high", "too low"],
)
def test_a_frame_without_usable_values_has_a_reason_in_their_place(
    buffers: Buffers, reader: MetaReader, layer: double.Layer, about: Any, missing: str
) -> None:
    (frame,) = reader.searched(buffers.of_layers(layer, **about))

    assert (frame.pad, frame.pts, frame.heat, frame.missing) == (1, 7, None, missing)


def test_null_pointers_in_the_lists_are_passed_over(buffers: Buffers, reader: MetaReader) -> None:
    """A frame meta that is none cannot be said to be anybody's; a tensor meta that is none leaves its frame without."""
    life = buffers.batches.life()
    values = heat(0.5)
    ours = double.NvDsInferTensorMeta(life, 5, [Layer(values)])
    other = buffers.user(life, "somebody else's", double.NvDsMetaType.NVDS_USER_META)
    nothing = buffers.user(life, None)
    frames = [
        None,
        buffers.frame(life, 0, 1, [None, other, nothing, buffers.user(life, ours)]),
        None,
        buffers.frame(life, 1, 2, [None, nothing]),
        buffers.frame(life, 2, 3, [None]),
    ]
    buffer = buffers.batch(life, frames)

    assert reader.frames(buffer) == [(0, 1), (1, 2), (2, 3)]
    first, second, third = reader.searched(buffer)
    assert first.heat is not None
    assert (second.heat, second.missing) == (None, "its tensor meta is a null pointer")
    assert (third.heat, third.missing) == (None, "no tensor meta of gie-unique-id=5 is on it")


SIX = np.arange(6, dtype=np.float32) / 8


@pytest.mark.parametrize(
    ("layers", "about", "said"),
    [
        ([], {}, ["0 outputs; expected one"]),
        ([Layer(heat(0)), Layer(heat(0), b"other")], {}, ["2 outputs; expected one"]),
        ([Layer(heat(0))], {"count": 3}, ["3 outputs; expected one"]),
        ([], {"host_list": False}, ["0 outputs; expected one"]),
        ([Layer(SIX.reshape(1, WIDTH, HEIGHT))], {}, ["'heat_map'", "6 values", "2 x 3", "shape is 1 x 3 x 2"]),
        ([Layer(SIX.reshape(WIDTH, HEIGHT))], {}, ["6 values", "shape is 3 x 2"]),
        ([Layer(SIX)], {}, ["6 values", "shape is 6;"]),
        ([Layer(SIX.reshape(HEIGHT, WIDTH, 1))], {}, ["6 values", "shape is 2 x 3 x 1"]),
        ([Layer(SIX.reshape(HEIGHT, 1, WIDTH))], {}, ["6 values", "shape is 2 x 1 x 3"]),
        ([Layer(np.zeros((2, HEIGHT, WIDTH), np.float32))], {}, ["12 values", "shape is 2 x 2 x 3"]),
        ([Layer(np.zeros((1, HEIGHT, WIDTH + 1), np.float32))], {}, ["8 values", "expected 6"]),
        ([Layer(np.zeros((1, 1, WIDTH), np.float32))], {}, ["3 values", "expected 6"]),
        ([Layer(heat(0), elements=7)], {}, ["3 sizes, 1 x 2 x 3, and 7 values", "product"]),
        ([Layer(heat(0), num_dims=2)], {}, ["2 sizes, 1 x 2, and 6 values"]),
        ([Layer(heat(0), num_dims=0)], {}, ["0 sizes", "6 values"]),
        ([Layer(heat(0), sizes=(1,) * 7 + (6,), num_dims=9)], {}, ["9 sizes", "6 values"]),
        ([Layer(heat(0), sizes=(0, HEIGHT, WIDTH), elements=6)], {}, ["0 x 2 x 3, and 6 values"]),
        ([Layer(heat(0), sizes=(2**31, 2, 3), elements=6)], {}, ["2147483648 x 2 x 3, and 6 values"]),
        ([Layer(heat(0).astype(np.float16))], {}, ["6 values of type 1; expected 6 (2 x 3) of type FLOAT"]),
        ([Layer(heat(0), kind=double.NvDsInferDataType.INT32)], {}, ["6 values of type 3"]),
        ([Layer(heat(0).astype(np.int8), kind=double.NvDsInferDataType.INT8)], {}, ["6 values of type 2"]),
        ([Layer(heat(0), b"caf\xe9")], {}, [r"b'caf\xe9'", "not UTF-8"]),
        ([Layer(heat(0), b"\xff" * 5000)], {}, ["not UTF-8"]),
        ([Layer(heat(0).astype(np.float16), b"\xc3\x28")], {}, [r"b'\xc3('", "not UTF-8"]),
        ([Layer(SIX.reshape(1, WIDTH, HEIGHT), b"\xf0\x9f")], {}, ["not UTF-8"]),
        ([Layer(None, b"\x80", sizes=(1, HEIGHT, WIDTH))], {}, ["not UTF-8"]),
        ([Layer(heat(0), None)], {}, ["has no name"]),
        ([Layer(heat(0).astype(np.float16), "größe\nx".encode())], {}, [r"'größe\nx'", "6 values of type 1"]),
        ([Layer(heat(0).astype(np.float16), b"x" * 5000)], {}, ["'xxxx", "6 values of type 1"]),
        ([Layer(heat(0).astype(np.float16), b"")], {}, ["''", "6 values of type 1"]),
    ],
)
def test_what_is_no_heat_map_of_our_network_is_told_in_one_line_and_not_read(
    buffers: Buffers, reader: MetaReader, layers: list[double.Layer], about: Any, said: list[str]
) -> None:
    with pytest.raises(NasionError) as caught:
        reader.searched(buffers.of_layers(*layers, **about))

    text = str(caught.value)
    assert [part for part in said if part not in text] == []
    assert "\n" not in text
    assert len(text) < 600


@pytest.mark.parametrize("name", [b"", b"heat_map", "größe".encode(), b"a\nb", b"x" * 5000])
def test_a_name_that_is_text_is_no_matter(buffers: Buffers, reader: MetaReader, name: bytes) -> None:
    (frame,) = reader.searched(buffers.of_layers(Layer(heat(0.5), name)))
    assert frame.heat is not None


@pytest.mark.parametrize("shape", [(HEIGHT, WIDTH), (1, HEIGHT, WIDTH), (1, 1, 1, HEIGHT, WIDTH)])
def test_rows_and_columns_are_what_counts(buffers: Buffers, reader: MetaReader, shape: tuple[int, ...]) -> None:
    (frame,) = reader.searched(buffers.of_layers(Layer(SIX.reshape(shape))))
    assert frame.heat is not None
    assert frame.heat.tolist() == SIX.reshape(HEIGHT, WIDTH).tolist()


@given(
    sizes=st.lists(st.integers(0, 4), max_size=8) | st.sampled_from([[1, 2, 3], [2, 3], [1, 3, 2], [3, 2], [2, 3, 1]]),
    lie=st.sampled_from([0, 0, 0, 1, -1]),
    name=st.binary(max_size=6) | st.sampled_from([b"heat_map", b"caf\xe9"]),
    kind=st.sampled_from([0, 0, 0, 1, 2, 3]).map(double.NvDsInferDataType),
    null=st.booleans(),
    host_list=st.booleans(),
    count=st.sampled_from([None, None, 0, 2]),
)
def test_a_heat_map_or_a_reason_or_an_error_and_never_the_end_of_the_process(
    sizes: list[int],
    lie: int,
    name: bytes,
    kind: double.NvDsInferDataType,
    null: bool,
    host_list: bool,
    count: int | None,
) -> None:
    buffers = Buffers()
    values = None if null else (np.arange(prod(sizes)) % 6 / 8).astype(np.float32).reshape(sizes)
    layer = Layer(values, name, kind, sizes, elements=max(0, prod(sizes) + lie))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "pyds", buffers.pyds)
        try:
            (frame,) = MetaReader(5, HEIGHT, WIDTH).searched(buffers.of_layers(layer, host_list=host_list, count=count))
        except NasionError:
            frame = None

    assert buffers.batches.undefined == []
    ours = sizes[-2:] == [HEIGHT, WIDTH] and prod(sizes) == 6 and lie == 0
    good = ours and kind == 0 and name.decode(errors="replace").encode() == name
    if frame is None:
        assert count is not None or not good
    elif frame.heat is None:
        assert frame.missing
        assert null or not host_list
    else:
        assert good
        assert frame.heat.tolist() == SIX.reshape(HEIGHT, WIDTH).tolist()


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
        pyds = buffers.pyds
        _, _, tensors = self.walk(buffers)
        assert tensors.output_layers_info(0).buffer is None
        layer = pyds.get_nvds_LayerInfo(tensors, 0)
        assert pyds.get_ptr(layer.buffer) == buffers.memory[0].ctypes.data
        assert pyds.get_ptr(tensors.output_layers_info(0).buffer) == buffers.memory[0].ctypes.data

    def test_what_does_not_exist_cannot_be_read_or_written(self, buffers: Buffers) -> None:
        _, frame, tensors = self.walk(buffers)
        with pytest.raises(AttributeError):
            _ = frame.pipeline_width
        with pytest.raises(AttributeError):
            _ = tensors.layers
        with pytest.raises(AttributeError):
            _ = buffers.pyds.get_detections
        with pytest.raises(double.BrokenError):
            frame.buf_pts = 3

    def test_a_wrong_cast_fails_and_a_cast_of_nothing_gives_nothing(self, buffers: Buffers) -> None:
        pyds = buffers.pyds
        buffer, _, _ = self.walk(buffers)
        batch = pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
        with pytest.raises(double.BrokenError):
            pyds.NvDsUserMeta.cast(batch.frame_meta_list.data)
        for kind in (pyds.NvDsFrameMeta, pyds.NvDsUserMeta, pyds.NvDsInferTensorMeta):
            assert kind.cast(None) is None
        assert pyds.get_ptr(None) == 0

    def test_a_list_ends_with_none(self, buffers: Buffers) -> None:
        buffer = buffers.make([(0, 1, {}), (1, 2, {})])
        node = buffers.pyds.gst_buffer_get_nvds_batch_meta(hash(buffer)).frame_meta_list
        assert node.next is not None
        assert node.next.next is None

    def test_what_is_kept_beyond_its_buffer_cannot_be_read(self, buffers: Buffers) -> None:
        pyds = buffers.pyds
        buffer, frame, tensors = self.walk(buffers)
        node = pyds.gst_buffer_get_nvds_batch_meta(hash(buffer)).frame_meta_list
        layer = pyds.get_nvds_LayerInfo(tensors, 0)
        copy, dims = tensors.output_layers_info(0), layer.inferDims
        buffers.batches.gone(hash(buffer))
        assert pyds.gst_buffer_get_nvds_batch_meta(hash(buffer)) is None
        for kept, name in (
            *((frame, "buf_pts"), (tensors, "unique_id"), (node, "data"), (node, "next"), (dims, "numElements")),
            *((one, name) for one in (layer, copy) for name in ("layerName", "buffer", "inferDims", "dataType")),
        ):
            with pytest.raises(double.BrokenError, match="after its buffer was gone"):
                _ = getattr(kept, name)
        with pytest.raises(double.BrokenError, match="after its buffer was gone"):
            pyds.get_nvds_LayerInfo(tensors, 0)
        with pytest.raises(double.BrokenError, match="after its buffer was gone"):
            pyds.get_ptr(dims)

    def test_an_index_out_of_range_gives_rubbish_and_is_remembered(self, buffers: Buffers) -> None:
        _, _, tensors = self.walk(buffers)
        assert buffers.batches.undefined == []
        for number in (1, -1):
            assert tensors.output_layers_info(number).inferDims.numElements != heat(0).size
            assert buffers.pyds.get_ptr(buffers.pyds.get_nvds_LayerInfo(tensors, number).buffer) != 0
        assert len(buffers.batches.undefined) == 4

    def test_layer_info_follows_null_pointers_to_the_end(self, buffers: Buffers) -> None:
        buffer = buffers.of_layers(Layer(heat(1)), host_list=False)
        batch = buffers.pyds.gst_buffer_get_nvds_batch_meta(hash(buffer))
        frame = buffers.pyds.NvDsFrameMeta.cast(batch.frame_meta_list.data)
        user = buffers.pyds.NvDsUserMeta.cast(frame.frame_user_meta_list.data)
        tensors = buffers.pyds.NvDsInferTensorMeta.cast(user.user_meta_data)
        assert tensors.out_buf_ptrs_host is None
        for nothing in (tensors, None):
            with pytest.raises(double.BrokenError, match="ends the process"):
                buffers.pyds.get_nvds_LayerInfo(nothing, 0)

    def test_a_name_is_decoded_when_it_is_read(self, buffers: Buffers) -> None:
        life = buffers.batches.life()
        for name, read in ((b"heat", "heat"), (None, None)):
            assert Layer(heat(0), name).info(life).layerName == read
        with pytest.raises(UnicodeDecodeError):
            _ = Layer(heat(0), b"\xe9").info(life).layerName

    def test_calls_that_return_arrays_fail(self, buffers: Buffers) -> None:
        _, _, tensors = self.walk(buffers)
        with pytest.raises(double.BrokenError, match="array"):
            _ = buffers.pyds.get_nvds_LayerInfo(tensors, 0).inferDims.d
