"""What stands at the top of each element is true: pads, properties, and a line that runs as it is."""

from __future__ import annotations

import ast
import json
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any, Callable, Iterator

import cv2
import pytest
from nasion.mqtt.broker import PrivateBroker

from tests.elements.conftest import ELEMENTS, PATIENCE_S, PLUGINS, Launched, environment

ROOT = PLUGINS.parent
RECIPES = (ROOT / "scripts" / "gst-launch.md").read_text()
#: Not properties of ours.
INHERITED = {"name", "parent", "qos", "blocksize", "do-timestamp", "num-buffers", "typefind", "automatic-eos"}


def header(element: str) -> str:
    return ast.get_docstring(ast.parse((PLUGINS / "python" / f"{element}.py").read_text())) or ""


def launch_line(element: str) -> str:
    """The command at the end of the header; its continuations are indented further."""
    found = re.search(r"^    (gst-launch-1\.0 .*?)\Z", header(element), re.MULTILINE | re.DOTALL)
    assert found, f"{element} has no launch line"
    return " ".join(found[1].split())


def told_properties(element: str) -> dict[str, str]:
    section = header(element).partition("\nProperties\n")[2].partition("\n\n")[0]
    rows = [re.split(r"\s{2,}", line.strip()) for line in section.splitlines()]
    return {} if rows == [["none"]] else {row[0]: row[1] for row in rows}


def test_there_are_six_elements() -> None:
    assert [f"nasion{step}" for step in ("infer", "locate", "overlay", "publish", "range", "src")] == ELEMENTS


@pytest.mark.parametrize("element", ELEMENTS)
def test_gst_inspect_shows_what_the_header_says(element: str, launch: Callable[[str], Launched]) -> None:
    seen = launch(f"gst-inspect-1.0 {element}")

    assert (seen.code, seen.err) == (0, "")
    section = seen.out.partition("Element Properties:")[2]
    shown = dict(re.findall(r"^  ([a-z-]+)\s+: .*?\n((?:\s{8,}.*\n?)+)", section, re.MULTILINE))
    ours = {name: text for name, text in shown.items() if name not in INHERITED}
    told = told_properties(element)
    assert set(ours) == set(told)
    for name, text in ours.items():
        assert same_range(told[name], text), f"{element}: {name}: header {told[name]!r}, element {text!r}"
        assert same_default(told[name], text), f"{element}: {name}: header {told[name]!r}, element {text!r}"
    for pad in ("sink", "src"):
        line = re.search(rf"^    {pad}\s+always", header(element), re.MULTILINE)
        assert bool(line) == (f"template: '{pad}'" in seen.out)


def same_range(told: str, shown: str) -> bool:
    """``told``: "1..64, 1", "number > 0, 0.7", "text, cam0"."""
    found = re.search(r"(Integer|Double|Boolean|String)(?:\. Range:\s+(\S+) -\s+(\S+))?", shown)
    assert found, shown
    kind, low, high = found.groups()
    limits = re.match(r"([\d.]+?)\.\.([\d.]+)", told)
    if limits:
        return (float(low), float(high)) == (float(limits[1]), float(limits[2]))
    if told.startswith("number"):
        return kind == "Double" and float(low) == 0
    return kind == ("Boolean" if told.startswith("true or false") else "String")


def same_default(told: str, shown: str) -> bool:
    found = re.search(r"Default:\s+(\S+)", shown)
    assert found, shown
    default = found[1].strip('"')
    said = told.rpartition(", ")[2]
    if default == "null":
        # What holds then is said in words, or found out when the element starts.
        return not re.fullmatch(r"[\d.]+", said)
    try:
        return float(said) == float(default)
    except ValueError:
        return said == default


@pytest.mark.parametrize("element", ELEMENTS)
def test_the_launch_line_runs(
    element: str, launch: Callable[[str], Launched], tmp_path: Path, broker: PrivateBroker
) -> None:
    line = launch_line(element)
    assert element in line
    done = launch(line.replace("127.0.0.1:1883", f"127.0.0.1:{broker.port}"))

    assert done.code == 0, done.err
    assert "ERROR" not in done.out + done.err
    assert "CRITICAL" not in done.err
    assert "Traceback" not in done.err
    written = re.search(r"location=(\S+)", line)
    if written:
        assert frames_in(tmp_path / written[1]) > 0


def frames_in(video: Path) -> int:
    opened = cv2.VideoCapture(str(video))
    count = 0
    while opened.read()[0]:
        count += 1
    return count


def recipes() -> list[Any]:
    """(headline, command) of each block of the page that is for a machine without a GPU."""
    blocks = re.findall(r"^### (.+?)\n(.*?)```sh\n(.*?)```", RECIPES, re.MULTILINE | re.DOTALL)
    return [pytest.param(command, id=title) for title, _, command in blocks if " nv" not in command]


@pytest.mark.parametrize("command", recipes())
def test_the_recipes_run(command: str, registry: Path, tmp_path: Path, broker: PrivateBroker) -> None:
    """As they stand, in a folder that looks like the repository."""
    for name in ("plugins", "deepstream_configs", "weights", "scripts", ".venv"):
        (tmp_path / name).symlink_to(ROOT / name)
    done = subprocess.run(
        ["bash", "-ec", command.replace("127.0.0.1:1883", f"127.0.0.1:{broker.port}")],
        env=environment(registry),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    for video in re.findall(r"filesink location=(\S+)", command):
        assert frames_in(tmp_path / video) > 0, video


def test_the_recipes_name_the_properties_that_there_are(launch: Callable[[str], Launched]) -> None:
    """Also those for a GPU: NVIDIA's by the facts about them, ours by the headers, GStreamer's by gst-inspect."""
    facts = json.loads((ROOT / "tests" / "fixtures" / "elements.json").read_text())["elements"]
    known = {"nvstreammux": facts["nvstreammux (legacy, default)"]["properties"]}
    known |= {name: about["properties"] for name, about in facts.items() if name.startswith("nv") and " " not in name}
    known |= {name: told_properties(name) for name in ELEMENTS}
    checked = 0
    for name, properties in used_elements():
        if name not in known:
            shown = launch(f"gst-inspect-1.0 {name}").out
            known[name] = dict.fromkeys(re.findall(r"^  ([a-z-]+)\s+: ", shown, re.MULTILINE))
            assert shown, f"there is no element {name}"
        unknown = set(properties) - set(known[name]) - INHERITED
        assert not unknown, f"{name} has no {unknown}"
        checked += len(properties)
    assert checked >= 40


def used_elements() -> Iterator[tuple[str, list[str]]]:
    """(factory, names of properties) of every element in every command of the page."""
    for block in re.findall(r"```sh\n(.*?)```", RECIPES, re.DOTALL):
        for command in re.findall(r"gst-launch-1\.0 (.*)", block.replace("\\\n", " ")):
            yield from elements_of(shlex.split(command.partition(" | ")[0]))


def elements_of(words: list[str]) -> Iterator[tuple[str, list[str]]]:
    factory, properties = "", list[str]()
    linked = True
    for word in words:
        if word == "!" or re.fullmatch(r"\w+\.\w*", word):
            linked = True
        elif word.startswith("-") or (linked and "/" in word.partition(",")[0]):
            linked = False
        elif "=" in word and not linked:
            properties.append(word.partition("=")[0])
        else:
            if factory:
                yield factory, properties
            factory, properties, linked = word, [], False
    yield factory, properties
