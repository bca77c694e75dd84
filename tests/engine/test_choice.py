"""Which engine is taken, and that it is said why."""

import sys
from types import ModuleType
from typing import List

import pytest
from nasion.engine.choice import choose_engine, missing_for_deepstream
from nasion.errors import DependencyError
from nasion.settings import Engine


def nothing_missing() -> List[str]:
    return []


def no_nvinfer() -> List[str]:
    return ["the GStreamer element nvinfer"]


def test_auto_takes_onnxruntime_and_says_why_not_deepstream() -> None:
    said: List[str] = []

    assert choose_engine("auto", no_nvinfer, said.append) == "onnxruntime"
    assert said == ["engine: onnxruntime (deepstream needs the GStreamer element nvinfer)"]


def test_on_a_machine_without_anything_of_deepstream_nothing_is_said_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyds", None)
    said: List[str] = []

    assert choose_engine("auto", lambda: missing_for_deepstream(lambda _: False), said.append) == "onnxruntime"
    assert said == ["engine: onnxruntime"]


def test_auto_takes_deepstream_where_it_can_load_and_says_so() -> None:
    said: List[str] = []

    assert choose_engine("auto", nothing_missing, said.append) == "deepstream"
    assert said == ["engine: deepstream (nvvideoconvert, nvstreammux, nvinfer and pyds are here)"]


@pytest.mark.parametrize("wanted", ["onnxruntime", "openvino", "deepstream"])
def test_an_engine_is_taken_without_a_word_where_it_is_asked_for(wanted: str) -> None:
    said: List[str] = []

    assert choose_engine(wanted, nothing_missing, said.append) == wanted  # type: ignore[arg-type]
    assert said == []


@pytest.mark.parametrize("wanted", ["onnxruntime", "openvino"])
def test_a_processor_is_taken_without_looking_for_another_engine(wanted: Engine) -> None:
    def never() -> List[str]:
        raise AssertionError

    assert choose_engine(wanted, never, lambda _: None) == wanted


def test_deepstream_is_refused_with_what_is_missing() -> None:
    with pytest.raises(DependencyError, match=r"element nvinfer; take --engine onnxruntime"):
        choose_engine("deepstream", no_nvinfer, lambda _: None)


def test_a_machine_without_deepstream_lacks_its_elements_and_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyds", None)

    lacking = " and ".join(missing_for_deepstream(lambda name: name != "nvinfer"))

    assert "nvinfer" in lacking
    assert "nvstreammux" not in lacking
    assert "pyds" in lacking


@pytest.mark.parametrize("genuine", [True, False])
def test_a_pyds_that_is_not_deepstreams_does_not_count(monkeypatch: pytest.MonkeyPatch, genuine: bool) -> None:
    """The package of that name on the Python package index is about belief functions."""
    pyds = ModuleType("pyds")
    if genuine:
        pyds.gst_buffer_get_nvds_batch_meta = print  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyds", pyds)

    lacking = missing_for_deepstream(lambda _: True)

    assert [what for what in lacking if "another project's" in what] == ([] if genuine else lacking)
    assert len(lacking) == (0 if genuine else 1)
