"""`nasion bench` as a person uses it: tables, files, Ctrl-C, and one line for whatever is wrong."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest
from nasion.cli.main import main

from tests.program import attended

BENCH = [sys.executable, "-m", "nasion", "bench"]
#: Nothing waits this long when all is well.
PATIENCE_S = 200.0


def bench(*arguments: object, **environment: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [*BENCH, *map(str, arguments)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.fixture
def quick(spot_model: Path) -> List[str]:
    """A look at one view with the model that sees red."""
    return ["--quick", "--view", "centre", "--model", str(spot_model)]


def test_tables_for_people_and_every_figure_in_files(quick: List[str], tmp_path: Path) -> None:
    report, table = tmp_path / "bench.json", tmp_path / "benchmarks.md"
    done = bench(*quick, "--only", "models,bare", "--json", report, "--append", table)
    assert done.returncode == 0, done.stderr
    assert "pipeline against the bare network, centre" in done.stdout
    assert "\x1b" not in done.stdout + done.stderr, "no colour where nobody looks"
    assert "bench: 1/2 bare" in done.stderr
    figures: Dict[str, Any] = json.loads(report.read_text())
    assert list(figures["parts"]) == ["bare", "models"]
    assert (figures["stopped"], figures["failures"], figures["quick"]) == (False, {}, True)
    assert figures["networks"]["centre"]["name"] == "spot"
    assert figures["machine"]["versions"]["onnxruntime"]
    assert len(table.read_text().splitlines()[-1].split("|")) > 10


def test_plots_are_drawn_where_they_are_asked_for(quick: List[str], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = bench(*quick, "--only", "models", "--plots", tmp_path / "plots")
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (tmp_path / "plots").iterdir()] == ["models.png"]


def test_ctrl_c_keeps_what_was_measured(quick: List[str], tmp_path: Path) -> None:
    report = tmp_path / "bench.json"
    command = [*BENCH, *quick, "--only", "models,paced,peers", "--seconds", "1000", "--json", str(report)]
    with attended(subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "2/3 paced" in line:
                break
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "bench: stopped; measured are models of models, paced, peers" in err
    assert "networks, centre" in out
    figures = json.loads(report.read_text())
    assert list(figures["parts"]) == ["models"]
    assert figures["stopped"] is True


def test_a_part_that_fails_leaves_the_others_and_gives_its_exit_code(quick: List[str], tmp_path: Path) -> None:
    broken, report = tmp_path / "yunet.onnx", tmp_path / "bench.json"
    broken.write_bytes(b"no model")
    done = bench(*quick, "--only", "peers,models", "--yunet", broken, "--json", report)
    assert done.returncode == 2
    assert f"bench: peers could not be measured: YuNet {broken}: " in done.stderr
    assert "Traceback" not in done.stderr
    figures = json.loads(report.read_text())
    assert list(figures["parts"]) == ["models"]
    assert list(figures["failures"]) == ["peers"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--only", "stage"], 2, "did you mean 'stages'?"),
        (["--view", "centr"], 2, "did you mean 'centre'?"),
        (["--precision", "fp16"], 2, "expected auto, float, int8"),
        (["--model", "gone.onnx"], 2, "gone.onnx"),
        (["--yunet", "gone.onnx"], 2, "--yunet gone.onnx: there is no such file"),
        (["--json", "gone/bench.json"], 2, "--json gone/bench.json"),
        (["--append", "gone/b.md"], 2, "--append gone/b.md"),
        (["--seconds", "0"], 2, "--seconds"),
        (["--threads", "0"], 2, "--threads"),
    ],
)
def test_what_cannot_be_is_one_line_before_anything_is_measured(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], arguments: List[str], code: int, said: str
) -> None:
    monkeypatch.setattr("sys.argv", ["nasion", "bench", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    out, err = capfd.readouterr()
    assert ended.value.code == code
    assert said in err
    assert len(err.splitlines()) == 1
    assert out == ""


def test_without_matplotlib_plots_are_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('none here')\n")
    done = bench("--plots", tmp_path / "plots", PYTHONPATH=str(tmp_path))
    assert done.returncode == 3
    assert done.stderr.splitlines()[-1].endswith("scripts/setup bench")
    assert not (tmp_path / "plots").exists()


def test_outputs_that_were_only_tried_leave_nothing(tmp_path: Path) -> None:
    table = tmp_path / "shopping.md"
    table.write_text("- milk\n")
    done = bench("--json", tmp_path / "bench.json", "--append", table)
    assert done.returncode == 2
    assert "does not end in a table" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["shopping.md"]
    assert table.read_text() == "- milk\n"
