"""Where labelled pictures come from: a LabelImg folder, a COCO file, a folder in the workshop's own format."""

import dataclasses
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from nasion.sources.pictures import ENDINGS

from training.data.coco import Visibility, parse_coco
from training.data.importing import Entry, Found, Refusal, prepared_name
from training.data.table import Face, TableError, read_table
from training.data.voc import NoEyeDistanceError, VocLabels, VocRule, faces_of, parse_voc

GroupBy = Literal["picture", "folder"]


def labelimg(folder: Path, pictures: Path | None, rule: VocRule, *, source: str, group_by: GroupBy) -> Found:
    """Every XML file in ``folder`` and below, with the picture beside it or in ``pictures``; TableError, OSError."""
    files = sorted(folder.rglob("*.xml"))
    if not files:
        raise TableError(f"{folder}: no *.xml in it or below; expected a folder that LabelImg saved labels to")
    entries: list[Entry] = []
    refusals: list[Refusal] = []
    names: Counter[str] = Counter()
    for file in files:
        try:
            labels = parse_voc(file.read_bytes())
            names.update({box.name for box in labels.boxes})
            path, home = _picture_of(file, labels, folder, pictures)
            entries.append(_entry(path, home, faces_of(labels, rule), labels.size, source, group_by))
        except NoEyeDistanceError as error:
            raise TableError(f"{file}: {error}") from None
        except TableError as error:
            refusals.append(Refusal(str(file), str(error)))
    if names and not names[rule.box]:
        raise TableError(
            f"{folder}: no box is named {rule.box!r}, so every picture would be a negative; "
            f"name the box with --box: {', '.join(sorted(names))}"
        )
    used = {entry.path for entry in entries}
    homes = (folder,) if pictures is None else (folder, pictures)
    there = {path for home in homes for path in home.rglob("*") if path.suffix.lower() in ENDINGS}
    return Found(tuple(entries), tuple(refusals), {"not labelled": len(there - used)})


def coco(annotations: Path, images: Path, *, source: str, visibility: Visibility, eyeless_are_negative: bool) -> Found:
    """Every picture that ``annotations`` lists, from the folder ``images``; TableError, OSError."""
    try:
        labels = parse_coco(annotations.read_bytes(), visibility=visibility, eyeless_are_negative=eyeless_are_negative)
    except TableError as error:
        raise TableError(f"{annotations}: {error}") from None
    entries: list[Entry] = []
    refusals: list[Refusal] = []
    for picture in labels.pictures:
        part = Path(picture.file_name)
        if part.is_absolute() or ".." in part.parts or not part.name:
            why = f"file_name {picture.file_name!r}: expected a path below {images}; correct it"
            refusals.append(Refusal(str(annotations), why))
        else:
            entries.append(_entry(images / part, images, picture.faces, picture.size, source, "picture"))
    return Found(tuple(entries), tuple(refusals), {"people, but no two eyes marked": labels.doubtful})


def table(folder: Path, *, split_again: bool) -> Found:
    """A folder that already has the label table; its splits are kept unless ``split_again``. TableError."""
    return Found(
        tuple(
            Entry(
                picture.path,
                picture.path.name,
                picture.source,
                picture.faces,
                picture.group,
                split=None if split_again else picture.split,
            )
            for picture in read_table(folder)
        )
    )


def named_for_preparing(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Prepared pictures are PNG files, so their names end like that."""
    return tuple(dataclasses.replace(entry, name=prepared_name(entry.name)) for entry in entries)


def _picture_of(file: Path, labels: VocLabels, folder: Path, pictures: Path | None) -> tuple[Path, Path]:
    """The picture of a label file and the folder its name counts from: in ``pictures``, or beside the label file."""
    inner = file.parent.relative_to(folder)
    homes: Sequence[tuple[Path, Path]] = [(file.parent, folder)]
    if pictures is not None:
        homes = [(pictures / inner, pictures), (pictures, pictures), *homes]
    # Old versions of LabelImg write the name without its ending.
    names = [*labels.pictures, *(stem + end for stem in (*labels.pictures, file.stem) for end in ENDINGS)]
    for place, home in homes:
        for name in names:
            if (place / name).is_file():
                return place / name, home
    places = " and ".join(str(place) for place, _ in homes)
    what = labels.pictures[0] if labels.pictures else f"{file.stem}.jpg"
    raise TableError(f"its picture {what} is not in {places}; put it there, or say --pictures FOLDER")


def _entry(
    path: Path,
    home: Path,
    faces: tuple[Face, ...],
    size: tuple[int, int] | None,
    source: str,
    group_by: GroupBy,
) -> Entry:
    part = path.relative_to(home)
    group = part if group_by == "picture" else part.parent
    return Entry(path, "_".join((source, *part.parts)), source, faces, f"{source} {group.as_posix()}", size)
