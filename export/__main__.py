"""Release a trained network: ``python -m export CHECKPOINT --data FOLDER --out weights/nasion-lite.onnx``.

Writes the ONNX file with threshold and figures inside, the figures as JSON and the model card beside it. The threshold
is chosen on the held-out tenth of the training pictures; the validation pictures only judge.
"""

import hashlib
import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from nasion.core.views import INPUT_SIZES
from nasion.engine.metadata import ModelMetadata
from nasion.errors import NasionError

from export.card import write_card
from export.to_onnx import ParityError, check_parity, export_onnx
from training.data.table import of_split, read_table
from training.data.target import TargetConfig
from training.errors import WorkshopError
from training.evaluate import answers_of
from training.judging.figures import choose_threshold, judge
from training.network.checkpoint import load_network


def _digest(folder: Path) -> str:
    tables = b"".join((folder / name).read_bytes() for name in ("labels.csv", "all_faces.csv"))
    return hashlib.sha256(tables).hexdigest()


def release(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint of training.train.")],
    data: Annotated[Path, typer.Option(help="The folder it was trained on.")],
    out: Annotated[Path, typer.Option(help="The ONNX file to write; card and figures go beside it.")],
    version: Annotated[str, typer.Option(help="Version of the weights.")] = "1",
    trained_with: Annotated[
        str, typer.Option(help="The command that trained it, for the card.")
    ] = "python -m training.train --data DATA --out RUN",
) -> None:
    """Export, choose the threshold, judge, and write model, figures and card."""
    try:
        network, pictures = load_network(checkpoint), read_table(data)
        metadata = ModelMetadata(
            name=out.stem,
            version=version,
            stride=network.config.head_stride,
            sigma_px=TargetConfig().sigma_px,
            threshold=0.5,
            keypoint="the middle of the straight line between the centres of the two eyes",
            sizes=", ".join(f"{width}x{height}" for height, width in INPUT_SIZES.values()),
            data_digest=_digest(data),
            metrics="{}",
            licence="research use only (terms of the training pictures); see the model card",
        )
        with TemporaryDirectory() as folder:
            draft = Path(folder) / "draft.onnx"
            export_onnx(network, metadata, draft)
            for size in INPUT_SIZES.values():
                for batch in (1, 2):
                    check_parity(network, draft, (batch, 3, *size))
            threshold = choose_threshold(answers_of(draft, of_split(pictures, "hold_out")))
            figures = judge(answers_of(draft, of_split(pictures, "val")), threshold)
        metadata = metadata.model_copy(update={"threshold": threshold, "metrics": json.dumps(figures)})
        export_onnx(network, metadata, out)
        check_parity(network, out, (1, 3, 224, 224))
    except (WorkshopError, ParityError, NasionError) as error:
        typer.echo(f"export: {error}", err=True)
        raise typer.Exit(2) from None
    out.with_suffix(".json").write_text(json.dumps(figures, indent=2) + "\n")
    write_card(out.with_suffix(".md"), out, metadata, figures, trained_with)
    right, in_place = figures["right_location_free"], figures["recall_in_place"]
    typer.echo(f"{out}: threshold {threshold:g}, right anywhere {right:.4f}, recall in place {in_place:.4f}")


if __name__ == "__main__":
    typer.run(release)
