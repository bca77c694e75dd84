"""The two forms of an nvinfer file, as nvinfer tells and reads them: YAML by the ending of its name, or a key file."""

import configparser
from pathlib import Path
from typing import Any, Dict

from nasion.config.yaml_text import NotYamlError, parse_words
from nasion.errors import InputError
from nasion.files import read_text

#: Groups, their keys, and what stands there, as it is written.
Groups = Dict[str, Dict[str, str]]

#: nvinfer's files are some kilobytes; a larger one is something else.
MAX_BYTES = 1 << 20

#: nvinfer goes by these, capitals and all.
_YAML_ENDINGS = (".yml", ".yaml")


def is_yaml(path: Path) -> bool:
    """Whether nvinfer takes the file for YAML."""
    return path.name.endswith(_YAML_ENDINGS)


def read_groups(path: Path) -> Groups:
    """InputError where it is neither, or nvinfer would not read it."""
    too_large = f"{MAX_BYTES} bytes; this is no nvinfer configuration file"
    text = read_text(path, MAX_BYTES, what="nvinfer file", too_large=too_large)
    return _of_yaml(path, text) if is_yaml(path) else _of_key_file(path, text)


def _of_key_file(path: Path, text: str) -> Groups:
    """Comments only at the start of a line; text after a value is part of it."""
    parser = configparser.RawConfigParser(
        delimiters=("=",), comment_prefixes=("#",), inline_comment_prefixes=None, default_section=""
    )
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        # Stripped lines, because configparser would take an indented one as the continuation of a value.
        parser.read_string("\n".join(line.strip() for line in text.splitlines()), str(path))
    except configparser.Error as error:
        hint = f"; name it {path.stem}.yml, for nvinfer goes by that" if _is_group_of_yaml(text) else ""
        raise InputError(f"nvinfer file {path}: {' '.join(error.message.split())}{hint}") from None
    return {name: dict(parser.items(name)) for name in parser.sections()}


def _is_group_of_yaml(text: str) -> bool:
    return any(line.rstrip() == "property:" for line in text.splitlines())


def _of_yaml(path: Path, text: str) -> Groups:
    """Every value is what stands there: nvinfer takes numbers from their text, and lists from one such as 3;288;480."""
    hint = f"; name a key file {path.stem}.txt, for nvinfer goes by that" if "[property]" in text else ""
    try:
        tree = parse_words(text)
    except NotYamlError as error:
        raise InputError(f"nvinfer file {path}: not readable as YAML: {error}{hint}") from None
    if not isinstance(tree, dict):
        raise InputError(f"nvinfer file {path}: expected groups with keys, `property:` first{hint}")
    return {str(name): _keys(path, str(name), group) for name, group in tree.items()}


def _keys(path: Path, name: str, group: Any) -> Dict[str, str]:
    if group == "":
        return {}
    if not isinstance(group, dict):
        raise InputError(f"{path}: {name}: expected keys with values, one a line, indented")
    for key, value in group.items():
        if isinstance(value, list):
            written = ";".join(one if isinstance(one, str) else "…" for one in value)
            raise InputError(f"{path}: {key}: nvinfer reads no list of YAML; write {key}: {written}")
        if not isinstance(value, str):
            raise InputError(f"{path}: {key}: expected a value, not more keys")
    return {str(key): value for key, value in group.items()}
