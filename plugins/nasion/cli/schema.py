"""``nasion schema``: the contract with receivers, printed or written to files."""

import json
from pathlib import Path
from typing import Any, Dict, Optional

import typer
import yaml
from typing_extensions import Annotated

from nasion.cli.completion import one_of
from nasion.cli.output import Lines, tell
from nasion.errors import InputError, NasionError
from nasion.files import require_new, write_whole
from nasion.mqtt.asyncapi import SCHEMAS, asyncapi
from nasion.mqtt.contract import json_schema, payload_names
from nasion.mqtt.tables import page

#: How the checked-in files are made again.
REGENERATE = "nasion schema --write docs --force"


def schema(
    name: Annotated[
        Optional[str],
        typer.Argument(
            metavar="[NAME]", help="The payload. Default: list them.", autocompletion=one_of(list(payload_names()))
        ),
    ] = None,
    as_asyncapi: Annotated[
        bool, typer.Option("--asyncapi", help="The AsyncAPI 3.0 document of all topics, as YAML.")
    ] = False,
    write: Annotated[
        Optional[Path],
        typer.Option(metavar="DIR", help="Write there asyncapi.yaml, schema/NAME.json and a page of tables."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="--write: replace files that are there already.")] = False,
) -> None:
    """Print the JSON Schema 2020-12 of a payload, or the AsyncAPI document, as receivers are promised them."""
    if sum((name is not None, as_asyncapi, write is not None)) > 1:
        raise InputError("NAME, --asyncapi and --write DIR exclude each other; give one of them")
    lines = Lines()
    if write is not None:
        _write(write, force)
    elif as_asyncapi:
        lines.write(asyncapi_text().rstrip("\n"))
    elif name is None:
        lines.write(*(f"{payload:18} {subject}" for payload, subject in payload_names().items()))
    elif name in payload_names():
        lines.write(schema_text(name).rstrip("\n"))
    else:
        raise InputError(f"{name!r} is no payload; expected one of {', '.join(payload_names())}")


def schema_text(name: str) -> str:
    """The JSON Schema of a payload, as its file holds it."""
    return json.dumps(json_schema(name), indent=2, ensure_ascii=False) + "\n"


def asyncapi_text() -> str:
    """The AsyncAPI document, as its file holds it."""
    text: str = yaml.dump(asyncapi(), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return f"# Made by `{REGENERATE}`.\n{text}"


def files() -> Dict[str, str]:
    """Every file of the contract: its place, and what it holds."""
    return {
        "asyncapi.yaml": asyncapi_text(),
        f"{SCHEMAS}/README.md": f"<!-- Made by `{REGENERATE}`. -->\n{page()}",
        **{f"{SCHEMAS}/{name}.json": schema_text(name) for name in payload_names()},
    }


def _write(folder: Path, force: bool) -> None:
    wanted = {folder / place: text.encode() for place, text in files().items()}
    try:
        for path, content in wanted.items():
            if not (force or (path.is_file() and path.read_bytes() == content)):
                require_new(path, what="folder", force="--force")
        (folder / SCHEMAS).mkdir(parents=True, exist_ok=True)
        for path, content in wanted.items():
            write_whole(path, content)
    except OSError as error:
        raise NasionError(f"--write {folder}: {error.strerror}: {error.filename}") from None
    tell(f"schema: wrote {len(wanted)} files in {folder}")


class _Dumper(yaml.SafeDumper):
    """Longer texts in blocks, and nothing by reference: YAML for people."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)
