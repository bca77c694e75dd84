"""The nvinfer files of the released models: ``python -m export.nvinfer --check`` or ``--write``.

What a file says follows from its view and from the model's own metadata, so that the two cannot disagree. The default
model, `nasion-lite`, gives ``nasion_<view>.txt``, its INT8 twin ``nasion_<view>_int8.txt``, and an INT8 model whose
8-bit numbers TensorRT can take, ``nasion_<view>_int8_tensorrt.txt``. Files of another model begin with its name, e.g.
``nasion_unet_<view>.txt``.
"""

import os
from pathlib import Path
from typing import Annotated

import typer
from nasion.core.views import INPUT_SIZES
from nasion.settings import View
from nasion.tensorrt.onnx_facts import OnnxFacts, read_onnx_facts

from training.command import run
from training.errors import WorkshopError

ROOT = Path(__file__).parents[1]
#: The model that the program takes where none is named: `nasion.config.nvinfer.default_nvinfer_file` finds its files.
DEFAULT_MODEL = "nasion-lite"

#: What a view is, in the words of its file.
_SEEN: dict[View, str] = {
    "centre": "The original's view: a centre crop of 896 x 896 (1080p) or 672 x 672 (720p), made before nvinfer.",
    "full": "The whole frame, scaled to 480 wide, padded with 0 at the bottom to 288.",
    "fine": "The whole frame, scaled to 960 wide, padded with 0 at the bottom to 544.",
}
_BOTH = 'How the network is fed for view "{view}", for nvinfer (DeepStream 6.3 to 9.x) and for the CPU engine alike.'
#: First lines by how the activations are quantised.
_FOR: dict[str | None, list[str]] = {
    None: [_BOTH],
    "unsigned": [
        'How the INT8 network is fed for view "{view}", for the CPU engine alone: TensorRT takes only symmetric signed',
        "8-bit numbers, and the activations of this one are unsigned, which processors multiply fastest.",
    ],
    "signed": [
        _BOTH,
        "nvinfer builds no INT8 engine from it: scripts/build_engine does, and writes the nvinfer file that loads it.",
    ],
}
_SUFFIXES: dict[str | None, str] = {None: "", "unsigned": "_int8", "signed": "_int8_tensorrt"}
#: nvinfer's network-mode and what it is called.
_MODES: dict[bool, tuple[int, str]] = {False: (2, "FP16"), True: (1, "INT8")}


def file_name(view: View, facts: OnnxFacts) -> str:
    """Name of the file that feeds the model ``facts`` in ``view``."""
    name = facts.metadata.name
    stem = "nasion" if name == DEFAULT_MODEL else name.replace("-", "_")
    return f"{stem}_{view}{_SUFFIXES[facts.activations]}.txt"


def file_text(view: View, facts: OnnxFacts, onnx_file: str) -> str:
    """Content of that file; ``onnx_file`` is the model as seen from it.

    WorkshopError: the model was not checked at the view's size, or its 8-bit numbers suit no engine.
    """
    height, width = INPUT_SIZES[view]
    if f"{width}x{height}" not in facts.metadata.sizes.split(", "):
        raise WorkshopError(
            f"{facts.path}: view {view!r} needs {width}x{height}, but the model was checked at {facts.metadata.sizes}"
        )
    if facts.activations == "other":
        raise WorkshopError(f"{facts.path}: {facts.why_other}; quantise it with python -m export.int8")
    facts.check_input(1, height, width)
    head = [line.format(view=view) for line in _FOR[facts.activations]]
    mode, called = _MODES[facts.activations is not None]
    comments = [
        *head,
        _SEEN[view],
        "Comments stand on lines of their own: nvinfer takes text after a value as part of the value.",
        "Mean and standard deviation are nodes of the network's graph; hence net-scale-factor=1 and no offsets.",
    ]
    keys = f"""\
[property]
gie-unique-id=1
process-mode=1
network-type=100
output-tensor-meta=1
batch-size=1
onnx-file={onnx_file}
infer-dims=3;{height};{width}
# 0: RGB
model-color-format=0
net-scale-factor=1.0
maintain-aspect-ratio=1
# 1: bilinear; nvinfer's own default is nearest
scaling-filter=1
# {mode}: {called}
network-mode={mode}
"""
    return "".join(f"# {line}\n" for line in comments) + keys


def generated(weights: Path, configs: Path) -> dict[str, str]:
    """Every file by name, for all models in ``weights``. WorkshopError where two models claim the same file."""
    models = sorted(weights.glob("*.onnx"))
    if not models:
        raise WorkshopError(f"{weights}: no .onnx file; python -m export writes them")
    files: dict[str, str] = {}
    claimed: dict[str, Path] = {}
    for model in models:
        facts = read_onnx_facts(model)
        seen_from_there = Path(os.path.relpath(model, configs)).as_posix()
        for view in INPUT_SIZES:
            name = file_name(view, facts)
            if name in files:
                raise WorkshopError(
                    f"{model} and {claimed[name]} both want {name}; give one of them another name or remove it"
                )
            files[name], claimed[name] = file_text(view, facts, seen_from_there), model
    return files


def differences(files: dict[str, str], configs: Path) -> list[str]:
    """What is missing, what says otherwise and what belongs to no model, one line each."""
    found = []
    for name, text in files.items():
        path = configs / name
        if not path.is_file():
            found.append(f"{path} is missing")
        elif path.read_text(encoding="utf-8") != text:
            found.append(f"{path} disagrees with its model")
    left = sorted(path for path in configs.glob("nasion_*.txt") if path.name not in files)
    return found + [f"{path} belongs to no released model" for path in left]


def nvinfer(
    check: Annotated[bool, typer.Option("--check", help="Compare with the files that are there.")] = False,
    write: Annotated[bool, typer.Option("--write", help="Write them.")] = False,
    weights: Annotated[Path, typer.Option(help="Folder of the released models.")] = ROOT / "weights",
    configs: Annotated[Path, typer.Option(help="Folder of the nvinfer files.")] = ROOT / "deepstream_configs",
) -> None:
    """Check or write the nvinfer file of each released model and view."""
    if check == write:
        raise WorkshopError("say either --check or --write")
    files = generated(weights, configs)
    if write:
        configs.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (configs / name).write_text(text, encoding="utf-8")
    wrong = differences(files, configs)
    if wrong:
        remedy = "remove it" if write else "python -m export.nvinfer --write mends it"
        raise WorkshopError(f"{'; '.join(wrong)}; {remedy}")
    typer.echo(f"{configs}: {len(files)} files agree with their models")


if __name__ == "__main__":
    run(nvinfer)
