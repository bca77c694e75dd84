"""Everything a report says, as one JSON object: figures, curve, metres, comparison, and the names of the mistakes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.judging.answer import Answer, error_in_eye_distances
from training.judging.curve import threshold_curve
from training.judging.figures import judge
from training.judging.metres import CAMERAS, INTERPUPILLARY_M, metres_of_bins, reach
from training.judging.mistakes import Mistakes

#: Why a threshold is what it is, in words.
THRESHOLD_ORIGINS = {
    "given": "given on the command line",
    "model": "the model's own",
    "hold_out": "chosen on the held-out pictures, because a checkpoint has none",
}


@dataclass(frozen=True)
class Subject:
    """What was judged, on what: names without folders, so that two machines write the same report."""

    model: str
    model_digest: str
    threshold: float
    threshold_from: str
    data_digest: str
    split: str
    looks: Sequence[int]

    def facts(self, pictures: int) -> dict[str, Any]:
        """As the report's JSON has it, with the number of pictures."""
        return {
            "model": {
                "file": self.model,
                "sha256": self.model_digest,
                "threshold": self.threshold,
                "threshold_from": self.threshold_from,
            },
            "looks_px": list(self.looks),
            "data": {"tables_sha256": self.data_digest, "split": self.split, "pictures": pictures},
        }


def summarise(
    subject: Subject, answers: Sequence[Answer], wrong: Mistakes, yunet: dict[str, Any] | None
) -> dict[str, Any]:
    """The JSON object of a report. ``yunet``: what `compare_keypoints` gave, None where it was not compared."""
    figures = judge(answers, subject.threshold)
    rows = figures["by_eye_distance"]
    return {
        **subject.facts(len(answers)),
        "figures": figures,
        "threshold_curve": threshold_curve(answers),
        "metres": {
            "interpupillary_m": INTERPUPILLARY_M,
            "focal_px": {name: camera.fx for name, camera in CAMERAS.items()},
            "by_eye_distance": metres_of_bins(rows),
            "reach": reach(rows),
        },
        "yunet": yunet,
        "false_positives": [_named(a) for a in wrong.false_positives],
        "false_negatives": [_named(a) for a in wrong.false_negatives],
        "wrong_places": [_named(a) for a in wrong.wrong_places],
    }


def _named(answer: Answer) -> dict[str, Any]:
    named: dict[str, Any] = {"image": answer.picture.path.name, "probability": answer.probability}
    error = error_in_eye_distances(answer)
    return named if error is None else {**named, "error_eye_distances": error}
