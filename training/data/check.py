"""What is wrong with labelled pictures, or may be: each kind of fault is one finding with a count and examples."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

import numpy as np

from training.data.duplicates import near_pairs
from training.data.picture_file import Sight
from training.data.prepare import inside
from training.data.table import Picture, Split
from training.data.target import TargetConfig

Level = Literal["ok", "warn", "fail"]

#: Faces with closer eyes are left out of training, in pixels of the crop.
TINY_PX = TargetConfig().smallest_eye_distance_px


@dataclass(frozen=True)
class Finding:
    """One kind of fault: ``count`` of them, every one an example; ``text`` says what they are and what to do."""

    kind: str
    level: Level
    count: int
    text: str
    examples: tuple[str, ...] = ()


def findings(pictures: Sequence[Picture], sights: Mapping[Path, Sight], unnamed: Iterable[Path]) -> list[Finding]:
    """Everything that is checked, in a fixed order; ``sights`` has every picture, ``unnamed`` is in no row."""
    once = list({picture.path: picture for picture in pictures}.values())
    return [
        _listed_twice(pictures),
        _unreadable(once, sights),
        _turned(once, sights),
        *_outside(once, sights),
        _shares(once),
        _eye_distances(once),
        _tiny(once),
        _classes(once),
        _torn_groups(once),
        *_identical(once, sights),
        _near(once, sights),
        _unnamed(unnamed),
    ]


def _found(kind: str, level: Level, examples: Sequence[str], what: str, advice: str) -> Finding:
    """A finding that is fine where there is no example."""
    if not examples:
        return Finding(kind, "ok", 0, f"no {what}")
    return Finding(kind, level, len(examples), f"{len(examples)} {what}; {advice}", tuple(examples))


def _listed_twice(pictures: Sequence[Picture]) -> Finding:
    counts = Counter(picture.path.name for picture in pictures)
    examples = [f"{name} ({count} rows)" for name, count in counts.items() if count > 1]
    return _found("listed twice", "fail", examples, "pictures with more than one row", "keep one row of each")


def _unreadable(pictures: Sequence[Picture], sights: Mapping[Path, Sight]) -> Finding:
    examples = [f"{p.path.name}: {sights[p.path].fault}" for p in pictures if sights[p.path].fault]
    return _found("unreadable", "fail", examples, "pictures missing or damaged", "replace them or remove their rows")


def _turned(pictures: Sequence[Picture], sights: Mapping[Path, Sight]) -> Finding:
    examples = [p.path.name for p in pictures if sights[p.path].turned]
    advice = "their labels may mean either way: turn the pixels for good and label them again"
    return _found("turned", "fail", examples, "pictures that their EXIF data turn", advice)


def _outside(pictures: Sequence[Picture], sights: Mapping[Path, Sight]) -> tuple[Finding, Finding]:
    """A detector may put a bystander's point just beyond the border; the one that is looked for must be inside."""
    first: list[str] = []
    others: list[str] = []
    for picture in pictures:
        size = sights[picture.path].size
        for number, face in enumerate(picture.faces):
            if size is not None and not inside(face.u, face.v, *size):
                where = f"{picture.path.name} ({face.u:g}, {face.v:g}) in {size[0]}x{size[1]}"
                (others if number else first).append(where)
    return (
        _found("outside", "fail", first, "most prominent points outside their picture", "correct them"),
        _found("outside, others", "warn", others, "other points outside their picture", "correct or remove them"),
    )


def _shares(pictures: Sequence[Picture]) -> Finding:
    examples = [f"{p.path.name} ({face.u:g}, {face.v:g})" for p in pictures for face in p.faces if face.in_shares]
    advice = "expected pixels: multiply them by width and height"
    return _found("shares", "fail", examples, "points from 0 to 1, as shares of the picture are", advice)


def _eye_distances(pictures: Sequence[Picture]) -> Finding:
    examples = [
        f"{p.path.name} ({face.interocular_px:g})" for p in pictures for face in p.faces if not face.interocular_px > 0
    ]
    return _found("eye distance", "fail", examples, "eye distances that are not above 0 px", "correct them")


def _tiny(pictures: Sequence[Picture]) -> Finding:
    faces = [
        (p.split, f"{p.path.name} ({f.interocular_px:g} px)")
        for p in pictures
        for f in p.faces
        if 0 < f.interocular_px < TINY_PX
    ]
    advice = f"training ignores them ({_counts(split for split, _ in faces)})"
    what = f"faces with eyes closer than {TINY_PX:g} px"
    return _found("tiny faces", "warn", [example for _, example in faces], what, advice)


def _classes(pictures: Sequence[Picture]) -> Finding:
    counts = Counter((picture.split, picture.positive) for picture in pictures)
    text = ", ".join(
        f"{split} {counts[split, True]} positive {counts[split, False]} negative" for split in get_args(Split)
    )
    empty = [
        f"{split} has no {kind}"
        for split in get_args(Split)
        for kind, positive in (("positive", True), ("negative", False))
        if not counts[split, positive]
    ]
    if empty:
        text += (
            "; every split needs both kinds: draw them again (python -m training import table DATA --out NEW "
            "--split-again), and where that does not help add pictures of more groups"
        )
    return Finding("classes", "fail" if empty else "ok", len(empty), text, tuple(empty))


def _torn_groups(pictures: Sequence[Picture]) -> Finding:
    splits: dict[str, set[Split]] = defaultdict(set)
    for picture in pictures:
        splits[picture.group].add(picture.split)
    examples = [f"{group!r} ({_joined(found)})" for group, found in splits.items() if len(found) > 1]
    advice = "what is learned is also judged: put each group into one split"
    return _found("torn groups", "fail", examples, "groups in more than one split", advice)


def _identical(pictures: Sequence[Picture], sights: Mapping[Path, Sight]) -> tuple[Finding, Finding]:
    by_digest: dict[str, list[Picture]] = defaultdict(list)
    for picture in pictures:
        if digest := sights[picture.path].digest:
            by_digest[digest].append(picture)
    within: list[str] = []
    across: list[str] = []
    for same in by_digest.values():
        splits = {picture.split for picture in same}
        if len(same) > 1:
            names = " = ".join(picture.path.name for picture in same)
            (across if len(splits) > 1 else within).append(f"{names} ({_joined(splits)})")
    return (
        _found("identical", "warn", within, "pictures there more than once in one split", "keep one of each"),
        _found("identical across", "fail", across, "pictures there in more than one split", "keep one of each"),
    )


def _near(pictures: Sequence[Picture], sights: Mapping[Path, Sight]) -> Finding:
    """A hash may err, so nothing but a look can tell: a warning. Identical files are told of elsewhere."""
    hashed = [(p, sight.bits) for p in pictures if (sight := sights[p.path]).bits is not None]
    if not hashed:
        return Finding("near-identical", "ok", 0, "no pictures to compare")
    pairs = []
    for i, j, differ in near_pairs(np.array([bits for _, bits in hashed])):
        first, second = hashed[i][0], hashed[j][0]
        if sights[first.path].digest != sights[second.path].digest:
            splits = _joined({first.split, second.split})
            pairs.append((splits, f"{first.path.name} ~ {second.path.name} ({splits}, {differ} bits)"))
    # Those across splits come first: they make a judgement too good.
    pairs.sort(key=lambda pair: "+" not in pair[0])
    advice = f"look whether they are one picture ({_counts(splits for splits, _ in pairs)})"
    return _found("near-identical", "warn", [text for _, text in pairs], "pairs of pictures that look alike", advice)


def _unnamed(unnamed: Iterable[Path]) -> Finding:
    examples = sorted(path.name for path in unnamed)
    return _found("not in the table", "warn", examples, "files in images/ that no row names", "add rows or remove them")


def _joined(splits: Iterable[Split]) -> str:
    return "+".join(sorted(splits))


def _counts(what: Iterable[str]) -> str:
    return ", ".join(f"{name}: {count}" for name, count in sorted(Counter(what).items()))
