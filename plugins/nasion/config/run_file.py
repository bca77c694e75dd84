"""The YAML configuration and the flags that override it, to `RunSettings`; what is wrong becomes one clear line."""

import re
import reprlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Type, Union
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from nasion.config.nearest import did_you_mean
from nasion.config.yaml_text import NotYamlError, parse_yaml
from nasion.errors import InputError
from nasion.files import NotTextError, read_limited, text_of
from nasion.paths import expanded
from nasion.redaction import hide_password
from nasion.settings import CameraSettings, RunSettings
from nasion.sources.uri import FORMS, parse_uri

#: Place of a setting, e.g. ("mqtt", "prefix"); numbers count the entries of a list.
Place = Tuple[Union[str, int], ...]

#: A configuration has some hundred lines; a larger file is something else.
MAX_BYTES = 1 << 20

#: Source schemes that name a file or a folder; a source without a scheme is a path, too.
PATH_SCHEMES = ("pairs", "sbs", "rgbd", "svo", "mcap")

#: A source without quotes up to its colon.
_BARE_SOURCE = re.compile(rf"\bsource:\s+({'|'.join(FORMS)})$")
_SOURCE_HINT = '; a source with a colon at its end, or a space behind it, needs quotes: "demo:"'

#: Name of a camera that is given none.
DEFAULT_NAME: str = CameraSettings.model_fields["name"].default


@dataclass(frozen=True)
class Override:
    """A flag that was given: its name as typed, the place of its setting, its value."""

    flag: str
    place: Place
    value: Any


def run_settings(file: Optional[Path], overrides: Sequence[Override] = (), sources: Sequence[str] = ()) -> RunSettings:
    """Settings of a run from ``file`` (none: only defaults) and flags, which win.

    ``sources``: the values of --source, ``[NAME=]URI``; where there are any, the file's cameras are left out, but a
    camera of the same name keeps its other settings. Relative paths in the file count from its folder. InputError names
    the file or flag, the key, what it says and what was expected.
    """
    file = None if file is None else expanded(file)
    tree = {} if file is None else _anchored(_read(file), file.parent)
    if sources:
        overrides = [*overrides, Override("--source", ("cameras",), _cameras(tree, sources))]
    for override in overrides:
        _put(tree, override)
    try:
        return RunSettings.model_validate(tree)
    except ValidationError as error:
        # What is missing comes last: most often it stands there under a misspelt key.
        first = min(error.errors(), key=lambda one: one["type"] == "missing")
        raise InputError(hide_password(_explain(first, file, overrides))) from None


def _read(file: Path) -> Dict[str, Any]:
    too_large = f"{MAX_BYTES} bytes; expected a YAML file"
    content = read_limited(file, MAX_BYTES, what="configuration", too_large=too_large)
    try:
        tree = parse_yaml(text_of(content))
    except NotYamlError as fault:
        hint = _SOURCE_HINT if fault.place is not None and _is_bare_source(text_of(content), *fault.place) else ""
        raise InputError(f"configuration {file}: not readable as YAML: {fault}{hint}") from None
    except NotTextError as error:
        raise InputError(f"configuration {file}: not readable as YAML: {error}") from None
    if tree is None:
        return {}
    if not isinstance(tree, dict):
        raise InputError(f"configuration {file} holds a {type(tree).__name__}; expected keys with values, `key: value`")
    return tree


def _is_bare_source(text: str, line: int, column: int) -> bool:
    """Whether YAML stumbled over the colon of a source: `source: demo:` is what one would write, and to YAML the second
    colon begins another mapping."""
    lines = text.splitlines()
    return line < len(lines) and _BARE_SOURCE.search(lines[line][:column]) is not None


def _anchored(tree: Dict[str, Any], folder: Path) -> Dict[str, Any]:
    """The tree with its relative paths made to count from ``folder``; what is malformed is left to the validation."""
    for key in ("nvinfer", "model", "save"):
        if isinstance(tree.get(key), str):
            tree[key] = _anchored_path(tree[key], folder)
    for part, keys in (("mqtt", ("password_file", "ca_file", "cert_file", "key_file")), ("remote", ("persist",))):
        below = tree.get(part)
        if isinstance(below, dict):
            for key in keys:
                if isinstance(below.get(key), str):
                    below[key] = _anchored_path(below[key], folder)
    cameras = tree.get("cameras")
    for camera in cameras if isinstance(cameras, list) else ():
        if not isinstance(camera, dict):
            continue
        source = _joined_source(camera.get("source"))
        if isinstance(source, str):
            camera["source"] = _anchored_source(source, folder)
    return tree


def _anchored_path(text: str, folder: Path) -> str:
    return str(folder / expanded(text)) if text else text


def _joined_source(source: Any) -> Any:
    """`source: {demo: }`, as YAML takes a source with a colon at its end apart, is that source again."""
    if isinstance(source, dict) and len(source) == 1:
        ((scheme, target),) = source.items()
        if scheme in FORMS and (target is None or isinstance(target, str)):
            return f"{scheme}:{target or ''}"
    return source


def _anchored_source(text: str, folder: Path) -> str:
    """The source with its path, and that of its calibration, made to count from ``folder``."""
    if (folder / expanded(text)).exists():
        return str(folder / expanded(text))
    try:
        uri = parse_uri(text)
    except InputError:
        return text
    if uri.scheme is not None and uri.scheme not in PATH_SCHEMES:
        return text
    options = dict(uri.options)
    if "calibration" in options:
        options["calibration"] = _anchored_path(options["calibration"], folder)
    query = "&".join(f"{name}={quote(value)}" for name, value in options.items())
    return f"{uri.scheme + ':' if uri.scheme else ''}{folder / expanded(uri.target)}{'?' if query else ''}{query}"


def _cameras(tree: Dict[str, Any], sources: Sequence[str]) -> List[Dict[str, Any]]:
    """The cameras that --source names, each on top of what the file says of a camera of that name."""
    listed = tree.get("cameras")
    told = [camera for camera in listed if isinstance(camera, dict)] if isinstance(listed, list) else []
    cameras = []
    for source in sources:
        name, uri = split_source(source)
        said = next((camera for camera in told if camera.get("name", DEFAULT_NAME) == name), {})
        cameras.append({**said, "name": name, "source": uri})
    return cameras


def split_source(source: str) -> Tuple[str, str]:
    """``[NAME=]URI`` to name and URI. What stands before ``=`` is a name where it cannot be part of a URI or path."""
    name, equals, uri = source.partition("=")
    if equals and not set(name) & set(":/?\\"):
        return name, uri
    return DEFAULT_NAME, source


def _put(tree: Dict[str, Any], override: Override) -> None:
    """Set a value in the tree, making the mappings on the way."""
    node = tree
    for part in override.place[:-1]:
        below = node.setdefault(str(part), {})
        if not isinstance(below, dict):
            return
        node = below
    node[str(override.place[-1])] = override.value


def _explain(error: Mapping[str, Any], file: Optional[Path], overrides: Sequence[Override]) -> str:
    """One line for the first thing that is wrong."""
    place: Place = tuple(error["loc"])
    key = ".".join(str(part) for part in place)
    flag = next((given.flag for given in overrides if given.place == place[: len(given.place)]), None)
    origin = flag or (f"configuration {file}" if file else "settings")
    message = str(error["msg"]).replace("Value error, ", "", 1)
    if error["type"] == "extra_forbidden":
        return f"{origin}: unknown key {key!r}{did_you_mean(str(place[-1]), _known(place[:-1]))}"
    if error["type"] == "missing":
        if place == ("cameras",):
            return "no source is given; name one with --source, e.g. --source demo:, or in the configuration"
        return f"{origin}: {key} is missing"
    if isinstance(error["input"], (dict, list)) or not place:
        return f"{origin}: {f'{key}: ' if place else ''}{message}"
    where = "" if flag else f"{key} = "
    # Hidden before it is shortened: what is left of an address then is not known for one.
    given = hide_password(error["input"]) if isinstance(error["input"], str) else error["input"]
    hint = "; quote it where it is a word" if error["type"] == "string_type" and not flag else ""
    return f"{origin}: {where}{reprlib.repr(given)}: {message}{hint}"


def _known(place: Place) -> List[str]:
    """Keys that the settings know at ``place``."""
    model: Type[BaseModel] = RunSettings
    for part in place:
        if isinstance(part, int):
            continue
        model = _model_in(model.model_fields[part].annotation) or model
    return list(model.model_fields)


def _model_in(annotation: Any) -> Optional[Type[BaseModel]]:
    """The settings class in an annotation such as Optional[MountSettings] or List[CameraSettings]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = [_model_in(argument) for argument in getattr(annotation, "__args__", ())]
    return next((model for model in found if model is not None), None)
