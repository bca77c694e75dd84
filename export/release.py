"""What a release consists of: the float file, its INT8 twin, the figures of both, and the card."""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata
from nasion.locating import ONE_LOOK

from export.quantise import Activations, quantise
from export.to_onnx import ParityError, check_parity, export_onnx, write_metadata
from training.data.pixels import read_bgr
from training.data.table import Picture, of_split
from training.judging.figures import choose_threshold, judge
from training.judging.opened import answers_of
from training.judging.pairs import Judged, keypoint_shift
from training.network.unet import UNet

#: Most that the INT8 file may lose against the float file: share of right answers, and shift of its peaks, pixels.
INT8_MAY_LOSE, INT8_MAY_SHIFT_PX = 0.003, 0.3
#: On the held-out pictures. Nobody is harder to leave alone there than in the validation pictures: of those without
#: people three in ten are streets there, one in eight here.
DEFAULT_SPECIFICITY = 0.985
Specificity = Annotated[
    float, typer.Option(min=0, max=1, help="Share of the pictures of nobody that the threshold must leave alone.")
]
#: Pictures that show the quantiser what values there are.
CALIBRATED_WITH = 128


@dataclass(frozen=True)
class Thresholds:
    """Of a released file: for ``one_look``, as streams have it, and where several must agree, as in `nasion locate`."""

    one_look: float
    agreed: float

    def applied(self, metadata: ModelMetadata, figures: dict[str, Any]) -> ModelMetadata:
        """``metadata`` with the thresholds, and with the figures that they give."""
        told = {"threshold": self.one_look, "agreed_threshold": self.agreed, "metrics": json.dumps(figures)}
        return metadata.model_copy(update=told)


def release_thresholds(model: Path, pictures: Sequence[Picture], specificity: float) -> Thresholds:
    """Those of the ONNX file ``model``, each chosen on the hold-out as it will be used."""
    held_out = of_split(pictures, "hold_out")
    one_look, agreed = (
        choose_threshold(answers_of(model, held_out, looks=looks), specificity=specificity)
        for looks in (ONE_LOOK, None)
    )
    return Thresholds(one_look, agreed)


def released_figures(model: Path, pictures: Sequence[Picture], thresholds: Thresholds) -> tuple[dict[str, Any], Judged]:
    """`judge`'s figures of the validation split as `nasion locate` sees it, with those of one look, as a stream has
    it, as ``one_look``; and the answers as `nasion locate` gives them."""
    judged = of_split(pictures, "val")
    answers = answers_of(model, judged)
    one_look = judge(answers_of(model, judged, looks=ONE_LOOK), thresholds.one_look)
    return {**judge(answers, thresholds.agreed), "one_look": one_look}, Judged(answers, thresholds.agreed)


@dataclass(frozen=True)
class Int8Figures:
    """The INT8 ``file`` against the float file on the same pictures, each at its own threshold."""

    file: Path
    figures: dict[str, Any]
    lost: float
    shift_px: float | None

    @property
    def good(self) -> bool:
        """Whether it may be released."""
        return self.lost <= INT8_MAY_LOSE and self.shift_px is not None and self.shift_px < INT8_MAY_SHIFT_PX

    @property
    def moves(self) -> str:
        """How far its peaks lie from the float file's, in words."""
        if self.shift_px is None:
            return "finds nobody whom the float file finds, so that no peaks can be compared"
        return f"moves peaks by {self.shift_px:.3f} px in the middle"


def release_float(
    network: UNet, draft: ModelMetadata, pictures: Sequence[Picture], specificity: float, out: Path
) -> tuple[ModelMetadata, dict[str, Any], Judged]:
    """Write ``out`` with its thresholds, chosen on the hold-out, and its figures of the validation split.

    Returns what the file says of itself, the figures, and the answers they are counted from.

    ParityError: the file does not compute what the network does at some view's size, for one picture or two.
    """
    with TemporaryDirectory() as folder:
        trial = Path(folder) / "draft.onnx"
        export_onnx(network, draft, trial)
        for size in INPUT_SIZES.values():
            for batch in (1, 2):
                check_parity(network, trial, (batch, 3, *size))
        return _judged(trial, draft, pictures, specificity, out)


def release_again(
    model: Path, draft: ModelMetadata, pictures: Sequence[Picture], specificity: float, out: Path
) -> tuple[ModelMetadata, dict[str, Any], Judged]:
    """`release_float` with the graph and the weights of ``model``, a float file of an earlier release, as they are."""
    with TemporaryDirectory() as folder:
        trial = Path(folder) / "draft.onnx"
        shutil.copyfile(model, trial)
        write_metadata(trial, draft)
        return _judged(trial, draft, pictures, specificity, out)


def _judged(
    trial: Path, draft: ModelMetadata, pictures: Sequence[Picture], specificity: float, out: Path
) -> tuple[ModelMetadata, dict[str, Any], Judged]:
    """Judge ``trial``, and move it to ``out`` with thresholds and figures."""
    thresholds = release_thresholds(trial, pictures, specificity)
    figures, answers = released_figures(trial, pictures, thresholds)
    metadata = thresholds.applied(draft, figures)
    write_metadata(trial, metadata)
    out.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(trial, out)
    return metadata, figures, answers


def release_int8(
    model: Path,
    expected: Judged,
    pictures: Sequence[Picture],
    specificity: float,
    out: Path,
    activations: Activations = "uint8",
) -> Int8Figures:
    """Write the INT8 twin of ``model`` to ``out``, calibrated on training pictures, judged on the validation split.

    ``expected``: what ``model`` says of the validation pictures, and its threshold. The twin's own thresholds are
    chosen as its were, on the hold-out: coarser numbers lift or lower all peaks a little.

    ParityError: it lost more than `INT8_MAY_LOSE` or moved its peaks by `INT8_MAY_SHIFT_PX`; ``out`` is left as it was.
    """
    training = of_split(pictures, "train")
    some = training[:: max(len(training) // CALIBRATED_WITH, 1)][:CALIBRATED_WITH]
    with TemporaryDirectory() as folder:
        trial = Path(folder) / out.name
        metadata = quantise(model, trial, [read_bgr(p.path) for p in some], activations)
        thresholds = release_thresholds(trial, pictures, specificity)
        after, found = released_figures(trial, pictures, thresholds)
        before = judge(expected.answers, expected.threshold)
        result = Int8Figures(
            file=out,
            figures=after,
            lost=before["right_location_free"] - after["right_location_free"],
            shift_px=keypoint_shift(expected, found).get("median_px"),
        )
        if not result.good:
            raise ParityError(
                f"{out.name}: loses {100 * result.lost:.2f} points and {result.moves}; at most "
                f"{100 * INT8_MAY_LOSE:g} points and less than {INT8_MAY_SHIFT_PX:g} px are right; nothing is written "
                "(without the INT8 file: --no-int8)"
            )
        write_metadata(trial, thresholds.applied(metadata, after))
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(trial, out)
    return result
