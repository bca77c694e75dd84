"""What an engine says of itself through TensorRT's own package, which only one module knows."""

from __future__ import annotations

import ast
import sys
from pathlib import Path
from types import ModuleType

import pytest
from nasion.errors import DependencyError, InputError
from nasion.tensorrt.engine_facts import read_engine

from tests.tensorrt.tensorrt_double import install

PLUGINS = Path(__file__).parents[2] / "plugins"


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    path = tmp_path / "net.onnx_b2_gpu0_fp16.engine"
    path.write_bytes(b"an engine")
    return path


@pytest.mark.parametrize("detailed", [True, False])
def test_version_inputs_outputs_and_layers(engine: Path, detailed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, b"an engine", detailed)
    facts = read_engine(engine)
    assert facts.tensorrt == "8.5.2.2"
    assert [(one.name, one.type, one.shape) for one in facts.inputs] == [("input", "float", (-1, 3, -1, -1))]
    assert [one.name for one in facts.outputs] == ["heat_map"]
    assert facts.largest == {"input": (2, 3, 288, 480)}
    assert facts.layers == ["Conv_0 + PWN(Relu_1)", "heat_map"]


def test_an_engine_of_another_machine_is_told(engine: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, b"another engine")
    with pytest.raises(InputError, match=r"by TensorRT 8\.5\.2\.2 on this GPU.*--force"):
        read_engine(engine)


@pytest.mark.parametrize("module", [None, ModuleType("tensorrt")])
def test_without_the_package_the_way_to_get_it_is_told(
    module: ModuleType | None, engine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    with pytest.raises(DependencyError, match="python3-libnvinfer"):
        read_engine(engine)


def test_no_other_module_imports_it() -> None:
    importers = [
        path.name
        for path in PLUGINS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if (isinstance(node, ast.Import) and any(alias.name.split(".")[0] == "tensorrt" for alias in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tensorrt")
    ]
    assert importers == ["engine_facts.py"]
