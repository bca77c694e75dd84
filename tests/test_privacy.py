"""Nobody is phoned: the programs look up no name and leave nothing in the home folder.

Each library that would is first seen to do so without us, so that the trap is known to work.
"""

from __future__ import annotations

import importlib.metadata
import sys
from pathlib import Path

import pytest

from tests.sealed_network import run_sealed, unavailable

pytestmark = pytest.mark.skipif(unavailable() is not None, reason=unavailable() or "")

ROOT = Path(__file__).parents[1]
LITE = ROOT / "weights" / "nasion-lite.onnx"
#: The first ONNX Runtime that sends events on Linux.
FIRST_ORT = (1, 29)


def version(package: str) -> tuple[int, ...]:
    return tuple(int(part) for part in importlib.metadata.version(package).split(".")[:2])


def installed(package: str) -> bool:
    return any(found.metadata["Name"] == package for found in importlib.metadata.distributions())


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


ORT = f"import onnxruntime, time; onnxruntime.InferenceSession({str(LITE)!r}); time.sleep(2)"
OPENVINO = "import openvino, time; time.sleep(1)"


@pytest.mark.skipif(version("onnxruntime") < FIRST_ORT, reason="this ONNX Runtime sends nothing")
def test_without_us_onnx_runtime_keeps_a_device_id(tmp_path: Path) -> None:
    assert any("Microsoft" in name for name in run_sealed(python(ORT), tmp_path).kept)


@pytest.mark.skipif(not installed("openvino-telemetry"), reason="this OpenVINO has no telemetry")
def test_without_us_openvino_looks_up_whom_to_tell(tmp_path: Path) -> None:
    assert "www.google-analytics.com" in run_sealed(python(OPENVINO), tmp_path).asked


@pytest.mark.parametrize("library", [ORT, OPENVINO])
def test_with_the_package_imported_first_a_library_is_silent(library: str, tmp_path: Path) -> None:
    done = run_sealed(python(f"import nasion; {library}"), tmp_path)
    assert (done.code, done.asked, done.kept) == (0, frozenset(), frozenset()), done.output


def nasion(*words: str) -> list[str]:
    return [sys.executable, "-m", "nasion", *words]


RUN = nasion("run", "--source", "demo:", "--mqtt", "none", "--seconds", "4")


@pytest.mark.parametrize(
    "command",
    [
        RUN,
        [*RUN, "--engine", "openvino"],
        nasion("check", "--source", "demo:", "--mqtt", "none", "--engine", "openvino"),
        nasion("bench", "--help"),
        nasion("schema", "person"),
    ],
    ids=lambda command: " ".join(command[3:5] + command[9:]),
)
def test_a_command_asks_for_nobody_and_keeps_nothing(command: list[str], tmp_path: Path) -> None:
    done = run_sealed(command, tmp_path)
    assert (done.code, done.asked, done.kept) == (0, frozenset(), frozenset()), done.output


def test_elements_under_gst_launch_do_not_either(tmp_path: Path) -> None:
    pipeline = "nasionsrc uri=demo:?frames=2 mode=every-frame ! nasioninfer ! nasionlocate ! nasionrange ! fakesink"
    plugins = f"GST_PLUGIN_PATH={ROOT / 'plugins'}"
    done = run_sealed(["env", plugins, "gst-launch-1.0", *pipeline.split()], tmp_path)
    assert (done.code, done.asked, done.kept) == (0, frozenset(), frozenset()), done.output
