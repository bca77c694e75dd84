"""What `trtexec` printed and wrote, as figures."""

import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

from nasion.errors import NasionError

#: Every line begins with a time and a level, or, in newer versions, with the level alone.
_HEAD = r"^(?:\[[^\]]*\] )*"
_THROUGHPUT = re.compile(_HEAD + r"Throughput: (\S+) qps", re.MULTILINE)
_SPAN = re.compile(
    _HEAD + r"(Latency|Enqueue Time|H2D Latency|GPU Compute Time|D2H Latency): (min = .*)$", re.MULTILINE
)
_FIGURE = re.compile(r"(min|max|mean|median|percentile\((\d+(?:\.\d+)?)%\)) = (\S+) ms")
_DEVICE = {
    "gpu": re.compile(_HEAD + r"Selected Device: (.+?)\s*$", re.MULTILINE),
    "tensorrt": re.compile(_HEAD + r"TensorRT version: (\S+)", re.MULTILINE),
}
_ERROR = re.compile(r"^(?:\[[^\]]*\] )*\[E\] (?:\[TRT\] |Error\[\d+\]: )*(.+)$", re.MULTILINE)

#: Numbers that C++ prints and JSON does not know.
_NOT_A_NUMBER = re.compile(r"(?<=[\s,\[])(-?)(nan|inf)(?=[\s,\]])")

#: The parts of a query by what `trtexec` calls them.
NAMES = {
    "Latency": "latency",
    "GPU Compute Time": "gpu_compute",
    "Enqueue Time": "enqueue",
    "H2D Latency": "to_gpu",
    "D2H Latency": "from_gpu",
}


@dataclass(frozen=True)
class Layer:
    """One layer's time, milliseconds, and its share of all layers' time, 0..1."""

    name: str
    average_ms: float
    median_ms: Optional[float]
    share: float


@dataclass(frozen=True)
class Timings:
    """Figures of one run: queries a second, and for each part of a query its times in milliseconds by name.

    Times are called min, max, mean, median, p90, p95, p99.
    """

    queries_per_s: float
    times_ms: Dict[str, Dict[str, float]]
    gpu: Optional[str] = None
    tensorrt: Optional[str] = None
    layers: List[Layer] = field(default_factory=list)

    def as_json(self) -> Dict[str, Any]:
        """The figures for one JSON object."""
        return asdict(self)


def passed(output: str) -> bool:
    """Whether `trtexec` says that it did what it was asked."""
    return "&&&& PASSED" in output


def errors(output: str) -> List[str]:
    """What `trtexec` marked as errors, without times and levels."""
    return [match.strip() for match in _ERROR.findall(output)]


def read_timings(output: str, profile: str = "") -> Timings:
    """The figures in what `trtexec` printed and in its ``profile`` file. NasionError where they are not there."""
    throughput = _THROUGHPUT.search(output)
    times = {NAMES[name]: _figures(text) for name, text in _SPAN.findall(output)}
    if throughput is None or "latency" not in times or "gpu_compute" not in times:
        raise NasionError("trtexec printed no performance summary (Throughput, Latency, GPU Compute Time)")
    found = {key: pattern.search(output) for key, pattern in _DEVICE.items()}
    told = {key: match[1] for key, match in found.items() if match is not None}
    return Timings(
        queries_per_s=float(throughput[1]),
        times_ms=times,
        gpu=told.get("gpu"),
        tensorrt=told.get("tensorrt"),
        layers=read_profile(profile) if profile else [],
    )


def _figures(text: str) -> Dict[str, float]:
    return {f"p{percent}" if percent else name: float(value) for name, percent, value in _FIGURE.findall(text)}


def read_profile(text: str) -> List[Layer]:
    """The layers in a file of ``--exportProfile``, in the order they run. NasionError where it is none."""
    try:
        return [
            Layer(
                name=str(entry["name"]),
                average_ms=float(entry["averageMs"]),
                median_ms=float(entry["medianMs"]) if "medianMs" in entry else None,
                share=float(entry["percentage"]) / 100,
            )
            for entry in json.loads(text)
            if "name" in entry
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise NasionError(f"trtexec's layer profile is not as expected ({type(error).__name__}: {error})") from None


def read_output(text: str, name: str) -> NDArray[np.float32]:
    """The output ``name`` in a file of ``--exportOutput``, with its shape. NasionError where it is not there."""
    try:
        known = _NOT_A_NUMBER.sub(lambda found: "NaN" if found[2] == "nan" else f"{found[1]}Infinity", text)
        entries = {entry["name"]: entry for entry in json.loads(known)}
        entry = entries[name]
        shape: Tuple[int, ...] = tuple(int(size) for size in entry["dimensions"].split("x"))
        return np.array(entry["values"], np.float32).reshape(shape)
    except (ValueError, KeyError, TypeError) as error:
        raise NasionError(
            f"trtexec's output file does not hold {name!r} as numbers ({type(error).__name__}: {error})"
        ) from None
