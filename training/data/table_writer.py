"""Write the label table of ``training.data.table``: what is written is read back as it was."""

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from nasion.files import write_whole

from training.data.table import Picture, TableError, train_or_hold_out

LABELS = ("image", "source", "split", "label", "u", "v", "interocular_px", "faces", "group")
FACES = ("image", "u", "v", "interocular_px", "by")

Row = Sequence[str]


def write_table(folder: Path, pictures: Sequence[Picture]) -> None:
    """Write ``labels.csv`` and ``all_faces.csv`` of ``folder``, each as a whole or not at all; TableError, OSError.

    Where no picture is ``hold_out``, the reader draws them by its rule, and a picture that the rule would hold out is
    refused, as is one that is not in ``folder/images`` or is listed twice. The reader orders the faces after the first
    by their distance from it.
    """
    _check(folder, pictures)
    # The labels come last: they name the pictures, and without them there is no table.
    _replace(folder / "all_faces.csv", FACES, _face_rows(pictures))
    _replace(folder / "labels.csv", LABELS, map(_label_row, pictures))


def _check(folder: Path, pictures: Sequence[Picture]) -> None:
    if not pictures:
        raise TableError(f"{folder}: no pictures to write; a table has at least one")
    seen = set()
    drawn = all(picture.split != "hold_out" for picture in pictures)
    for picture in pictures:
        name = picture.path.name
        if picture.path != folder / "images" / name:
            raise TableError(f"{picture.path}: expected a picture in {folder / 'images'}; copy it there first")
        if name in seen:
            raise TableError(f"{name}: listed twice; a table has one row for each picture")
        seen.add(name)
        if drawn and picture.split == "train" and train_or_hold_out(picture.group) == "hold_out":
            raise TableError(
                f"{name}: split 'train', but no picture is held out, so the reader holds out the group "
                f"{picture.group!r}; hold out another one"
            )


def _label_row(picture: Picture) -> Row:
    head = (picture.path.name, picture.source, picture.split)
    tail = (str(len(picture.faces)), picture.group)
    if not picture.faces:
        return (*head, "negative", "", "", "", *tail)
    first = picture.faces[0]
    return (*head, "positive", repr(first.u), repr(first.v), repr(first.interocular_px), *tail)


def _face_rows(pictures: Iterable[Picture]) -> Iterable[Row]:
    for picture in pictures:
        for face in picture.faces:
            # repr is the shortest text that reads back as the same number.
            yield picture.path.name, repr(face.u), repr(face.v), repr(face.interocular_px), face.marked_by


def _replace(path: Path, columns: Sequence[str], rows: Iterable[Row]) -> None:
    """Write a table beside ``path`` and move it there, so that nobody ever sees half of one."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows([columns, *rows])
    try:
        write_whole(path, text.getvalue().encode())
    except UnicodeEncodeError as error:
        raise TableError(f"{path}: a name is no text ({error.object!r}); rename the file") from error
