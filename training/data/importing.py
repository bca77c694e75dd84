"""Labelled pictures from anywhere become a data folder of ``training.data.table``: looked at, split, written."""

import dataclasses
import math
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
from nasion.sources.pictures import DamagedPictureError, read_picture

from training.data.groups import Stratum, draw_groups, unit_interval
from training.data.picture_file import Sight, look
from training.data.prepare import inside, prepare
from training.data.table import HOLD_OUT_EVERY, Face, Picture, Split
from training.data.table_writer import write_table
from training.errors import WorkshopError


@dataclass(frozen=True)
class Entry:
    """A picture to be imported: where it is, its new name, and what its labels say.

    ``size`` is (width, height) as the labels have it, ``split`` the one it already has; None where they do not say.
    """

    path: Path
    name: str
    source: str
    faces: tuple[Face, ...]
    group: str
    size: tuple[int, int] | None = None
    split: Split | None = None


@dataclass(frozen=True)
class Refusal:
    """Something that cannot be imported, and why."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"


@dataclass(frozen=True)
class Found:
    """What a source of labels holds. ``left_out`` counts, by reason, what is no mistake but no training picture."""

    entries: tuple[Entry, ...]
    refusals: tuple[Refusal, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


def survey(entries: Iterable[Entry]) -> tuple[list[Entry], list[Refusal]]:
    """Look at every picture: those that can be imported, and why the others cannot."""
    good, refusals = [], []
    names: dict[str, Path] = {}
    digests: dict[str, Path] = {}
    for entry in entries:
        sight = look(entry.path)
        why = fault_of(entry, sight)
        if why is None and entry.name in names:
            why = f"it would be named {entry.name} as {names[entry.name]} is; it is labelled twice, or rename one"
        if why is None and sight.digest in digests:
            why = f"it is the same picture as {digests[sight.digest]}; remove one of them"
        if why is not None:
            refusals.append(Refusal(str(entry.path), why))
            continue
        good.append(entry)
        names[entry.name] = entry.path
        if sight.digest:
            digests[sight.digest] = entry.path
    return good, refusals


def fault_of(entry: Entry, sight: Sight) -> str | None:
    """Why a picture cannot be imported with these labels; None if it can."""
    if sight.fault is not None or sight.size is None:
        return f"not a whole picture: {sight.fault}; replace it or remove its label"
    if not entry.name.isprintable():
        return "its name has characters that cannot be printed; rename it"
    if sight.turned:
        return "its EXIF data turn it, so its labels may mean either way; turn its pixels for good and label it again"
    if entry.size not in (None, sight.size):
        return f"its label is for {_sides(entry.size)} pixels, it has {_sides(sight.size)}; label it again"
    return next(filter(None, (_face_fault(face, sight.size) for face in entry.faces)), None)


def _face_fault(face: Face, size: tuple[int, int]) -> str | None:
    if not inside(face.u, face.v, *size):
        return f"its point ({face.u:g}, {face.v:g}) is outside its {_sides(size)} pixels; correct the label"
    if face.in_shares:
        return (
            f"its point ({face.u:g}, {face.v:g}) is from 0 to 1, as shares of the picture are; expected pixels: "
            "multiply by width and height"
        )
    if not 0 < face.interocular_px < math.hypot(*size):
        return (
            f"its eye distance is {face.interocular_px:g} pixels, expected more than 0 and less than the picture is "
            "across; correct the label"
        )
    return None


def _sides(size: tuple[int, int] | None) -> str:
    return "x".join(map(str, size or ()))


def splits_of(entries: Sequence[Entry], share: float, seed: int) -> list[Split]:
    """The split of each entry: the one it has, or drawn by group.

    Groups of each source, with a face and without, are drawn apart, so that each split has both kinds, if there are
    three groups of each.
    """
    split_of: dict[str, Split] = {}
    # A group that already has its side keeps it, whatever is drawn; one that was torn apart is judged as a whole.
    for side in ("train", "hold_out", "val"):
        split_of.update((entry.group, side) for entry in entries if entry.split == side)
    new: dict[str, Stratum] = {}
    for entry in entries:
        if entry.group not in split_of:
            before = new.get(entry.group, Stratum(entry.source, False))
            new[entry.group] = Stratum(before.source, before.positive or bool(entry.faces))
    val = draw_groups(new, share, seed)
    left = {group: stratum for group, stratum in new.items() if group not in val}
    hold_out = draw_groups(left, 1 / HOLD_OUT_EVERY, seed, "hold_out ")
    split_of.update((group, "val" if group in val else "hold_out" if group in hold_out else "train") for group in new)
    return [split_of[entry.group] for entry in entries]


def refuse_filled(out: Path) -> None:
    """WorkshopError unless ``out`` is new or an empty folder: nothing there may be lost."""
    if os.path.lexists(out) and (not out.is_dir() or any(out.iterdir())):
        raise WorkshopError(f"--out {out}: expected a new or empty folder, there is something in it; name another")


def write(out: Path, entries: Iterable[Entry], splits: Sequence[Split], *, prepared: bool, seed: int) -> list[Picture]:
    """Make the data folder ``out`` as a whole or not at all; its pictures as they now are. WorkshopError, OSError.

    ``prepared``: brought to 320 x 240, as PNG, so that nothing is lost a second time; ``seed`` draws the cuts.
    """
    refuse_filled(out)
    out = out.resolve()
    out.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    try:
        (made / "images").mkdir()
        pictures = [
            _write_picture(made / "images", entry, split, prepared=prepared, seed=seed)
            for entry, split in zip(entries, splits, strict=True)
        ]
        write_table(made, pictures)
        # mkdtemp makes a folder that only its owner may enter.
        made.chmod(0o755)
        os.replace(made, out)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return [dataclasses.replace(picture, path=out / "images" / picture.path.name) for picture in pictures]


def prepared_name(name: str) -> str:
    return f"{Path(name).stem}.png"


def _write_picture(folder: Path, entry: Entry, split: Split, *, prepared: bool, seed: int) -> Picture:
    faces, target = entry.faces, folder / entry.name
    if prepared:
        at = unit_interval(seed, f"across {entry.name}"), unit_interval(seed, f"down {entry.name}")
        try:
            pixels, faces = prepare(read_picture(entry.path), faces, at=at)
        except DamagedPictureError as error:
            raise WorkshopError(f"{entry.path}: changed while it was imported ({error}); import again") from None
        target.write_bytes(cv2.imencode(".png", pixels)[1].tobytes())
    else:
        shutil.copyfile(entry.path, target)
    return Picture(target, entry.source, split, faces, entry.group)
