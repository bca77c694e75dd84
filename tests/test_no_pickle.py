"""Nothing that the run time reads can run code: no pickle in any form, no unsafe YAML, no model but ONNX."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PLUGINS = Path(__file__).parents[1] / "plugins"

#: Modules that load objects, and so run whatever a file says.
RUNS_CODE = {
    "pickle",
    "_pickle",
    "cPickle",
    "pickletools",
    "shelve",
    "marshal",
    "dill",
    "cloudpickle",
    "joblib",
    "torch",
}
#: The calls that would, by their last name, each with what makes it harmless.
HARMLESS_WITH = {"np.load": "allow_pickle=False", "numpy.load": "allow_pickle=False"}
NEVER = {"eval", "exec", "yaml.unsafe_load", "yaml.full_load", "yaml.load_all", "np.loads", "numpy.loads"}


def findings(tree: ast.AST) -> Iterator[str]:
    """What in a module could run code out of a file."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from _imported([alias.name for alias in node.names], node.lineno)
        elif isinstance(node, ast.ImportFrom):
            yield from _imported([node.module or ""], node.lineno)
            if node.module in ("numpy", "yaml") and {alias.name for alias in node.names} & {"load", "unsafe_load"}:
                yield f"line {node.lineno}: call {node.module}.load by its whole name"
        elif isinstance(node, ast.ClassDef):
            bases = {ast.unparse(base) for base in node.bases}
            if any(base.startswith("yaml.") and base.endswith("Loader") for base in bases - {"yaml.SafeLoader"}):
                yield f"line {node.lineno}: {node.name} is no safe loader"
        elif isinstance(node, ast.Call):
            yield from _called(node)


def _imported(names: list[str], line: int) -> Iterator[str]:
    yield from (f"line {line}: import {name}" for name in names if name.split(".")[0] in RUNS_CODE)


def _called(call: ast.Call) -> Iterator[str]:
    name = ast.unparse(call.func)
    if name in NEVER:
        yield f"line {call.lineno}: {name}"
    if name in ("__import__", "importlib.import_module") and call.args:
        yield from _imported([ast.unparse(call.args[0]).strip("'")], call.lineno)
    words = {f"{word.arg}={ast.unparse(word.value)}" for word in call.keywords}
    if name in HARMLESS_WITH and HARMLESS_WITH[name] not in words:
        yield f"line {call.lineno}: {name} without {HARMLESS_WITH[name]}"
    if "allow_pickle=True" in words:
        yield f"line {call.lineno}: {name} with allow_pickle=True"
    if name == "yaml.load" and "_Loader" not in ast.unparse(call) and "SafeLoader" not in ast.unparse(call):
        yield f"line {call.lineno}: yaml.load without a safe loader"


def test_nothing_in_the_run_time_can() -> None:
    files = sorted(PLUGINS.rglob("*.py"))
    assert len(files) > 50
    found = [f"{path.relative_to(PLUGINS)} {what}" for path in files for what in findings(ast.parse(path.read_text()))]
    assert found == []


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "def f():\n    import torch.nn as nn",
        "from joblib import load",
        "importlib.import_module('dill')",
        "np.load(path)",
        "numpy.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=flag)",
        "from numpy import load",
        "np.savez(path, allow_pickle=True)",
        "yaml.load(text)",
        "yaml.load(text, yaml.Loader)",
        "class _Loader(yaml.Loader): ...",
        "yaml.unsafe_load(text)",
        "eval(text)",
    ],
)
def test_the_check_sees_it(text: str) -> None:
    assert list(findings(ast.parse(text)))


@pytest.mark.parametrize(
    "text",
    ["import json", "np.load(path, allow_pickle=False)", "yaml.safe_load(text)", "class _Loader(yaml.SafeLoader): ..."],
)
def test_the_check_lets_pass_what_cannot(text: str) -> None:
    assert not list(findings(ast.parse(text)))
