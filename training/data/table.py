"""The label table: which pictures there are, where the points between the eyes are, and which split each is in.

The one format that the workshop reads and writes. A data folder holds the folder ``images`` with the pictures, and
two tables, CSV in UTF-8 whose first line names the columns:

``labels.csv``, one row for each picture::

    image           file name in images/
    source          where the picture comes from, one word
    split           train, val or hold_out; where no row says hold_out, the reader holds out about a tenth of the
                    groups of train (``HOLD_OUT_EVERY``)
    label           positive: at least one person with both eyes in view; negative: nobody
    u, v            the point of the most prominent face; empty for a negative
    interocular_px  the distance between the centres of that face's eyes; empty for a negative
    faces           (may be missing) how many faces all_faces.csv has of it
    group           (may be missing or empty) pictures of one group are never torn apart between splits;
                    where there is none, ``group_of(image, source)``

``all_faces.csv``, one row for each face of the positives, the most prominent one included::

    image, u, v, interocular_px   as above
    by                            human: marked by people; given: came with the set, or its eye distance is an
                                  estimate; teacher: found by a detector

u is the column and v the row, in pixels of the picture as its file has it: (0, 0) is the centre of the top-left pixel,
so the picture reaches from -0.5 to width - 0.5. Every face has an eye distance: training scales and weighs by it, and
errors are told in it. Where nobody measured it, an estimate stands there, and ``by`` says ``given``.
"""

import csv
import hashlib
import io
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, TypeVar, get_args

from nasion.files import NotTextError, text_of

from training.errors import WorkshopError

Split = Literal["train", "hold_out", "val"]
Value = TypeVar("Value", bound=str)

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

    @property
    def in_shares(self) -> bool:
        """Whether the point looks like shares of the picture, from 0 to 1, where pixels are meant."""
        return 0 <= self.u <= 1 and 0 <= self.v <= 1 and not (self.u.is_integer() and self.v.is_integer())


@dataclass(frozen=True)
class Picture:
    """One photograph. ``faces`` is empty for a negative; otherwise its first face is the most prominent one.

    Pictures of one ``group`` must not be torn apart between splits; empty means ``group_of`` its name and source.
    """

    path: Path
    source: str
    split: Split
    faces: tuple[Face, ...] = field(default=())
    group: str = ""

    def __post_init__(self) -> None:
        if not self.group:
            object.__setattr__(self, "group", group_of(self.path.name, self.source))

    @property
    def positive(self) -> bool:
        return bool(self.faces)


def group_of(name: str, source: str) -> str:
    """What must not be torn apart between splits: a person, a photo, a series of neighbours, a driving sequence."""
    stem = Path(name).stem
    for kind in ("profile_", "scene_crop_", "face_low_", "helen_", "afw_"):
        stem = stem.removeprefix(kind)
    if source in ("lfw", "ytf"):
        person = re.sub(r"(_v\d+)?$", "", stem.partition("_")[2] or stem)
        return "person " + re.sub(r"_\d+$", "", person)
    if source in ("helen", "face_low", "afw"):
        return "photo " + stem.split("_")[0]
    if match := re.match(r"(?:ccp|ccp_body|comp_ccp)_?(\d+)", stem):
        return f"ccp {(int(match[1]) - 1) // 25}"
    if match := re.match(r"lspet_(?:crop_)?(\d+)", stem):
        return f"lspet {(int(match[1]) - 1) // 10}"
    if source == "camvid":
        return "camvid " + (stem.partition("_")[2].partition("_")[0] or stem)
    return stem


def train_or_hold_out(group: str) -> Split:
    """Where a group of the training split belongs: the same on every machine, whatever else the table holds."""
    digest = hashlib.sha256(group.encode()).digest()
    return "hold_out" if int.from_bytes(digest[:4], "big") % HOLD_OUT_EVERY == 0 else "train"


def _rows(path: Path, columns: Sequence[str]) -> list[tuple[str, dict[str, str]]]:
    """Every row with the place it stands at; a row has the named columns, and perhaps more."""
    try:
        with io.StringIO(text_of(path.read_bytes()), newline="") as stream:
            reader = csv.DictReader(stream)
            missing = set(columns) - set(reader.fieldnames or ())
            if missing:
                raise TableError(f"{path}: columns {sorted(missing)} are missing; expected {list(columns)}")
            rows = []
            for row in reader:
                place = f"{path}, line {reader.line_num}"
                if None in row or any(row[column] is None for column in columns):
                    raise TableError(f"{place}: expected {len(reader.fieldnames or ())} cells; correct the row")
                rows.append((place, row))
            return rows
    except (OSError, NotTextError, csv.Error) as error:
        raise TableError(f"{path}: not a readable table ({error})") from error


def _number(row: Mapping[str, str], key: str, place: str) -> float:
    try:
        number = float(row[key])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise TableError(f"{place}: {key}: expected a number, got {row[key]!r}; correct the cell")
    return number


def _one_of(row: Mapping[str, str], key: str, values: Sequence[Value], place: str) -> Value:
    for value in values:
        if row[key] == value:
            return value
    raise TableError(f"{place}: {key}: expected {' or '.join(values)}, got {row[key]!r}; correct the cell")


def read_table(folder: Path) -> list[Picture]:
    """Read ``labels.csv`` and ``all_faces.csv`` of ``folder``; the pictures are in ``folder/images``.

    Where no row says ``hold_out``, the training split is divided by group: about a tenth becomes it. The first face of
    a positive is the one nearest to the point in ``labels.csv``, the others follow by their distance from it. A face of
    a picture that is no positive would be lost, and is refused. TableError.
    """
    everyone: dict[str, list[Face]] = defaultdict(list)
    for place, row in _rows(folder / "all_faces.csv", ("image", "u", "v", "interocular_px", "by")):
        u, v, distance = (_number(row, key, place) for key in ("u", "v", "interocular_px"))
        everyone[row["image"]].append(Face(u, v, distance, row["by"]))
    columns = ("image", "source", "split", "label", "u", "v", "interocular_px")
    rows = _rows(folder / "labels.csv", columns)
    drawn = all(row["split"] != "hold_out" for _, row in rows)
    pictures = [_picture(folder, row, everyone, place, hold_out_drawn=drawn) for place, row in rows]
    if not pictures:
        raise TableError(f"{folder / 'labels.csv'}: holds no rows")
    if lost := sorted(set(everyone) - {picture.path.name for picture in pictures if picture.positive}):
        raise TableError(
            f"{folder / 'all_faces.csv'}: has faces of {lost[0]!r} (and of {len(lost) - 1} others), which labels.csv "
            "does not have as a positive; correct its name or its label, or remove the rows"
        )
    return pictures


def _picture(
    folder: Path, row: Mapping[str, str], everyone: Mapping[str, list[Face]], place: str, *, hold_out_drawn: bool
) -> Picture:
    name, source = row["image"], row["source"]
    if name in ("", "..") or Path(name).name != name:
        raise TableError(f"{place}: image: expected the name of a file in images/, got {name!r}; correct the cell")
    faces: tuple[Face, ...] = ()
    if _one_of(row, "label", ("positive", "negative"), place) == "positive":
        u, v = (_number(row, key, place) for key in ("u", "v"))
        faces = tuple(sorted(everyone.get(name, ()), key=lambda f: (f.u - u) ** 2 + (f.v - v) ** 2))
        faces = faces or (Face(u, v, _number(row, "interocular_px", place), "given"),)
        if math.hypot(faces[0].u - u, faces[0].v - v) > max(0.5 * faces[0].interocular_px, 2.0):
            raise TableError(
                f"{place}: its point ({u:g}, {v:g}) is none of the faces that all_faces.csv has of {name}, the nearest "
                f"is at ({faces[0].u:g}, {faces[0].v:g}); correct either, or add the face"
            )
    group = row.get("group") or group_of(name, source)
    split: Split = _one_of(row, "split", get_args(Split), place)
    if split == "train" and hold_out_drawn:
        split = train_or_hold_out(group)
    return Picture(folder / "images" / name, source, split, faces, group)


def of_split(pictures: Iterable[Picture], *splits: Split) -> list[Picture]:
    """The pictures of the named splits, in table order."""
    return [picture for picture in pictures if picture.split in splits]
