"""The comparison of two models as a self-contained HTML page, from the object that `training.compare` made."""

from collections.abc import Sequence
from typing import Any

from training.judging import markup, wording
from training.judging.sheets import Thumbnail
from training.judging.summary import THRESHOLD_ORIGINS

#: The two ways to be right, as they are called.
WAYS = {"location_free": "anywhere", "in_place": "in place"}
FIGURE_HEAD = ("figure", "A", "B", "B − A, points")
TEST_HEAD = ("right", "both", "only A", "only B", "neither", "McNemar's p")


def figure_rows(comparison: dict[str, Any]) -> list[tuple[str, ...]]:
    """The cells of ``FIGURE_HEAD``."""
    a, b = comparison["a"]["figures"], comparison["b"]["figures"]
    return [
        (wording.HEADLINES[name], wording.percent(a[name]), wording.percent(b[name]), wording.points(difference))
        for name, difference in comparison["difference"].items()
    ]


def pair_rows(comparison: dict[str, Any]) -> list[tuple[str, ...]]:
    """The cells of ``TEST_HEAD``, one row for each way to be right."""
    rows = []
    for way, what in WAYS.items():
        pairs = comparison["pairs"][way]
        counts = (pairs["both_right"], len(pairs["only_a_right"]), len(pairs["only_b_right"]), pairs["both_wrong"])
        rows.append((what, *map(str, counts), p_value(pairs["mcnemar_p"])))
    return rows


def p_value(p: float) -> str:
    """A probability with two digits that count."""
    return f"{p:.2g}" if p >= 0.0001 else "< 0.0001"


def comparison_page(comparison: dict[str, Any], only_a: Sequence[Thumbnail], only_b: Sequence[Thumbnail]) -> str:
    """``only_a``, ``only_b``: the first thumbnails of the pictures where only that model is right in place."""
    in_place = comparison["pairs"]["in_place"]
    cross = "Rings: marked points; green cross: A's highest peak; blue cross: B's."
    return markup.page(
        f"A: {comparison['a']['model']['file']}, B: {comparison['b']['model']['file']}",
        [
            _about(comparison),
            markup.section("Figures", markup.table(FIGURE_HEAD, figure_rows(comparison))),
            markup.section(
                "Is the difference more than chance?",
                markup.table(TEST_HEAD, pair_rows(comparison)),
                markup.paragraph(
                    "p: how often two equally good models would differ at least so much on these pictures (McNemar's "
                    "exact test). Below 0.05 is usually called a difference.",
                    soft=True,
                ),
            ),
            markup.section(
                "Keypoints",
                markup.table(wording.ERROR_HEAD, error_rows(comparison)),
            ),
            markup.section(
                "Right in place only with A",
                markup.paragraph(cross, soft=True),
                markup.sheet(only_a, len(in_place["only_a_right"])),
            ),
            markup.section(
                "Right in place only with B",
                markup.paragraph(cross, soft=True),
                markup.sheet(only_b, len(in_place["only_b_right"])),
            ),
            markup.section(
                "All names",
                *(
                    markup.names(
                        f"Right {what} only with {name.upper()}", comparison["pairs"][way][f"only_{name}_right"]
                    )
                    for way, what in WAYS.items()
                    for name in ("a", "b")
                ),
            ),
        ],
    )


def error_rows(comparison: dict[str, Any]) -> list[tuple[str, ...]]:
    """The cells of ``wording.ERROR_HEAD``: each model's error, and the way between the two."""
    return [
        *(
            wording.error_row(f"{name.upper()}, {what}", comparison[name]["figures"][kind])
            for kind, what in wording.ERRORS.items()
            for name in ("a", "b")
        ),
        wording.error_row("from A to B, both found", comparison["keypoint_shift"]),
    ]


def _about(comparison: dict[str, Any]) -> str:
    rows = [("pictures", f"{comparison['data']['pictures']} of the split {comparison['data']['split']}")]
    for name in ("a", "b"):
        model = comparison[name]["model"]
        origin = THRESHOLD_ORIGINS[model["threshold_from"]]
        rows.append((f"threshold of {name.upper()}", f"{model['threshold']:g}, {origin}"))
        rows.append((f"SHA-256 of {name.upper()}", model["sha256"]))
    rows.append(("SHA-256 of the label tables", comparison["data"]["tables_sha256"]))
    return markup.facts(rows)
