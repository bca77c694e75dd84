"""Which engine is taken, and that it is said why."""

import sys
from types import ModuleType
from typing import Callable, List

import pytest
from nasion.engine.choice import choose_engine, missing_for_deepstream
from nasion.errors import DependencyError


def nothing_missing() -> List[str]:
    return []


def no_nvinfer() -> List[str]:
    return ["the GStreamer element nvinfer"]


def test_auto_takes_onnxruntime_and_says_why_not_deepstream() -> None:
    said: List[str] = []

    assert choose_engine("auto", no_nvinfer, said.append) == "onnxruntime"
    assert said == ["engine: onnxruntime (deepstream needs the GStreamer element nvinfer)"]


def test_onnxruntime_is_taken_without_a_word_where_it_is_asked_for() -> None:
    said: List[str] = []

    assert choose_engine("onnxruntime", no_nvinfer, said.append) == "onnxruntime"
    assert said == []


@pytest.mark.parametrize(("missing", "said"), [(no_nvinfer, "element nvinfer"), (nothing_missing, "this version")])
def test_deepstream_is_refused_with_what_is_missing(missing: Callable[[], List[str]], said: str) -> None:
    with pytest.raises(DependencyError, match=said):
        choose_engine("deepstream", missing, lambda _: None)


def test_a_machine_without_deepstream_lacks_its_elements_and_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyds", None)

    lacking = " and ".join(missing_for_deepstream(lambda name: name != "nvinfer"))

    assert "nvinfer" in lacking
    assert "nvstreammux" not in lacking
    assert "pyds" in lacking


@pytest.mark.parametrize(("genuine", "lacking"), [(True, []), (False, ["DeepStream's Python module pyds"])])
def test_a_pyds_that_is_not_deepstreams_does_not_count(
    monkeypatch: pytest.MonkeyPatch, genuine: bool, lacking: List[str]
) -> None:
    """The package of that name on the Python package index is about belief functions."""
    pyds = ModuleType("pyds")
    if genuine:
        pyds.gst_buffer_get_nvds_batch_meta = print  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pyds", pyds)

    assert missing_for_deepstream(lambda _: True) == lacking
