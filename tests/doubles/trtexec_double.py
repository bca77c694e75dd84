"""A double of `trtexec`: refuses what the real one of that version refuses, and prints as the real one prints.

Start it as ``python trtexec_double.py VERSION ARGUMENTS``. An engine of it is a JSON file; to run one, ONNX Runtime
runs the model it was built from, rounded to half precision. Known flags, prefixes, summary, profile and output are
those of TensorRT 8.5.2, 8.6.1 and 10.3.0 (samples/common of the TensorRT repository, logs of a Xavier and an Orin).
Where the real program would go on with something meaningless (shapes set to 1, random INT8 scales), it fails.

NASION_TEST_TRTEXEC names a fault to show: ``killed``, ``no-engine``, ``shifted``, ``nan``.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, numpy_helper

EVERY_VERSION = {
    "onnx",
    "saveEngine",
    "loadEngine",
    "fp16",
    "int8",
    "memPoolSize",
    "timingCacheFile",
    "profilingVerbosity",
    "precisionConstraints",
    "layerPrecisions",
    "device",
    "minShapes",
    "optShapes",
    "maxShapes",
    "shapes",
    "iterations",
    "warmUp",
    "duration",
    "useSpinWait",
    "dumpProfile",
    "separateProfileRun",
    "exportProfile",
    "loadInputs",
    "exportOutput",
    "help",
}
ONLY = {"8.5.2": {"buildOnly", "workspace", "explicitBatch"}, "8.6.1": {"skipInference"}, "10.3.0": {"skipInference"}}
BANNERS = {"8.5.2": "[TensorRT v8502]", "8.6.1": "[TensorRT v8601]", "10.3.0": "[TensorRT v100300] [b26]"}
#: No TensorRT reads a later opset than the one it came out with.
OPSETS = {"8.5.2": 17, "8.6.1": 17, "10.3.0": 20}
VALUELESS = {"fp16", "int8", "useSpinWait", "dumpProfile", "separateProfileRun", "buildOnly", "skipInference", "help"}
PREFIX = "[11/25/2026-10:00:00] "

FIGURES = ", ".join(
    ["min = 1.5 ms, max = 2.75 ms, mean = 1.625 ms, median = 1.5625 ms"]
    + [f"percentile({percent}%) = {value} ms" for percent, value in ((90, 1.75), (95, 1.875), (99, 2.5))]
)


class RefusedError(Exception):
    """What the real program would print as an error."""


def say(text: str, level: str = "I") -> None:
    print(f"{PREFIX}[{level}] {text}")


def parsed(arguments: Sequence[str], version: str) -> Dict[str, str]:
    options: Dict[str, str] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        key = name[2:] if name.startswith("--") else ""
        if key not in EVERY_VERSION | ONLY[version] or bool(equals) == (key in VALUELESS):
            raise RefusedError(f"Unknown option: {name} {value}".rstrip())
        if key in options:
            raise RefusedError(f"{name} stands twice")
        options[key] = value
    return options


def spec(text: str) -> Tuple[str, List[int]]:
    """``input:1x3x288x480``."""
    name, _, sizes = text.rpartition(":")
    return name, [int(size) for size in sizes.split("x")]


def check_norms(model: Any, options: Dict[str, str]) -> None:
    """The real program builds them in half precision, and their sums overflow at some picture."""
    pinned = dict(entry.rpartition(":")[::2] for entry in options.get("layerPrecisions", "").split(",") if entry)
    names = {node.name for node in model.graph.node}
    assert set(pinned) <= names, f"no layer is called {set(pinned) - names}"
    for node in model.graph.node:
        kept = pinned.get(node.name) == "fp32" and options.get("precisionConstraints") == "obey"
        if node.op_type == "InstanceNormalization" and "fp16" in options and not kept:
            raise RefusedError(f"{node.name} would be computed in half precision")


def check_quantised(model: Any, options: Dict[str, str]) -> None:
    nodes = [node for node in model.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    tensors: Dict[str, Any] = {tensor.name: tensor for tensor in model.graph.initializer}
    if nodes and "int8" not in options:
        raise RefusedError("Error[4]: (Unnamed Layer*) [Quantize]: INT8 is not set and the network has Q/DQ layers")
    if "int8" in options and not nodes:
        raise RefusedError("Calibrator is not being used. Users must provide dynamic range for all tensors")
    for node in nodes:
        zero: Any = tensors.get(node.input[2]) if len(node.input) > 2 else None
        kind = TensorProto.UINT8 if zero is None else zero.data_type
        if kind == TensorProto.INT32:
            raise RefusedError(f"Error[3]: {node.name}: only activation types allowed as input to this layer.")
        if kind != TensorProto.INT8:
            raise RefusedError(f"[TRT] {node.name}: TensorRT only supports INT8 for {node.op_type}, not {kind}")
        if numpy_helper.to_array(zero).any():
            raise RefusedError(
                "[TRT] Assertion failed: Non-zero zero point is not supported. Only symmetric quantization"
            )


def build(options: Dict[str, str], version: str) -> None:
    model = onnx.load(options["onnx"])
    if max(entry.version for entry in model.opset_import) > OPSETS[version]:
        raise RefusedError("[TRT] ModelImporter: opset is newer than this parser")
    check_quantised(model, options)
    check_norms(model, options)
    (given,) = model.graph.input
    dims = [dim.dim_value for dim in given.type.tensor_type.shape.dim]
    ends = {}
    for end in ("min", "opt", "max"):
        text = options.get(f"{end}Shapes")
        if 0 not in dims and text is not None:
            raise RefusedError(
                "Static model does not take explicit shapes since the shape of inference tensors is fixed"
            )
        if 0 in dims and text is None:
            raise RefusedError(f"Dynamic dimensions required for input: {given.name}, but no shapes were provided")
        name, sizes = spec(text) if text is not None else (given.name, dims)
        if name != given.name or len(sizes) != 4 or any(dim not in (0, size) for dim, size in zip(dims, sizes)):
            raise RefusedError(f"Cannot find input tensor with name {name!r} and shape {sizes}")
        ends[end] = sizes
    if not all(low <= opt <= high for low, opt, high in zip(ends["min"], ends["opt"], ends["max"])):
        raise RefusedError("Invalid optimization profile: min <= opt <= max does not hold")
    pool, _, size = options.get("memPoolSize", "workspace:1").partition(":")
    if pool != "workspace" or not size.isdigit():
        raise RefusedError(f"Unknown memory pool {options['memPoolSize']}")
    if "timingCacheFile" in options:
        Path(options["timingCacheFile"]).write_bytes(b"timing cache")
    precision = "int8" if "int8" in options else "fp16" if "fp16" in options else "fp32"
    engine: Dict[str, Any] = {
        "version": version,
        "onnx": str(Path(options["onnx"]).absolute()),
        "precision": precision,
        **ends,
    }
    engine["dynamic"], engine["device"] = 0 in dims, options.get("device", "0")
    if os.environ.get("NASION_TEST_TRTEXEC") == "no-engine":
        return
    Path(options["saveEngine"]).write_text(json.dumps(engine))
    if os.environ.get("NASION_TEST_TRTEXEC") == "killed":
        Path(options["saveEngine"]).write_text("half an eng")
        os._exit(137)
    say("Engine built in 240.5 sec.")


def loaded(options: Dict[str, str], version: str) -> Tuple[Dict[str, Any], List[int]]:
    """The engine and the shape it is run with."""
    try:
        engine: Dict[str, Any] = json.loads(Path(options["loadEngine"]).read_text())
    except (OSError, ValueError) as error:
        raise RefusedError(f"Error opening engine file: {options['loadEngine']} ({error})") from None
    if engine["version"] != version:
        raise RefusedError(
            "[TRT] Error[6]: The engine plan file is not compatible with this version of TensorRT, expecting library "
            f"version {version} got {engine['version']}, please rebuild."
        )
    if engine["device"] != options.get("device", "0"):
        raise RefusedError("[TRT] Error[6]: The engine plan file is generated on an incompatible device")
    if engine["dynamic"] != ("shapes" in options):
        raise RefusedError("shapes are needed for an engine with open sizes, and only for one")
    shape = spec(options["shapes"])[1] if engine["dynamic"] else engine["opt"]
    if any(not low <= size <= high for low, size, high in zip(engine["min"], shape, engine["max"])):
        raise RefusedError("[TRT] Error[3]: setInputShape: Static dimension mismatch while setting input shape")
    return engine, shape


def infer(options: Dict[str, str], version: str) -> None:
    engine, shape = loaded(options, version)
    say("=== Device Information ===")
    say("Selected Device: Xavier" if version == "8.5.2" else "Selected Device: Orin")
    say("Compute Capability: 7.2" if version == "8.5.2" else "Compute Capability: 8.7")
    say("SMs: 8")
    say(f"TensorRT version: {version}")
    model = onnx.load(engine["onnx"])
    if "exportOutput" in options:
        Path(options["exportOutput"]).write_text(output_json(engine, model, shape, options.get("loadInputs")))
    if "dumpProfile" in options and "separateProfileRun" not in options:
        say("The e2e network timing is not reported since it is inaccurate due to the extra synchronizations")
    else:
        summary()
    if "exportProfile" in options:
        names = [node.op_type + " + PWN" for node in model.graph.node if node.op_type != "Constant"]
        share = 100 / len(names)
        lines = [
            f', {{ "name" : "{name}", "timeMs" : {share}, "averageMs" : {share / 100}, "medianMs" : {share / 100}'
            f', "percentage" : {share} }}'
            for name in names
        ]
        Path(options["exportProfile"]).write_text("\n".join(['[\n  { "count" : 100 }', *lines, "]\n"]))


def output_json(engine: Dict[str, Any], model: Any, shape: List[int], inputs: Optional[str]) -> str:
    """As --exportOutput writes it: dimensions joined with x, values with commas, NaN as C++ prints it."""
    name = model.graph.input[0].name
    given, _, file = (inputs or "").partition(":")
    if given != name or not Path(file).is_file():
        raise RefusedError(f"Cannot open file {file}!")
    values = np.fromfile(file, np.float32)
    if values.size != np.prod(shape):
        raise RefusedError(f"Unexpected file size for input: {name}. Note: Input dimensions: {shape}.")
    session = onnxruntime.InferenceSession(engine["onnx"], providers=["CPUExecutionProvider"])
    (heat,) = session.run(None, {name: values.reshape(shape)})
    if engine["precision"] != "fp32":
        heat = heat.astype(np.float16).astype(np.float32)
    fault = os.environ.get("NASION_TEST_TRTEXEC")
    if fault == "shifted":
        heat = np.roll(heat, 2, axis=3)
    if fault == "nan":
        heat[...] = np.nan
    dimensions = "x".join(str(size) for size in heat.shape)
    texts = ", ".join(f"{value:g}" for value in heat.ravel())
    return (
        f'[\n  {{ "name" : "{model.graph.output[0].name}"\n  , "dimensions" : "{dimensions}"\n'
        f'  , "values" : [ {texts} ]\n  }}\n]\n'
    )


def summary() -> None:
    say("=== Trace details ===")
    say("Average on 10 runs - GPU latency: 1.5 ms - Host latency: 1.6 ms (enqueue 0.3 ms)")
    say("")
    say("=== Performance summary ===")
    say("Throughput: 612.5 qps")
    for part in ("Latency", "Enqueue Time", "H2D Latency", "GPU Compute Time", "D2H Latency"):
        say(f"{part}: {FIGURES}")
    say("Total Host Walltime: 3.00371 s")
    say("Total GPU Compute Time: 2.98 s")
    say("Explanations of the performance metrics are printed in the verbose logs.")


def main(version: str, arguments: Sequence[str]) -> int:
    told = f"TensorRT.trtexec {BANNERS[version]} # trtexec {' '.join(arguments)}"
    print(f"&&&& RUNNING {told}")
    try:
        options = parsed(arguments, version)
        if "help" in options:
            print("=== Model Options ===\n  --onnx=<file>               ONNX model")
            return 0
        if ("onnx" in options) == ("loadEngine" in options):
            raise RefusedError("Model missing or redundant: give --onnx or --loadEngine")
        if "onnx" in options:
            build(options, version)
            if not {"buildOnly", "skipInference"} & set(options):
                raise RefusedError("this double builds without running: say --buildOnly or --skipInference")
        else:
            infer(options, version)
    except RefusedError as error:
        say(str(error), "E")
        print(f"&&&& FAILED {told}")
        return 1
    print(f"&&&& PASSED {told}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2:]))
