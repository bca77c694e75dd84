"""`nasion schema` prints the contract and writes its files."""

import json
from pathlib import Path
from typing import Tuple

import pytest
import yaml
from nasion.cli.schema import files
from nasion.mqtt.contract import DIALECT, payload_names

from tests.program import Command


@pytest.mark.parametrize("name", list(payload_names()))
def test_a_payloads_schema(nasion: Command, name: str) -> None:
    code, out, err = nasion("schema", name)
    assert (code, err) == (0, "")
    assert json.loads(out)["$schema"] == DIALECT


def test_without_a_name_they_are_listed(nasion: Command) -> None:
    code, out, _ = nasion("schema")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == list(payload_names())


def test_the_asyncapi_document(nasion: Command) -> None:
    code, out, err = nasion("schema", "--asyncapi")
    assert (code, err) == (0, "")
    assert yaml.safe_load(out)["asyncapi"] == "3.0.0"


def test_everything_is_written_where_it_is_asked_for(nasion: Command, tmp_path: Path) -> None:
    code, out, err = nasion("schema", "--write", str(tmp_path / "new"))
    assert (code, out, err.count("\n")) == (0, "", 1)
    written = {str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*") if path.is_file()}
    assert written == set(files())


def test_a_file_that_is_another_is_replaced_only_when_told_so(nasion: Command, tmp_path: Path) -> None:
    nasion("schema", "--write", str(tmp_path))
    assert nasion("schema", "--write", str(tmp_path))[0] == 0, "what is the same may be written again"
    mine = tmp_path / "asyncapi.yaml"
    mine.write_text("mine")
    (tmp_path / "schema" / "person.json").unlink()
    assert nasion("schema", "--write", str(tmp_path))[0] == 2
    assert mine.read_text() == "mine"
    assert not (tmp_path / "schema" / "person.json").exists()
    assert nasion("schema", "--write", str(tmp_path), "--force")[0] == 0
    assert mine.read_text() == files()["asyncapi.yaml"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("persons",), 2, "'persons' is no payload; expected one of person, status"),
        (("image",), 2, "'image' is no payload"),
        (("person", "--asyncapi"), 2, "exclude each other"),
        (("--asyncapi", "--write", "."), 2, "exclude each other"),
        (("--write", "/dev/null"), 1, "--write /dev/null: "),
    ],
)
def test_what_cannot_be_had_is_said_in_one_line(
    nasion: Command, arguments: Tuple[str, ...], code: int, said: str
) -> None:
    ended, out, err = nasion("schema", *arguments)
    assert (ended, out) == (code, "")
    assert said in err
    assert err.count("\n") == 1
