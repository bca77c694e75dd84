"""Figures in words and cells, the same in the terminal and in the report."""

from collections.abc import Sequence
from typing import Any

#: The figures over all pictures, in the order they are shown, with what they are called.
HEADLINES = {
    "right_location_free": "right, anywhere (accuracy)",
    "right_in_place": "right, in place",
    "recall": "recall, anywhere",
    "recall_in_place": "recall, in place",
    "specificity": "specificity",
    "precision": "precision, anywhere",
    "precision_in_place": "precision, in place",
    "negative_predictive_value": "negative predictive value",
    "roc_auc": "area under ROC",
    "average_precision": "average precision",
}
#: The three kinds of keypoint error.
ERRORS = {
    "error_in_place": "found in place",
    "error": "found anywhere",
    "error_human_marked": "marked by people",
}
ERROR_HEAD = ("of those", "pictures", "median", "95 %", "median px", "95 % px")
SIZE_HEAD = ("eyes, px", "pictures", "recall", "in place", "median error")
SOURCE_HEAD = ("source", "pictures", "right", "in place", "recall", "in place", "specificity")


def searched(looks: Sequence[int]) -> str:
    """How the pictures were searched, by the longest sides of the looks at each of them."""
    if len(looks) == 1:
        return f"searched whole, by one look with the longest side at {looks[0]} px, as a stream's frames are"
    sizes = listed(*map(str, looks))
    return f"searched whole, by looks with the longest side at {sizes} px {agreeing(looks)}, as nasion locate does"


def listed(*words: str) -> str:
    """Two or more: ``a, b and c``."""
    *others, last = words
    return f"{', '.join(others)} and {last}"


def agreeing(looks: Sequence[int]) -> str:
    """Which of several looks must see a person."""
    return "that must agree" if len(looks) == 2 else "of which two neighbours must agree"


def of_streams(looks: Sequence[int]) -> str:
    """What to keep in mind where metres of a stream are told of these looks; empty where there is nothing."""
    return "" if len(looks) == 1 else "A stream looks once, and sees a little less; --one-look judges that."


def percent(value: float | None) -> str:
    """A share with one decimal, – where there is none."""
    return "–" if value is None else f"{100 * value:.1f} %"


def points(value: float | None) -> str:
    """A difference of shares in percentage points, with its sign; – where there is none."""
    return "–" if value is None else f"{100 * value:+.1f}"


def pixels(value: float | None) -> str:
    """A length in pixels, – where there is none."""
    return "–" if value is None else f"{value:.2f}"


def span(edges: Sequence[float | None]) -> str:
    """The edges of a bin: ``4–6``, and ``48–`` where it has no upper one."""
    return "–".join("" if edge is None else f"{edge:g}" for edge in edges)


def error_row(name: str, error: dict[str, Any]) -> tuple[str, ...]:
    """The cells of ``ERROR_HEAD``."""
    relative = (percent(error.get("median_eye_distances")), percent(error.get("p95_eye_distances")))
    return name, str(error["pictures"]), *relative, pixels(error.get("median_px")), pixels(error.get("p95_px"))


def size_row(row: dict[str, Any]) -> tuple[str, ...]:
    """The cells of ``SIZE_HEAD`` for a row of `by_eye_distance`."""
    shares = (row["recall"], row["recall_in_place"], row["median_eye_distances"])
    return span(row["eye_distance_px"]), str(row["pictures"]), *map(percent, shares)


def source_row(source: str, row: dict[str, Any]) -> tuple[str, ...]:
    """The cells of ``SOURCE_HEAD`` for an entry of `by_source`."""
    names = ("right", "right_in_place", "recall", "recall_in_place", "specificity")
    return source, str(row["pictures"]), *(percent(row[name]) for name in names)


def metre_span(edges: Sequence[float | None]) -> str:
    """Nearest and farthest metres: ``2.8–4.2``, ``≥ 8.3`` without a farthest, ``≤ 0.3`` without a nearest."""
    near, far = (None if edge is None else f"{edge:.1f}" for edge in edges)
    if near and far:
        return f"{near}–{far}"
    return f"≥ {near}" if near else f"≤ {far}" if far else "–"


def metre_columns(metres: dict[str, Any]) -> list[str]:
    """The heads of `metre_cells`."""
    return [f"{view} {camera}" for view, cameras in metres.items() for camera in cameras]


def metre_cells(metres: dict[str, Any]) -> list[str]:
    """One cell for each view and camera format of an entry of `metres_of_bins`."""
    return [metre_span(edges) for cameras in metres.values() for edges in cameras.values()]


def reach_words(reached: dict[str, Any] | None) -> str:
    """How far people are still found, in a sentence."""
    if reached is None:
        return "No distance can be named up to which nine of ten people are found in place."
    ways = "; ".join(
        f"{view} " + ", ".join(f"{metres:.1f} m at {camera}" for camera, metres in cameras.items())
        for view, cameras in reached["metres"].items()
    )
    return (
        f"At least {100 * reached['recall_in_place']:.0f} % of the people are found in place in every bin from "
        f"{reached['eye_distance_px']:g} pixels between the eyes on. That is up to: {ways}."
    )
