"""A stage with doubles of NVIDIA's elements, of pyds, of the GPU and of TensorRT; all else is real."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from nasion.deepstream import engine
from nasion.tensorrt.versions import Version

from tests.doubles import nv_double, pyds_double
from tests.pipeline.conftest import Stage


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[nv_double.Reality]:
    """A machine with DeepStream; what it found wrong is told at the end."""
    if find_spec("gi.overrides.Gst") is None:
        pytest.skip("elements in Python, as the doubles are, need gst-python, which this Python has not")
    with nv_double.installed(nv_double.Reality()) as real:
        monkeypatch.setitem(sys.modules, "pyds", pyds_double.module(real.batches))
        monkeypatch.setattr(engine, "read_gpu", lambda _index: "orin-sm87-16sm")
        monkeypatch.setattr(engine, "read_tensorrt", lambda: Version(10, 3, 0))
        monkeypatch.setenv("NASION_ENGINES", str(tmp_path / "engines"))
        yield real
        assert real.broken() == []


@pytest.fixture
def stage(spot_model: Path) -> Stage:
    return Stage(spot_model)
