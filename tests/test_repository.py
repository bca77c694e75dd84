"""What holds for the whole tree: the robot's Python can run it, its parts stay apart, the README tells the truth."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import pytest
import typer
import yaml
from nasion.cli.main import app
from nasion.core.results import FrameReason, PersonReason
from nasion.core.views import INPUT_SIZES
from nasion.errors import NasionError
from nasion.messages import PersonMessage
from nasion.settings import RunSettings
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
RUN_TIME = sorted((ROOT / "plugins").rglob("*.py"))
SCRIPTS = sorted(path for folder in ("scripts", ".ci") for path in (ROOT / folder).iterdir() if not path.suffix)
#: Made by tools, not by people.
MADE = {"build", "runs", "nasion.egg-info", "__pycache__"}


Scope = TypeVar("Scope", ast.FunctionDef, ast.ClassDef)


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


def committed_texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the tree; what begins with a dot belongs to tools, except for what CI runs."""
    for folder, below, files in os.walk(ROOT):
        below[:] = [name for name in below if name not in MADE and (not name.startswith(".") or name == ".ci")]
        for name in files:
            try:
                yield Path(folder, name), Path(folder, name).read_text(encoding="utf-8")
            except UnicodeDecodeError:
                continue


#: Generic only since 3.9.
NOT_YET_GENERIC = {"list", "dict", "tuple", "set", "frozenset", "type", "deque", "defaultdict", "Counter"}
#: typing has these only since 3.9 or later; typing_extensions has them.
NOT_YET_IN_TYPING = {"Annotated", "Never", "NotRequired", "ParamSpec", "Required", "Self", "TypeAlias", "TypeGuard"}
#: Functions, methods and their arguments that came after 3.8.
NOT_YET_METHODS = {"removeprefix", "removesuffix", "is_relative_to", "bit_count", "with_stem", "pairwise"}
NOT_YET_ARGUMENTS = {"zip": {"strict"}, "dataclass": {"slots", "kw_only"}}


class TestRunTime:
    """plugins/ works with the oldest Jetson image, Python 3.8, and without the workshop."""

    def test_it_is_written_in_python_3_8(self) -> None:
        found = []
        for path in RUN_TIME:
            tree = ast.parse(path.read_text(), str(path), feature_version=(3, 8))
            found += [f"{named(path)} {what}" for what in newer_features(tree)]
        assert found == []

    @pytest.mark.parametrize(
        "text",
        [
            "def f(x: list[int]) -> None: ...",
            "def f(x: int | None) -> None: ...",
            "class A:\n    x: dict[str, int]",
            "Names = tuple[str, ...]",
            "from typing import Self",
            "zip(a, b, strict=True)",
            "'abc'.removeprefix('a')",
        ],
    )
    def test_the_check_sees_what_is_too_new(self, text: str) -> None:
        assert list(newer_features(ast.parse(text)))

    @pytest.mark.parametrize(
        "text",
        [
            "from __future__ import annotations\ndef f(x: list[int] | None) -> None: ...",
            "def f() -> None:\n    x: list[int] = []",
            "def f(x: 'tuple[str, ...]') -> None: ...",
            "a = b[0] | c",
        ],
    )
    def test_the_check_lets_pass_what_3_8_never_evaluates(self, text: str) -> None:
        assert not list(newer_features(ast.parse(text)))

    def test_it_needs_nothing_of_the_workshop(self) -> None:
        workshop = {"torch", "torchvision", "lightning", "onnx", "training", "export"}
        assert [named(path) for path in RUN_TIME if {name.split(".")[0] for name in imports(path)} & workshop] == []

    def test_the_core_is_pure(self) -> None:
        """It knows arrays, settings and messages; no GStreamer, no broker, no clock, no file, and no part around it."""
        for path in (path for path in RUN_TIME if path.parent.name == "core"):
            names = imports(path)
            assert not names & {"gi", "paho", "os", "io", "time", "datetime", "socket", "pathlib", "subprocess"}, path
            ours = {name for name in names if name.startswith("nasion.")}
            assert all(name.startswith(("nasion.core", "nasion.settings", "nasion.messages")) for name in ours), path


def imports(path: Path) -> set[str]:
    """The modules that ``path`` imports when it runs, as they are written."""
    names = set()
    nodes: list[ast.AST] = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            nodes += ast.iter_child_nodes(node)
    return names


def newer_features(tree: ast.Module) -> Iterator[str]:
    """What Python 3.8 would stumble over when it runs the module."""
    evaluated = Evaluated(tree)
    evaluated.visit(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and getattr(node.value, "id", None) in NOT_YET_GENERIC:
            yield f"line {node.lineno}: {ast.unparse(node)} is evaluated"
        elif isinstance(node, ast.ImportFrom) and node.module == "typing":
            newer = NOT_YET_IN_TYPING & {alias.name for alias in node.names}
            yield from (f"line {node.lineno}: take {name} from typing_extensions" for name in newer)
        elif isinstance(node, ast.Attribute) and node.attr in NOT_YET_METHODS:
            yield f"line {node.lineno}: .{node.attr}"
        elif isinstance(node, ast.Call):
            words = NOT_YET_ARGUMENTS.get(getattr(node.func, "id", ""), set())
            yield from (f"line {node.lineno}: {word.arg}=" for word in node.keywords if word.arg in words)
    for node in (part for annotation in evaluated.kept for part in ast.walk(annotation)):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
            yield f"line {node.lineno}: X | Y is evaluated"


class Evaluated(ast.NodeTransformer):
    """Removes the annotations that Python does not evaluate; ``kept`` are those that it does."""

    def __init__(self, tree: ast.Module) -> None:
        self.kept: list[ast.expr] = []
        self._postponed = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in tree.body)
        self._in_function = False

    def _judged(self, annotation: ast.expr | None, evaluated: bool = True) -> ast.expr | None:
        if annotation is None or self._postponed or not evaluated:
            return None
        self.kept.append(annotation)
        return annotation

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = self._judged(node.annotation)
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AnnAssign:
        node.annotation = self._judged(node.annotation, not self._in_function) or ast.Constant(None)
        self.generic_visit(node)
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.returns = self._judged(node.returns)
        return self._inside(node, in_function=True)

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.ClassDef:
        return self._inside(node, in_function=False)

    def _inside(self, node: Scope, in_function: bool) -> Scope:
        outer, self._in_function = self._in_function, in_function
        self.generic_visit(node)
        self._in_function = outer
        return node


class TestTexts:
    @pytest.mark.parametrize("path", SCRIPTS, ids=named)
    def test_scripts_can_be_started_as_they_are(self, path: Path) -> None:
        assert os.access(path, os.X_OK)
        assert path.read_text().startswith("#!/usr/bin/env bash\n")

    def test_no_text_names_the_place_it_was_written_at(self) -> None:
        places = [str(place) for place in (ROOT, Path.home()) if len(place.parts) > 2] + ["/home/", "/Users/"]
        found = [named(path) for path, text in committed_texts() if path != Path(__file__) and has_any(text, places)]
        assert found == []

    def test_no_text_names_where_packages_come_from(self) -> None:
        """That is the machine's own setting; a name here would break those who have another."""
        source = re.compile(r"--(extra-)?index[-_]url|--find[-_]links|https?://[\w.-]*(registry|mirror|/simple)")
        assert [named(path) for path, text in committed_texts() if source.search(text) and path != Path(__file__)] == []

    def test_the_licence_is_here_and_the_package_says_the_same(self) -> None:
        assert re.search(r"Apache License\s+Version 2\.0", (ROOT / "LICENSE").read_text())
        assert 'license = { text = "Apache-2.0" }' in (ROOT / "pyproject.toml").read_text()

    def test_every_dependency_is_in_the_notices(self) -> None:
        notices = (ROOT / "THIRD_PARTY_NOTICES.md").read_text().lower().replace(" ", "")
        project = (ROOT / "pyproject.toml").read_text().partition("[project]")[2].partition("[project.scripts]")[0]
        names = re.findall(r'^    "([\w-]+)|= \["([\w-]+)[>=]', project, re.MULTILINE)
        packages = {first or second for first, second in names}
        assert {"numpy", "onnxruntime", "scikit-image", "torch", "pytest"} <= packages
        assert [name for name in packages if name.lower() not in notices] == []


def has_any(text: str, parts: list[str]) -> bool:
    return any(part in text for part in parts)


class TestReadme:
    def test_its_links_lead_somewhere_and_its_pictures_are_small(self) -> None:
        links = [link for link in re.findall(r"\]\(([^)#]+)\)", README) if "://" not in link]
        assert "LICENSE" in links
        for link in links:
            assert (ROOT / link).is_file(), link
            assert (ROOT / link).stat().st_size < 300_000, link

    def test_every_folder_has_its_line(self) -> None:
        folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")} - MADE
        assert [name for name in sorted(folders) if f"`{name}/" not in README] == []

    def test_its_commands_exist(self) -> None:
        commands = typer.main.get_group(app).commands
        checked = 0
        for line in shell_lines():
            words = shlex.split(line, comments=True)
            if not words:
                continue
            program = words[0]
            if program.startswith(("scripts/", ".venv/bin/")) and program != ".venv/bin/nasion":
                assert os.access(ROOT / program, os.X_OK), line
            if program == ".venv/bin/nasion":
                known = {name for parameter in commands[words[1]].params for name in parameter.opts}
                assert {word for word in words[2:] if word.startswith("--")} <= known, line
                checked += 1
        assert checked >= 7

    def test_its_message_is_one(self) -> None:
        block = re.search(r"<!-- message -->\n```json\n(.*?)```", README, re.DOTALL)
        assert block
        message = PersonMessage.model_validate_json(block[1])
        assert message.persons
        assert json.loads(message.to_json()) == json.loads(block[1])

    @pytest.mark.parametrize(
        ("head", "reasons"), [("reason of a frame", FrameReason), ("reason of a person", PersonReason)]
    )
    def test_it_explains_every_reason(self, head: str, reasons: type[FrameReason] | type[PersonReason]) -> None:
        assert [row[0] for row in table(head)] == [f"`{reason.value}`" for reason in reasons]

    def test_it_explains_every_exit_code(self) -> None:
        kinds_of_error: list[type[NasionError]] = [NasionError, *NasionError.__subclasses__()]
        codes = {kind.exit_code for kind in kinds_of_error}
        assert [int(row[0]) for row in table("exit code")] == sorted(codes | {0})

    def test_it_shows_every_view(self) -> None:
        shown = {row[0].strip("`"): row[2] for row in table("view")}
        assert shown == {view: f"{width} x {height}" for view, (height, width) in INPUT_SIZES.items()}

    def test_it_lists_every_setting_with_its_default(self) -> None:
        assert [tuple(row) for row in table("setting")] == list(setting_rows(RunSettings))

    def test_its_configuration_is_one(self) -> None:
        block = re.search(r"```yaml\n(.*?)```", README, re.DOTALL)
        assert block
        assert RunSettings.model_validate(yaml.safe_load(block[1])).cameras[0].name == "front"


def shell_lines() -> Iterator[str]:
    for block in re.findall(r"```sh\n(.*?)```", README, re.DOTALL):
        yield from block.replace("\\\n", " ").splitlines()


def table(head: str) -> list[list[str]]:
    """The rows below the table head whose first cell is ``head``."""
    lines = iter(README.splitlines())
    for line in lines:
        if line.startswith(f"| {head} |"):
            break
    next(lines)
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]])
    return rows


def setting_rows(model: type[BaseModel], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """(name, default, meaning) of every setting as the README shows them."""
    for name, field in model.model_fields.items():
        below = [kind for kind in kinds(field.annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
        if field.description:
            yield f"`{prefix}{name}`", shown(field.default), field.description.replace("|", "\\|")
        for kind in below:
            listed = "[]" if "List" in str(field.annotation) else ""
            yield from setting_rows(kind, f"{prefix}{name}{listed}.")


def kinds(annotation: Any) -> Iterator[Any]:
    yield annotation
    for argument in get_args(annotation):
        yield from kinds(argument)


def shown(default: Any) -> str:
    if default is PydanticUndefined:
        return "required"
    if default is None:
        return "–"
    value = list(default) if isinstance(default, tuple) else default
    return f"`{json.dumps(value).strip(chr(34))}`"
