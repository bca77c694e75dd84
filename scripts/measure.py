"""How far off the positions are, measured where the truth is known.

`demo` runs the whole pipeline over the made scene, `pairs` over stereo pairs with a truth.csv; `chessboard` asks for
the depth of each corner of a chessboard, which repeats itself as no face does. How fast it is, is `nasion bench`'s to
say.
"""

import csv
import json
import math
import statistics
import threading
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import cv2
import numpy as np
import typer
from nasion.core.ranging import Ranger
from nasion.core.results import Keypoint, Located, Person
from nasion.errors import InputError, NasionError
from nasion.messages import PersonEntry, PersonMessage
from nasion.pipeline.app import run
from nasion.settings import CameraSettings, DepthSettings, JumpSettings, MqttSettings, RunSettings, View
from nasion.sources.clock import SystemClock
from nasion.sources.demo.scene import DemoScene
from nasion.sources.demo.walk import FPS
from nasion.sources.frame import End, Frame
from nasion.sources.open import open_source
from nasion.sources.stereo_depth import StereoDepth
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from typing_extensions import Annotated

app = typer.Typer(add_completion=False, help=__doc__, no_args_is_help=True)

#: Distance between the pupils of a grown person, metres.
EYE_DISTANCE_M = 0.063

Json = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
ViewOption = Annotated[View, typer.Option(help="What the network sees.")]


class Seen(NamedTuple):
    """A located person against the truth: metres and pixels off, and how many pixels are half an eye distance."""

    entry: PersonEntry
    off_px: float
    half_eyes_px: float
    true_m: float

    @property
    def in_place(self) -> bool:
        return self.off_px <= max(self.half_eyes_px, 2.0)

    @property
    def relative_error(self) -> float:
        assert self.entry.depth_m is not None
        return abs(self.entry.depth_m - self.true_m) / self.true_m


def collect(settings: RunSettings) -> List[PersonMessage]:
    """The messages of a whole run; what it tells people goes to stderr."""
    messages: List[PersonMessage] = []
    run(
        settings,
        clock=SystemClock(),
        on_message=messages.append,
        on_event=lambda text: typer.echo(text, err=True),
        stop=threading.Event(),
    )
    return messages


def settings_for(source: str, view: View, **more: Any) -> RunSettings:
    """Every frame, no broker."""
    cameras = [CameraSettings(source=source)]
    return RunSettings(cameras=cameras, view=view, mode="every-frame", mqtt=MqttSettings(url="none"), **more)


def share(part: int, whole: int) -> Optional[float]:
    return part / whole if whole else None


def errors(seen: Sequence[Seen]) -> Dict[str, Any]:
    """Depth and keypoint errors of those with a position."""
    valid = [one for one in seen if one.entry.valid]
    if not valid:
        return {"positions": 0}
    relative = [one.relative_error for one in valid]
    return {
        "positions": len(valid),
        "depth_error_median": statistics.median(relative),
        "depth_error_p95": float(np.percentile(relative, 95)),
        "keypoint_error_median_px": statistics.median(one.off_px for one in valid),
    }


def compare(entry: PersonEntry, u: float, v: float, z: float, fx: float) -> Seen:
    return Seen(entry, math.hypot(entry.pixel[0] - u, entry.pixel[1] - v), 0.5 * EYE_DISTANCE_M * fx / z, z)


def judge_demo(messages: Sequence[PersonMessage], scene: DemoScene) -> Dict[str, Any]:
    """Shares and errors by distance, against the exact truth of the made scene."""
    groups: Dict[str, List[Tuple[PersonMessage, Optional[Seen]]]] = {
        "below 0.7 m": [],
        "0.7-1 m": [],
        "1-2.5 m": [],
        "2.5-4 m": [],
        "beyond 4 m": [],
        "cut by the edge": [],
        "out of view": [],
    }
    limits = ((0.7, "below 0.7 m"), (1.0, "0.7-1 m"), (2.5, "1-2.5 m"), (4.0, "2.5-4 m"), (math.inf, "beyond 4 m"))
    for message in messages:
        truth = scene.truth(round(int(message.recorded_ns or 0) * FPS / 1e9))
        if truth is None:
            groups["out of view"].append((message, None))
            continue
        z = truth.xyz[2]
        fx = scene.calibration.left.fx
        seen = compare(message.persons[0], truth.u, truth.v, z, fx) if message.persons else None
        group = next(name for limit, name in limits if z < limit) if truth.whole_face else "cut by the edge"
        groups[group].append((message, seen))
    figures = {}
    for name, members in groups.items():
        entries = [message.persons[0] for message, _ in members if message.persons]
        inside = [seen for _, seen in members if seen is not None]
        figures[name] = {
            "frames": len(members),
            "valid": share(sum(entry.valid for entry in entries), len(members)),
            "too_near": share(sum(entry.reason == "too_near" for entry in entries), len(members)),
            "wrong_place": share(sum(not seen.in_place for seen in inside), len(members)),
            **errors(inside),
        }
    return figures


@app.command()
def demo(
    size: Annotated[int, typer.Option(help="Height of the pictures: 720 or 1080.")] = 1080,
    frames: Annotated[int, typer.Option(help="How many; one walk has 720.")] = 720,
    view: ViewOption = "full",
    as_json: Json = False,
) -> None:
    """Every frame of the made scene against its truth."""
    messages = collect(settings_for(f"demo:?size={size}", view, frames=frames))
    figures = judge_demo(messages, DemoScene(size))
    everyone = {"frames": len(messages), "view": view, "size": size, "by_distance": figures}
    if as_json:
        typer.echo(json.dumps(everyone))
        return
    columns = ("frames", "valid", "too_near", "wrong_place", "depth_error_median", "depth_error_p95")
    table = Table("distance", *(column.replace("_", " ") for column in columns), title=f"demo, {size} lines, {view}")
    for name, row in figures.items():
        table.add_row(name, str(row["frames"]), *(percent(row.get(column)) for column in columns[1:]))
    Console().print(table)


def read_truth(folder: Path) -> Dict[str, List[Tuple[float, float, float]]]:
    """Per pair the persons' (u, v, z), nearest first, of ``truth.csv``."""
    people: Dict[str, List[Tuple[float, float, float]]] = {}
    try:
        with (folder / "truth.csv").open(newline="") as stream:
            for row in csv.DictReader(stream):
                people.setdefault(row["pair"], []).append((float(row["u_left"]), float(row["v"]), float(row["Z_m"])))
    except (OSError, KeyError, ValueError) as error:
        raise InputError(
            f"{folder / 'truth.csv'}: expected a table with pair, u_left, v, Z_m ({type(error).__name__}: {error})"
        ) from None
    return {pair: sorted(persons, key=lambda person: person[2]) for pair, persons in sorted(people.items())}


def judge_pairs(
    messages: Sequence[PersonMessage], truth: Dict[str, List[Tuple[float, float, float]]], fx: float, smallest_px: float
) -> Dict[str, Any]:
    """The pairs whose nearest person has at least ``smallest_px`` between the eyes, in the pictures' own pixels."""
    asked = found = wrong = wrong_asked = located = 0
    right: List[Seen] = []
    for message, persons in zip(messages, truth.values()):
        entry = message.persons[0] if message.persons else None
        best = min((compare(entry, *person, fx) for person in persons), key=lambda one: one.off_px) if entry else None
        located += best is not None
        wrong += best is not None and not best.in_place
        if EYE_DISTANCE_M * fx / persons[0][2] >= smallest_px:
            asked += 1
            wrong_asked += best is not None and not best.in_place
            if best is not None and best.in_place and best.entry.valid:
                found += 1
                right.append(best)
    return {
        "pairs": len(messages),
        "located": located,
        "asked": asked,
        "found": share(found, asked),
        "wrong_place": share(wrong_asked, asked),
        "wrong_place_of_all_pairs": share(wrong, len(messages)),
        **errors(right),
    }


@app.command()
def pairs(
    folder: Annotated[Path, typer.Argument(help="Stereo pairs with calibration.json and truth.csv.")],
    view: ViewOption = "fine",
    smallest_px: Annotated[float, typer.Option(help="Least distance between the eyes that is asked for.")] = 6.0,
    as_json: Json = False,
) -> None:
    """Every pair of a folder against its truth."""
    truth = read_truth(folder)
    opened = open_source(f"pairs:{folder}", depth=DepthSettings(), mode=None, clock=SystemClock())
    opened.close()
    # Neighbouring pairs show other scenes: nothing can be said about how far somebody moved.
    messages = collect(settings_for(f"pairs:{folder}", view, jump=JumpSettings(mode="off")))
    if len(messages) != len(truth):
        raise InputError(f"{folder}: {len(messages)} pairs, but truth.csv lists {len(truth)}")
    figures = judge_pairs(messages, truth, opened.calibration.left.fx, smallest_px)
    show(figures, f"{folder.name}, view {view}", as_json)


#: A corner further off than this is wrong: farther or nearer than it is.
WRONG = 0.05
#: A corner that lies in other rows of both rectified pictures was found wrongly in one of them.
MOST_ROWS_APART = 1.5

Corners = NDArray[np.float64]


def find_corners(picture: NDArray[np.uint8], size: Tuple[int, int]) -> Optional[Corners]:
    """The inner corners (n, 2) of a chessboard to a fraction of a pixel, row by row; None: not all are seen."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    seen, corners = cv2.findChessboardCorners(grey, size)
    if not seen:
        return None
    stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 50, 0.001)
    return np.asarray(cv2.cornerSubPix(grey, corners, (5, 5), (-1, -1), stop), np.float64).reshape(-1, 2)


def corner_truth(frame: Frame, size: Tuple[int, int]) -> List[Tuple[float, float, float]]:
    """(u, v, z) of each corner, from the same corner in both eyes: a whole board is counted, so nothing misleads."""
    assert isinstance(frame.depth, StereoDepth)
    left, right = (find_corners(picture, size) for picture in (frame.picture, frame.depth.right()))
    if left is None or right is None:
        return []
    # A board may be counted from either end.
    right = min(right, right[::-1], key=lambda corners: float(np.abs(corners[:, 1] - left[:, 1]).max()))
    disparity = left[:, 0] - right[:, 0]
    if np.abs(right[:, 1] - left[:, 1]).max() > MOST_ROWS_APART or disparity.min() <= 0:
        return []
    depths = frame.calibration.focal_baseline / disparity
    return [(float(u), float(v), float(z)) for (u, v), z in zip(left, depths)]


def ask(frame: Frame, u: float, v: float, settings: DepthSettings) -> Person:
    """What a run would say of a person whose point between the eyes is this pixel."""
    ranger = Ranger(frame.calibration, settings, JumpSettings(mode="off"))
    located = Located((Keypoint(u, v, 1.0, 1.0, 1.0),), None, 1.0)
    return ranger.range(located, frame.depth, frame.stamp.monotonic_ns)[0]


def judge_corners(seen: Sequence[Tuple[Person, float]]) -> Dict[str, Any]:
    """``seen``: what was said of each corner, and its true depth in metres."""
    ratios = [person.position.depth_m / true_m for person, true_m in seen if person.position]
    refused = Counter(person.reason.value for person, _ in seen if person.reason)
    off = [abs(ratio - 1) for ratio in ratios]
    far = [ratio for ratio in ratios if ratio > 1 + WRONG]
    return {
        "corners": len(seen),
        "answered": share(len(ratios), len(seen)),
        **{f"refused_{reason}": share(count, len(seen)) for reason, count in sorted(refused.items())},
        "answered_or_ambiguous": share(len(ratios) + refused["ambiguous"], len(seen)),
        "wrong": sum(one > WRONG for one in off),
        "wrong_of_answered": share(sum(one > WRONG for one in off), len(ratios)),
        "too_far_of_answered": share(len(far), len(ratios)),
        "too_far_times_median": statistics.median(far) if far else None,
        "depth_error_median": statistics.median(off) if off else None,
        "depth_error_p95": float(np.percentile(off, 95)) if off else None,
    }


@app.command()
def chessboard(
    folder: Annotated[Path, typer.Argument(help="Stereo pairs of a chessboard with calibration.json.")],
    columns: Annotated[int, typer.Option(help="Inner corners of the board along its rows.", min=3)] = 9,
    rows: Annotated[int, typer.Option(help="Inner corners of the board along its columns.", min=3)] = 6,
    near_m: Annotated[float, typer.Option(help="Nearest depth that is accepted; boards are held near.")] = 0.3,
    as_json: Json = False,
) -> None:
    """Every corner of a chessboard, as if it were a person's place, against its truth."""
    settings = DepthSettings(near_m=near_m)
    source = open_source(f"pairs:{folder}", depth=settings, mode=None, clock=SystemClock())
    seen: List[Tuple[Person, float]] = []
    frames = boards = 0
    while not isinstance(grab := source.read(), End):
        frames += 1
        truth = corner_truth(grab, (columns, rows)) if isinstance(grab, Frame) else []
        boards += bool(truth)
        seen += [(ask(grab, u, v, settings), z) for u, v, z in truth if isinstance(grab, Frame)]
    source.close()
    if not seen:
        raise InputError(
            f"{folder}: none of {frames} pairs shows a whole chessboard of {columns} x {rows} inner corners to both "
            "eyes; --columns and --rows tell its size"
        )
    show({"pairs": frames, "boards": boards, **judge_corners(seen)}, f"{folder.name}, chessboard", as_json)


def percent(value: Optional[float]) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def show(figures: Dict[str, Any], title: str, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(figures))
        return
    table = Table("figure", "value", title=title)
    for name, value in figures.items():
        parts = value if isinstance(value, list) else [value]
        table.add_row(name, ", ".join(f"{part:.4g}" if isinstance(part, float) else str(part) for part in parts))
    Console().print(table)


def main() -> None:
    """Errors to one line, as `nasion` has them."""
    try:
        app()
    except NasionError as error:
        typer.echo(f"measure: {error}", err=True)
        raise SystemExit(error.exit_code) from None


if __name__ == "__main__":
    main()
