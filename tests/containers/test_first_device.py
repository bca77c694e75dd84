"""What is to be tried on the first device can be typed as it stands there: commands and flags exist, files too."""

from __future__ import annotations

import re
import shlex

import pytest
import typer
from nasion.cli.main import app
from nasion.pipeline.flow import DROPS
from nasion.sources.zed.health import COUNTERS
from nasion.tensorrt.bench import bench
from nasion.tensorrt.build import build

from tests.doubles.nv_double import FACTS
from tests.scripts.conftest import REPOSITORY

PAGE = (REPOSITORY / "docker" / "FIRST_DEVICE.md").read_text()
ROWS = [tuple(cell.strip() for cell in line.strip("|").split(" | ")) for line in re.findall(r"^\| \d.*$", PAGE, re.M)]
QUOTED = re.findall(r"`([^`]+)`", re.sub("```.*?```", "", PAGE, flags=re.DOTALL))


def flags_of(command: object) -> set[str]:
    own = typer.Typer()
    own.command()(command)  # type: ignore[type-var]
    return {flag for parameter in typer.main.get_command(own).params for flag in parameter.opts}


KNOWN = {
    **{
        f"nasion {name}": {flag for parameter in command.params for flag in parameter.opts}
        for name, command in typer.main.get_group(app).commands.items()
    },
    "build_engine": flags_of(build),
    "bench_trt": flags_of(bench),
}
#: Those of `docker compose run`.
ENGINES_OWN = {"--entrypoint"}


def test_rows_are_numbered_in_the_order_to_try_them_and_say_what_must_be_seen() -> None:
    assert all(len(row) == 3 and all(row) for row in ROWS)
    numbers = [tuple(map(int, number.split("."))) for number, _, _ in ROWS]
    sections = [int(number) for number in re.findall(r"^## (\d)\.", PAGE, re.MULTILINE)]
    assert sections == list(range(1, len(sections) + 1))
    for section in sections:
        own = [row for part, row in numbers if part == section]
        assert own == list(range(1, len(own) + 1))
    assert numbers == sorted(numbers)


@pytest.mark.parametrize("command", [text for text in QUOTED if text.startswith("$RUN ")])
def test_its_commands_have_the_flags_that_they_are_given(command: str) -> None:
    program = next((name for name in KNOWN if re.search(rf"\b{name}\b", command)), "")
    asked = set(re.findall(r"(?<= )--[a-z-]+", command)) - ENGINES_OWN
    assert asked <= KNOWN.get(program, set())
    assert program or "--entrypoint" in command
    shlex.split(command)


def test_flags_that_stand_alone_are_those_of_some_command() -> None:
    alone = {flag for text in QUOTED if text.startswith("--") for flag in re.findall(r"--[a-z-]+", text)}
    assert alone <= set().union(*KNOWN.values())
    assert len(alone) >= 5


def test_the_counters_that_it_names_are_counted() -> None:
    named = {text for text in QUOTED if re.fullmatch(r"[a-z]+(_[a-z]+)+|lost|unknown", text)}
    fields = {"fps_in", "fps_out", "covariance_m2", "capture_delay_ms", "captured_at", "buf_pts", "too_near"}
    assert named - fields - {"runtime_only"} <= {*DROPS, *COUNTERS}
    assert len(named & {*DROPS, *COUNTERS}) >= 5


def test_the_files_that_it_names_are_there() -> None:
    folders = "docker|scripts|deepstream_configs|plugins"
    named = {path for text in QUOTED for path in re.findall(rf"(?:(?<=^)|(?<= ))(?:{folders})/[\w./*-]*", text)}
    assert len(named) >= 4
    for path in named:
        assert list(REPOSITORY.glob(path.rstrip("/"))), path


def test_the_scalers_methods_that_it_names_are_there() -> None:
    methods = set(FACTS["nvvideoconvert"]["properties"]["interpolation-method"]["enum"])
    assert {str(number) for number in range(1, 6)} < methods
