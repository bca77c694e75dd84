"""Every key of an nvinfer file and what the ONNX Runtime engine makes of it.

The same file feeds DeepStream's nvinfer on a Jetson. *Honoured* keys decide what the network sees, so both engines obey
them. *Irrelevant on CPU* keys decide only how a GPU computes it. *Refused* keys would change what is computed, or
belong to another kind of network. Names, types and defaults are those of DeepStream 9.1; 6.3 knows a subset.
"""

from dataclasses import dataclass
from typing import Dict, FrozenSet, Optional, Tuple, Union

from typing_extensions import Literal

Handling = Literal["honoured", "irrelevant on CPU", "refused"]
Kind = Literal["int", "float", "bool", "text", "ints"]
Value = Union[int, float, bool, str, Tuple[int, ...]]


@dataclass(frozen=True)
class KeyRule:
    """How one key is treated, and why.

    ``accepted``: the values that pass (None: every value of the kind); for a refused key these are the harmless ones.
    ``limits``: the least and the largest number that nvinfer takes; beyond them it does not start.
    ``default``: what nvinfer assumes where the key is not given; only kept where that decides whether a file passes.
    """

    handling: Handling
    kind: Kind
    why: str
    accepted: Optional[Tuple[Value, ...]] = None
    default: Optional[Value] = None
    required: bool = False
    limits: Optional[Tuple[int, int]] = None


def _honoured(
    kind: Kind,
    why: str,
    accepted: Optional[Tuple[Value, ...]] = None,
    default: Optional[Value] = None,
    required: bool = False,
) -> KeyRule:
    return KeyRule("honoured", kind, why, accepted, default, required)


def _irrelevant(
    kind: Kind,
    why: str,
    accepted: Optional[Tuple[Value, ...]] = None,
    limits: Optional[Tuple[int, int]] = None,
) -> KeyRule:
    return KeyRule("irrelevant on CPU", kind, why, accepted, limits=limits)


def _refused(kind: Kind, why: str, *harmless: Value) -> KeyRule:
    return KeyRule("refused", kind, why, harmless)


_DETECTOR = "it is for detectors; this network gives a heat map"
_OTHER_NETWORK = "it is for another kind of network; this one gives a heat map"
_SECONDARY = "it is for a second stage; this network sees whole frames"
_CUSTOM = "it brings code of its own, which only nvinfer can run"
_ONNX_ONLY = "only ONNX models are run"
_IN_THE_GRAPH = "normalisation is part of the network's graph"
_FAKE_TENSOR = "it puts a file in the place of the picture or of the heat map"
_TENSORRT = "it says how TensorRT builds the engine"
_GPU_MEMORY = "it sizes nvinfer's memory"
_DUMP = "it makes nvinfer write its tensors to files"
#: nvinfer reads 32-bit numbers.
_UNLIMITED = (1 << 31) - 1

#: Keys of the group [property].
PROPERTY_KEYS: Dict[str, KeyRule] = {
    # What the network is and what it sees.
    "onnx-file": _honoured("text", "the network", required=True),
    "infer-dims": _honoured("ints", "size of the network's input, channels;height;width", required=True),
    "model-color-format": _honoured("int", "order of the input's channels: 0 RGB, 1 BGR", (0, 1), 0),
    "maintain-aspect-ratio": _honoured("bool", "1 pads the input; 0 would stretch the picture", (True,), False),
    "scaling-filter": _honoured("int", "1 is bilinear, which the network was trained for", (1,), 6),
    "net-scale-factor": _honoured("float", _IN_THE_GRAPH, (1.0,), 1.0),
    "network-input-order": _honoured("int", "0 is NCHW, the layout of the network's input", (0,), 0),
    "network-type": _honoured("int", "100 hands the heat map on as it is", (100,), 0),
    "output-tensor-meta": _honoured("bool", "1 hands the heat map to the probe", (True,), False),
    "gie-unique-id": _honoured("int", "names this network's tensors; must be above 0", None, 0),
    "process-mode": _honoured("int", "1 sees whole frames", (1,), 1),
    # How a GPU computes it.
    "batch-size": _irrelevant("int", "the CPU takes frame by frame", limits=(1, 1024)),
    "gpu-id": _irrelevant("int", "it names a GPU", limits=(0, _UNLIMITED)),
    "network-mode": _irrelevant("int", "the precision TensorRT builds; the CPU uses the file's own", (0, 1, 2, 3)),
    "model-engine-file": _irrelevant("text", "the engine TensorRT built from the ONNX file"),
    "int8-calib-file": _irrelevant("text", _TENSORRT),
    "workspace-size": _irrelevant("int", _TENSORRT, limits=(0, _UNLIMITED)),
    "layer-device-precision": _irrelevant("text", _TENSORRT),
    "strongly-typed": _irrelevant("bool", _TENSORRT),
    "dynamic-properties": _irrelevant("text", _TENSORRT),
    "warmup-engine": _irrelevant("bool", "the CPU engine always runs once before the first frame"),
    "enable-dla": _irrelevant("bool", "it names an accelerator"),
    "use-dla-core": _irrelevant("int", "it names an accelerator"),
    "scaling-compute-hw": _irrelevant("int", "it names the unit that scales on a Jetson", (0, 1, 2)),
    "tensor-meta-pool-size": _irrelevant("int", _GPU_MEMORY, limits=(2, _UNLIMITED)),
    "auto-inc-mem": _irrelevant("int", _GPU_MEMORY, (0, 1)),
    "max-gpu-mem-per": _irrelevant("int", _GPU_MEMORY),
    "output-blob-names": _irrelevant("text", "outputs are taken from the ONNX graph"),
    "dump-input-tensor": _irrelevant("int", _DUMP, (0, 1)),
    "dump-output-tensor": _irrelevant("int", _DUMP, (0, 1)),
    "raw-output-file-write": _irrelevant("bool", _DUMP),
    # What would change the result.
    "symmetric-padding": _refused("bool", "the views pad at right and bottom only", False),
    "offsets": _refused("text", _IN_THE_GRAPH),
    "mean-file": _refused("text", _IN_THE_GRAPH),
    "input-tensor-from-meta": _refused("bool", "crop and scale belong to the view", False),
    "interval": _refused("int", "frames without a heat map would look like nobody; use --every", 0),
    "stabilize-buffer-count": _refused("int", "it swallows the first frames", 0),
    "disable-output-host-copy": _refused("int", "the heat map would be an old one", 0),
    "output-io-formats": _refused("text", "the heat map is float32"),
    "overwrite-input-tensor": _refused("int", _FAKE_TENSOR, 0),
    "overwrite-output-tensor": _refused("int", _FAKE_TENSOR, 0),
    "ip-tensor-file": _refused("text", _FAKE_TENSOR),
    "op-tensor-files": _refused("text", _FAKE_TENSOR),
    "force-implicit-batch-dim": _refused("bool", "an ONNX model has a batch axis", False),
    # Other model files.
    "model-file": _refused("text", _ONNX_ONLY),
    "proto-file": _refused("text", _ONNX_ONLY),
    "uff-file": _refused("text", _ONNX_ONLY),
    "uff-input-order": _refused("int", _ONNX_ONLY),
    "uff-input-dims": _refused("text", _ONNX_ONLY),
    "uff-input-blob-name": _refused("text", _ONNX_ONLY),
    "input-dims": _refused("text", "it is the old form of infer-dims"),
    "tlt-encoded-model": _refused("text", _ONNX_ONLY),
    "tlt-model-key": _refused("text", _ONNX_ONLY),
    "custom-lib-path": _refused("text", _CUSTOM),
    "custom-network-config": _refused("text", _CUSTOM),
    "engine-create-func-name": _refused("text", _CUSTOM),
    "parse-bbox-func-name": _refused("text", _CUSTOM),
    "parse-bbox-instance-mask-func-name": _refused("text", _CUSTOM),
    "parse-classifier-func-name": _refused("text", _CUSTOM),
    "parse-segmentation-func-name": _refused("text", _CUSTOM),
    # Other kinds of network.
    "is-classifier": _refused("bool", _OTHER_NETWORK, False),
    "classifier-type": _refused("text", _OTHER_NETWORK),
    "classifier-threshold": _refused("float", _OTHER_NETWORK),
    "classifier-async-mode": _refused("bool", _OTHER_NETWORK, False),
    "segmentation-threshold": _refused("float", _OTHER_NETWORK),
    "segmentation-output-order": _refused("int", _OTHER_NETWORK),
    "output-instance-mask": _refused("bool", _OTHER_NETWORK, False),
    "labelfile-path": _refused("text", _OTHER_NETWORK),
    "num-detected-classes": _refused("int", _DETECTOR),
    "enable-dbscan": _refused("bool", _DETECTOR, False),
    "cluster-mode": _refused("int", _DETECTOR),
    "crop-objects-to-roi-boundary": _refused("bool", _DETECTOR, False),
    "filter-out-class-ids": _refused("text", _DETECTOR),
    "secondary-reinfer-interval": _refused("int", _SECONDARY),
    "input-object-min-width": _refused("int", _SECONDARY),
    "input-object-min-height": _refused("int", _SECONDARY),
    "input-object-max-width": _refused("int", _SECONDARY),
    "input-object-max-height": _refused("int", _SECONDARY),
    "operate-on-gie-id": _refused("int", _SECONDARY, -1),
    "operate-on-class-ids": _refused("text", _SECONDARY),
}

#: Keys that change something, which DeepStream 9.1 knows and the 6.x releases did not; which release brought each is
#: not established. A release that does not know a key only prints so, and ignores it.
LATE_SINCE = (9, 1)
LATE_KEYS: FrozenSet[str] = frozenset(
    {
        "dump-input-tensor",
        "dump-output-tensor",
        "dynamic-properties",
        "raw-output-file-write",
        "strongly-typed",
        "warmup-engine",
    }
)

#: Keys of the groups [class-attrs-all] and [class-attrs-<number>]; all of them are a detector's.
CLASS_ATTRS_KEYS: Dict[str, KeyRule] = {
    key: _refused("text", _DETECTOR)
    for key in (
        "threshold",
        "pre-cluster-threshold",
        "post-cluster-threshold",
        "eps",
        "group-threshold",
        "minBoxes",
        "dbscan-min-score",
        "roi-top-offset",
        "roi-bottom-offset",
        "detected-min-w",
        "detected-min-h",
        "detected-max-w",
        "detected-max-h",
        "border-color",
        "bg-color",
        "nms-iou-threshold",
        "topk",
    )
}
