"""Files with fixed input sizes, one for each view, from one released file: ``python -m export.views MODEL --out DIR``.

For tools that want no open dimensions. The weights are the same; nothing is trained or judged anew.
"""

from pathlib import Path
from typing import Annotated

import onnx
import typer
from nasion.core.views import INPUT_SIZES
from onnxruntime.tools.onnx_model_utils import make_input_shape_fixed

from export.outputs import Force, require_outputs, written_together
from export.to_onnx import INPUT
from training.command import run
from training.errors import WorkshopError


def fix_size(model: Path, batch: int, height: int, width: int, out: Path) -> None:
    """Write ``model`` to ``out`` with the input shape (``batch``, 3, ``height``, ``width``)."""
    try:
        proto = onnx.load(model)
    except Exception as error:
        # protobuf has its own kinds of error for what is no ONNX file at all.
        raise WorkshopError(f"{model}: not a readable ONNX file ({error}); take one of `python -m export`") from error
    make_input_shape_fixed(proto.graph, INPUT, [batch, 3, height, width])
    proto = onnx.shape_inference.infer_shapes(proto)
    onnx.checker.check_model(proto)
    out.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(proto, out)


def views(
    model: Annotated[Path, typer.Argument(help="ONNX file of `python -m export`.")],
    out: Annotated[Path, typer.Option(help="Folder to write to.")],
    batch: Annotated[int, typer.Option(min=1, help="Pictures at a time.")] = 1,
    force: Force = False,
) -> None:
    """Write MODEL once for each view, with its input size fixed."""
    files = {out / f"{model.stem}-{width}x{height}.onnx": (height, width) for height, width in INPUT_SIZES.values()}
    require_outputs(list(files), reads=[model], force=force)
    with written_together(list(files)) as stage:
        for path, (height, width) in files.items():
            fix_size(model, batch, height, width, stage / path.name)
    for path in files:
        typer.echo(path)


if __name__ == "__main__":
    run(views)
