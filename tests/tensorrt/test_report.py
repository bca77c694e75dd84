"""What `trtexec` prints, as figures; the texts are in the form of real logs of a Xavier and an Orin."""

from __future__ import annotations

import numpy as np
import pytest
from nasion.errors import NasionError
from nasion.tensorrt.report import errors, passed, read_output, read_profile, read_timings

XAVIER = """\
&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # trtexec --loadEngine=net.engine
[10/21/2025-15:16:09] [I] === Device Information ===
[10/21/2025-15:16:09] [I] Selected Device: Xavier
[10/21/2025-15:16:09] [I] TensorRT version: 8.5.2
[10/21/2025-15:16:09] [I] === Performance summary ===
[10/21/2025-15:16:09] [I] Throughput: 100.794 qps
[10/21/2025-15:16:09] [I] Latency: min = 9.1 ms, max = 11.5 ms, mean = 9.9309 ms, median = 9.1586 ms, \
percentile(90%) = 10 ms, percentile(95%) = 10.5 ms, percentile(99%) = 11.25 ms
[10/21/2025-15:16:09] [I] Enqueue Time: min = 0.84 ms, max = 2.05 ms, mean = 0.88 ms, median = 0.87 ms, \
percentile(90%) = 0.93 ms, percentile(95%) = 0.95 ms, percentile(99%) = 1.06 ms
[10/21/2025-15:16:09] [I] H2D Latency: min = 0.3 ms, max = 0.5 ms, mean = 0.4 ms, median = 0.4 ms, \
percentile(90%) = 0.45 ms, percentile(95%) = 0.46 ms, percentile(99%) = 0.47 ms
[10/21/2025-15:16:09] [I] GPU Compute Time: min = 8.5 ms, max = 10.9 ms, mean = 9.25 ms, median = 8.5 ms, \
percentile(90%) = 9.5 ms, percentile(95%) = 9.75 ms, percentile(99%) = 10.75 ms
[10/21/2025-15:16:09] [I] D2H Latency: min = 0.1 ms, max = 0.2 ms, mean = 0.15 ms, median = 0.15 ms, \
percentile(90%) = 0.16 ms, percentile(95%) = 0.17 ms, percentile(99%) = 0.18 ms
&&&& PASSED TensorRT.trtexec [TensorRT v8502] # trtexec --loadEngine=net.engine
"""
#: Version 10 says the build too.
ORIN = XAVIER.replace("v8502]", "v100300] [b26]").replace("Xavier", "Orin").replace("8.5.2", "10.3.0")

PROFILE = """\
[
  { "count" : 309 }
, { "name" : "conv1 + PWN(relu)", "timeMs" : 28.84, "averageMs" : 0.0933, "medianMs" : 0.0895, "percentage" : 0.9 }
, { "name" : "{ForeignNode[a...b]}", "timeMs" : 2130.62, "averageMs" : 6.8952, "percentage" : 69.4 }
]
"""
OUTPUT = """\
[
  { "name" : "heat_map"
  , "dimensions" : "1x1x2x3"
  , "values" : [ 0, 0.5, 1, 1e-05, VALUE, 0.25 ]
  }
]
"""


@pytest.mark.parametrize(("text", "gpu", "version"), [(XAVIER, "Xavier", "8.5.2"), (ORIN, "Orin", "10.3.0")])
def test_the_summary(text: str, gpu: str, version: str) -> None:
    timings = read_timings(text, PROFILE)
    assert (timings.gpu, timings.tensorrt) == (gpu, version)
    assert timings.queries_per_s == 100.794
    assert timings.times_ms["latency"] == {
        "min": 9.1,
        "max": 11.5,
        "mean": 9.9309,
        "median": 9.1586,
        "p90": 10,
        "p95": 10.5,
        "p99": 11.25,
    }
    assert timings.times_ms["gpu_compute"]["p99"] == 10.75
    assert set(timings.times_ms) == {"latency", "enqueue", "to_gpu", "gpu_compute", "from_gpu"}
    assert [layer.name for layer in timings.layers] == ["conv1 + PWN(relu)", "{ForeignNode[a...b]}"]
    assert passed(text)


def test_lines_without_a_time_are_read_too() -> None:
    assert read_timings(XAVIER.replace("[10/21/2025-15:16:09] ", "")) == read_timings(XAVIER)


def test_a_transfer_is_not_taken_for_the_latency() -> None:
    only = "\n".join(line for line in XAVIER.splitlines() if "] Latency:" not in line)
    with pytest.raises(NasionError, match="no performance summary"):
        read_timings(only)


def test_layers_with_and_without_a_median() -> None:
    first, second = read_profile(PROFILE)
    assert (first.average_ms, first.median_ms) == (0.0933, 0.0895)
    assert first.share == pytest.approx(0.009)
    assert second.median_ms is None


@pytest.mark.parametrize("text", ["", "[", '{"name": 1}', '[{"name": "x"}]'])
def test_a_profile_that_is_none_gets_one_line(text: str) -> None:
    with pytest.raises(NasionError, match="layer profile is not as expected"):
        read_profile(text)


def test_an_output_has_its_shape() -> None:
    heat = read_output(OUTPUT.replace("VALUE", "0.75"), "heat_map")
    np.testing.assert_array_equal(heat, np.array([[[[0, 0.5, 1], [1e-05, 0.75, 0.25]]]], np.float32))


@pytest.mark.parametrize(("written", "meant"), [("nan", np.nan), ("-nan", np.nan), ("inf", np.inf), ("-inf", -np.inf)])
def test_numbers_that_json_does_not_know_are_read(written: str, meant: float) -> None:
    assert read_output(OUTPUT.replace("VALUE", written), "heat_map")[0, 0, 1, 1] == pytest.approx(meant, nan_ok=True)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (OUTPUT.replace("VALUE", "0"), "other"),
        (OUTPUT.replace("VALUE", "x"), "heat_map"),
        (OUTPUT.replace("VALUE, ", ""), "heat_map"),
        ("[", "heat_map"),
    ],
)
def test_an_output_that_is_none_gets_one_line(text: str, name: str) -> None:
    with pytest.raises(NasionError, match=f"does not hold '{name}'"):
        read_output(text, name)


def test_errors_are_told_without_times_and_levels() -> None:
    text = (
        "[11/25/2026-10:00:00] [E] Error[3]: bias: only activation types allowed as input to this layer.\n"
        "[11/25/2026-10:00:00] [E] [TRT] ModelImporter.cpp:773: While parsing\n[11/25/2026-10:00:00] [I] fine\n"
        "[11/25/2026-10:00:00] [E] Unknown option: --buildOnly\n&&&& FAILED TensorRT.trtexec\n"
    )
    assert errors(text) == [
        "bias: only activation types allowed as input to this layer.",
        "ModelImporter.cpp:773: While parsing",
        "Unknown option: --buildOnly",
    ]
    assert not passed(text)
