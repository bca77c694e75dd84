"""Reads an nvinfer configuration file as nvinfer does, and refuses what the network must not be fed with."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Dict, Mapping, Optional

from typing_extensions import Literal

import nasion
from nasion.config.nearest import did_you_mean
from nasion.config.nvinfer_keys import CLASS_ATTRS_KEYS, PROPERTY_KEYS, KeyRule, Kind, Value
from nasion.config.nvinfer_text import is_yaml, read_groups
from nasion.core.views import INPUT_SIZES, ChannelOrder
from nasion.errors import InputError
from nasion.settings import View

PROPERTY = "property"
#: Where the nvinfer files of the released models lie.
FOLDER = "deepstream_configs"
CLASS_ATTRS = re.compile(r"class-attrs-(all|\d+)")

NetworkPrecision = Literal["fp32", "int8", "fp16", "best"]
#: What TensorRT computes with, by network-mode.
PRECISIONS: Dict[int, NetworkPrecision] = {0: "fp32", 1: "int8", 2: "fp16", 3: "best"}

EXPECTED: Dict[Kind, str] = {
    "int": "a whole number",
    "float": "a number",
    "bool": "0 or 1",
    "text": "a text",
    "ints": "whole numbers separated by ';'",
}


@dataclass(frozen=True)
class NvinferConfig:
    """What the network is and how it is fed.

    ``height``, ``width``: network input, pixels; ``color_format``: order of its channels. The rest only a GPU needs:
    ``precision``, the ``engine_file`` to load, whether a DLA is asked for, and all ``properties`` as they are written.
    """

    path: Path
    onnx_file: Path
    height: int
    width: int
    color_format: ChannelOrder
    batch_size: int = 1
    gpu_id: int = 0
    precision: NetworkPrecision = "fp32"
    engine_file: Optional[Path] = None
    dla: bool = False
    properties: Mapping[str, str] = field(default_factory=dict)

    def check_view(self, view: View) -> None:
        """InputError where this file feeds the network otherwise than ``view`` says."""
        height, width = INPUT_SIZES[view]
        if (self.height, self.width) != (height, width):
            raise InputError(
                f"{self.path}: infer-dims=3;{self.height};{self.width}, but view {view!r} needs 3;{height};{width}; "
                "take the file of that view or another --view"
            )


def default_nvinfer_file(view: View) -> Path:
    """The released file for ``view``; InputError where it is neither in a checkout nor in the installed package."""
    # In a checkout beside the package, in an installed one inside of it.
    package = Path(nasion.__file__).resolve().parent
    folders = (package.parents[1] / FOLDER, package / FOLDER)
    path = next((folder for folder in folders if folder.is_dir()), folders[0]) / f"nasion_{view}.txt"
    if not path.is_file():
        raise InputError(
            f"no nvinfer file for view {view!r} at {path}; run from the repository, or name one in the configuration: "
            "nvinfer: FILE"
        )
    return path


def read_nvinfer(path: Path) -> NvinferConfig:
    """Read and check ``path``, a key file or YAML; InputError names the key, what it says and what was expected."""
    groups = read_groups(path)
    if PROPERTY not in groups:
        raise InputError(f"{path}: the group [{PROPERTY}] is missing; this is no nvinfer configuration file")
    for name, keys in groups.items():
        if name != PROPERTY and not CLASS_ATTRS.fullmatch(name):
            raise InputError(
                f"{path}: unknown group [{name}]{did_you_mean(name, (PROPERTY, 'class-attrs-all'))}; "
                f"expected [{PROPERTY}]"
            )
        for key, text in keys.items():
            _check_key(path, name, key, text)
    values = {key: _value(path, key, rule, groups[PROPERTY]) for key, rule in PROPERTY_KEYS.items()}
    dims, unique_id = values["infer-dims"], values["gie-unique-id"]
    if not isinstance(dims, tuple) or len(dims) != 3 or dims[0] != 3 or min(dims) < 1:
        raise InputError(f"{path}: infer-dims={groups[PROPERTY]['infer-dims']}; expected 3;height;width")
    if not isinstance(unique_id, int) or unique_id < 1:
        raise InputError(f"{path}: gie-unique-id={unique_id}; expected a number above 0, e.g. gie-unique-id=1")
    return NvinferConfig(
        path=path,
        onnx_file=_beside(path, "onnx-file", values),
        height=dims[1],
        width=dims[2],
        color_format="BGR" if values["model-color-format"] == 1 else "RGB",
        batch_size=_whole(values["batch-size"], 1),
        gpu_id=_whole(values["gpu-id"], 0),
        precision=PRECISIONS[_whole(values["network-mode"], 0)],
        engine_file=_beside(path, "model-engine-file", values) if values["model-engine-file"] else None,
        dla=bool(values["enable-dla"]) or _whole(values["use-dla-core"], -1) >= 0,
        properties=groups[PROPERTY],
    )


def _beside(path: Path, key: str, values: Mapping[str, Optional[Value]]) -> Path:
    """The file that ``key`` names; relative ones count from the nvinfer file's folder."""
    named = str(values[key])
    if named.startswith("~"):
        raise InputError(f"{path}: {key}={named}; nvinfer does not know ~, write the whole path")
    return path.parent / named


def _whole(value: Optional[Value], default: int) -> int:
    return default if not isinstance(value, int) else value


def _check_key(path: Path, group: str, key: str, text: str) -> None:
    """InputError for a key that is unknown or refused, or a value that does not pass."""
    rules = PROPERTY_KEYS if group == PROPERTY else CLASS_ATTRS_KEYS
    rule = rules.get(key)
    if rule is None:
        raise InputError(f"{path}: unknown key {key!r} in [{group}]{did_you_mean(key, rules)}")
    value = _parsed(rule.kind, text)
    if value is None or (rule.kind == "bool" and is_yaml(path) and text not in ("0", "1")):
        # From YAML nvinfer takes 0 and 1 only; in key files a comment behind a value is part of it.
        hint = "" if is_yaml(path) else " (comments stand on lines of their own)"
        raise InputError(f"{path}: {key}={text}; expected {EXPECTED[rule.kind]}{hint}")
    if rule.accepted is not None and value not in rule.accepted:
        raise InputError(f"{path}: {key}={text} is refused: {rule.why}; {_remedy(key, rule)}")
    if rule.limits is not None and isinstance(value, int) and not rule.limits[0] <= value <= rule.limits[1]:
        raise InputError(
            f"{path}: {key}={text}: nvinfer would not start; expected {rule.limits[0]} to {rule.limits[1]}"
        )


def _value(path: Path, key: str, rule: KeyRule, given: Mapping[str, str]) -> Optional[Value]:
    """The value given, or nvinfer's default; InputError where it has to be given."""
    if key in given:
        return _parsed(rule.kind, given[key])
    if rule.required:
        raise InputError(f"{path}: {key} is missing in [{PROPERTY}]; it says: {rule.why}")
    if rule.handling == "honoured" and rule.accepted is not None and rule.default not in rule.accepted:
        raise InputError(
            f"{path}: {key} is missing in [{PROPERTY}] and nvinfer would take {_written(rule.default)}: {rule.why}; "
            f"{_remedy(key, rule)}"
        )
    return rule.default


def _remedy(key: str, rule: KeyRule) -> str:
    if not rule.accepted:
        return "remove the line"
    return "write " + " or ".join(f"{key}={_written(value)}" for value in rule.accepted)


def _written(value: Optional[Value]) -> str:
    return str(int(value)) if isinstance(value, bool) else str(value)


def _parsed(kind: Kind, text: str) -> Optional[Value]:
    """``text`` as a value of ``kind``; None where it is none."""
    try:
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
        if kind == "ints":
            return tuple(int(part) for part in text.rstrip(";").split(";"))
    except ValueError:
        return None
    if kind == "bool":
        return {"0": False, "false": False, "1": True, "true": True}.get(text)
    return text
