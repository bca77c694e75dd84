"""The label table: which pictures there are, where the points between the eyes are, and which split each is in."""

import csv
import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from training.errors import WorkshopError

Split = Literal["train", "hold_out", "val"]

#: Every this-many-th group of the training split is held out to choose checkpoints and thresholds.
HOLD_OUT_EVERY = 10


class TableError(WorkshopError):
    """The label table cannot be used; the message says why and what to do."""


@dataclass(frozen=True)
class Face:
    """A person with both eyes in view: (u, v) in pixels from the centre of the top-left one."""

    u: float
    v: float
    interocular_px: float
    marked_by: str


@dataclass(frozen=True)
class Picture:
    """One photograph. ``faces`` is empty for a negative; otherwise its first face is the most prominent one."""

    path: Path
    source: str
    split: Split
    faces: tuple[Face, ...] = field(default=())

    @property
    def positive(self) -> bool:
        return bool(self.faces)


def group_of(name: str, source: str) -> str:
    """What must not be torn apart between splits: a person, a photo, a series of neighbours, a driving sequence."""
    stem = Path(name).stem
    for kind in ("profile_", "scene_crop_", "face_low_", "helen_", "afw_"):
        stem = stem.removeprefix(kind)
    if source in ("lfw", "ytf"):
        person = re.sub(r"(_v\d+)?$", "", stem.split("_", 1)[1])
        return "person " + re.sub(r"_\d+$", "", person)
    if source in ("helen", "face_low", "afw"):
        return "photo " + stem.split("_")[0]
    if match := re.match(r"(?:ccp|ccp_body|comp_ccp)_?(\d+)", stem):
        return f"ccp {(int(match[1]) - 1) // 25}"
    if match := re.match(r"lspet_(?:crop_)?(\d+)", stem):
        return f"lspet {(int(match[1]) - 1) // 10}"
    if source == "camvid":
        return "camvid " + stem.split("_")[1]
    return stem


def _held_out(group: str) -> bool:
    digest = hashlib.sha256(group.encode()).digest()
    return int.from_bytes(digest[:4], "big") % HOLD_OUT_EVERY == 0


def _rows(path: Path, columns: Sequence[str]) -> list[dict[str, str]]:
    try:
        with path.open(newline="") as stream:
            reader = csv.DictReader(stream)
            missing = set(columns) - set(reader.fieldnames or ())
            if missing:
                raise TableError(f"{path}: columns {sorted(missing)} are missing; expected {list(columns)}")
            return list(reader)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise TableError(f"{path}: not a readable table ({error})") from error


def read_table(folder: Path) -> list[Picture]:
    """Read ``labels.csv`` and ``all_faces.csv`` of ``folder``; the pictures are in ``folder/images``.

    The training split is divided by group: about a tenth becomes ``hold_out``.
    """
    try:
        return _read(folder)
    except ValueError as error:
        raise TableError(f"{folder}: a row of the label tables holds no number ({error})") from error


def _read(folder: Path) -> list[Picture]:
    everyone: dict[str, list[Face]] = defaultdict(list)
    for row in _rows(folder / "all_faces.csv", ("image", "u", "v", "interocular_px", "by")):
        everyone[row["image"]].append(
            Face(
                float(row["u"]),
                float(row["v"]),
                float(row["interocular_px"]),
                row["by"],
            )
        )
    pictures = []
    for row in _rows(
        folder / "labels.csv",
        ("image", "source", "split", "label", "u", "v", "interocular_px"),
    ):
        name, source = row["image"], row["source"]
        faces: tuple[Face, ...] = ()
        if row["label"] == "positive":
            u, v = float(row["u"]), float(row["v"])
            faces = tuple(sorted(everyone[name], key=lambda f: (f.u - u) ** 2 + (f.v - v) ** 2)) or (
                Face(u, v, float(row["interocular_px"]), "given"),
            )
        split: Split = "val" if row["split"] == "val" else "train"
        if split == "train" and _held_out(group_of(name, source)):
            split = "hold_out"
        pictures.append(Picture(folder / "images" / name, source, split, faces))
    if not pictures:
        raise TableError(f"{folder / 'labels.csv'}: holds no rows")
    return pictures


def of_split(pictures: Iterable[Picture], *splits: Split) -> list[Picture]:
    """The pictures of the named splits, in table order."""
    return [picture for picture in pictures if picture.split in splits]
