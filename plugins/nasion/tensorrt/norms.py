"""Networks with InstanceNormalization in half precision: sums over a whole plane overflow there (TensorRT#260, #2691).

So these layers stay in FP32, whether `trtexec` or nvinfer builds the engine. A BatchNorm network has no such layer
left: its normalisation is folded into the convolutions.
"""

from typing import Dict, List, Mapping, Sequence

from nasion.tensorrt.folders import Precision

#: nvinfer's key for layers that are computed otherwise than the rest.
KEY = "layer-device-precision"


def trtexec_flags(norms: Sequence[str], precision: Precision) -> List[str]:
    """What `trtexec` is told of the layers ``norms``; nothing where there are none or all is FP32."""
    if not norms or precision == "fp32":
        return []
    return ["--precisionConstraints=obey", "--layerPrecisions=" + ",".join(f"{name}:fp32" for name in norms)]


def nvinfer_keys(properties: Mapping[str, str], norms: Sequence[str], precision: Precision) -> Dict[str, str]:
    """``properties`` of an nvinfer file with those layers in FP32; what the file itself says of layers stays."""
    if not norms or precision == "fp32" or KEY in properties:
        return dict(properties)
    return {**properties, KEY: ";".join(f"{name}:fp32:gpu" for name in norms)}
