"""The report of one model as a self-contained HTML page, from the object that `summarise` made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.judging import markup, plots, wording
from training.judging.sheets import Thumbnail
from training.judging.summary import THRESHOLD_ORIGINS

#: How many pictures a contact sheet shows at most.
PER_SHEET = 36


@dataclass(frozen=True)
class Sheets:
    """The first ``PER_SHEET`` thumbnails of each list of mistakes."""

    false_positives: list[Thumbnail]
    false_negatives: list[Thumbnail]
    wrong_places: list[Thumbnail]
    worst_placed: list[Thumbnail]


def report_page(summary: dict[str, Any], sheets: Sheets, errors: Sequence[float], written: str | None = None) -> str:
    """``errors``: of everybody found, in eye distances; ``written``: when, for the page's foot, only if it is given."""
    return markup.page(
        f"{summary['model']['file']}: how good it is",
        [
            _about(summary),
            _headline(summary),
            _confusion(summary["figures"]["confusion"]),
            _curves(summary, errors),
            _sizes(summary),
            _sources(summary["figures"]),
            _keypoints(summary["figures"]),
            _yunet(summary["yunet"]),
            *_mistakes(summary, sheets),
            _names(summary),
            *([markup.paragraph(f"Written {written}.", soft=True)] if written else []),
        ],
    )


def _about(summary: dict[str, Any]) -> str:
    model, data = summary["model"], summary["data"]
    origin = THRESHOLD_ORIGINS[model["threshold_from"]]
    return markup.facts(
        [
            ("pictures", f"{data['pictures']} of the split {data['split']}"),
            ("threshold", f"{model['threshold']:g}, {origin}"),
            ("SHA-256 of the model", model["sha256"]),
            ("SHA-256 of the label tables", data["tables_sha256"]),
        ]
    )


def _headline(summary: dict[str, Any]) -> str:
    figures = summary["figures"]
    return markup.section(
        "In short",
        markup.tiles((wording.percent(figures[name]), what) for name, what in wording.HEADLINES.items()),
        markup.paragraph(
            "Anywhere: a peak over the threshold counts wherever it lies, as the original counted. In place: it must "
            "lie within half an eye distance (at least 2 pixels) of a listed face. Every picture is "
            f"{wording.searched(summary['looks_px'])}.",
            soft=True,
        ),
    )


def _confusion(confusion: dict[str, Any]) -> str:
    free, placed = confusion["location_free"], confusion["in_place"]
    return markup.section(
        "Confusion",
        markup.side_by_side(
            [
                markup.table(
                    ("", "found", "nobody"),
                    [
                        ("with a person", str(free["tp"]), str(free["fn"])),
                        ("without", str(free["fp"]), str(free["tn"])),
                    ],
                    "Anywhere",
                ),
                markup.table(
                    ("", "in place", "elsewhere", "nobody"),
                    [
                        ("with a person", str(placed["tp"]), str(placed["elsewhere"]), str(placed["fn"])),
                        ("without", "–", str(placed["fp"]), str(placed["tn"])),
                    ],
                    "In place",
                ),
            ]
        ),
    )


def _curves(summary: dict[str, Any], errors: Sequence[float]) -> str:
    figures, curve = summary["figures"], summary["threshold_curve"]
    return markup.section(
        "Curves",
        markup.side_by_side(
            [
                markup.drawing(
                    plots.threshold_plot(curve, figures["threshold"]), "Over the threshold; the line: the one in use."
                ),
                markup.drawing(plots.precision_recall_plot(curve, figures), "Precision over recall, anywhere."),
                markup.drawing(
                    plots.error_plot(errors, figures["positives"]),
                    "Share of all people whose point was found within an error, of the eye distance.",
                ),
                markup.drawing(plots.size_plot(figures["by_eye_distance"]), "Recall by the size of the face."),
            ]
        ),
    )


def _sizes(summary: dict[str, Any]) -> str:
    metres, rows = summary["metres"], summary["figures"]["by_eye_distance"]
    columns = wording.metre_columns(metres["by_eye_distance"][0]["metres"])
    focal = ", ".join(f"{value:g} at {name}" for name, value in metres["focal_px"].items())
    return markup.section(
        "By size, and in metres",
        markup.paragraph(wording.reach_words(metres["reach"])),
        markup.table(
            (*wording.SIZE_HEAD, *(f"m, {column}" for column in columns)),
            (
                (*wording.size_row(row), *wording.metre_cells(distance["metres"]))
                for row, distance in zip(rows, metres["by_eye_distance"], strict=True)
            ),
        ),
        markup.paragraph(
            "Eye distances are those in the picture that the network sees. In metres: for each view and camera format, "
            f"how far away a person with {1000 * metres['interpupillary_m']:g} mm between the pupils who faces the "
            f"camera is then, with a focal length of {focal} pixels; another focal length changes the metres in "
            "proportion. It is worked out from the photographs by size, not measured with a camera. "
            + wording.of_streams(summary["looks_px"]),
            soft=True,
        ),
    )


def _sources(figures: dict[str, Any]) -> str:
    rows = (wording.source_row(source, row) for source, row in figures["by_source"].items())
    return markup.section("By source", markup.table(wording.SOURCE_HEAD, rows))


def _keypoints(figures: dict[str, Any]) -> str:
    rows = (wording.error_row(what, figures[name]) for name, what in wording.ERRORS.items())
    return markup.section("Keypoint error, of the eye distance", markup.table(wording.ERROR_HEAD, rows))


def _yunet(compared: dict[str, Any] | None) -> str:
    title = "Beside YuNet"
    if compared is None:
        return markup.section(title, markup.paragraph("Not compared: no --yunet FILE was given."))
    found, errors = compared["found_in_place"], compared["error"]
    return markup.section(
        title,
        markup.paragraph(
            f"Of {compared['pictures']} pictures whose most prominent face people marked, the model found "
            f"{found['model']} in place and YuNet {found['yunet']}. Keypoint errors on the {compared['both']} where "
            "both found a face that people marked:"
        ),
        markup.table(
            wording.ERROR_HEAD,
            [wording.error_row("model", errors["model"]), wording.error_row("YuNet", errors["yunet"])],
        ),
        markup.paragraph(
            "Only these pictures, because YuNet labelled most of the others and would be compared with itself. The "
            "model was taught from people's marks of the same kind (other pictures); YuNet has its own notion of an "
            "eye's centre, and a part of its error is that.",
            soft=True,
        ),
    )


def _mistakes(summary: dict[str, Any], sheets: Sheets) -> list[str]:
    placed = summary["figures"]["confusion"]["in_place"]["tp"]
    parts = [
        ("False positives", sheets.false_positives, len(summary["false_positives"]), "Surest first."),
        ("False negatives", sheets.false_negatives, len(summary["false_negatives"]), "Least probable first."),
        ("Found in a wrong place", sheets.wrong_places, len(summary["wrong_places"]), "Farthest off first."),
        ("In place, but worst placed", sheets.worst_placed, placed, "Farthest off first."),
    ]
    ring = " Rings: marked points; cross: the highest peak; colours: the heat map."
    return [
        markup.section(title, markup.paragraph(order + ring, soft=True), markup.sheet(thumbnails, of))
        for title, thumbnails, of, order in parts
    ]


def _names(summary: dict[str, Any]) -> str:
    lists = {
        "false_positives": "False positives",
        "false_negatives": "False negatives",
        "wrong_places": "Found in a wrong place",
    }
    return markup.section(
        "All names",
        *(
            markup.names(title, [f"{row['image']} (p {row['probability']:.2f})" for row in summary[name]])
            for name, title in lists.items()
        ),
    )
