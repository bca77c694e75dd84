"""`nasion run --engine deepstream` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from nasion.cli.main import main

from tests.doubles import nv_double


def nasion(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """The exit code of the command in this process."""
    monkeypatch.setattr("sys.argv", ["nasion", "run", *map(str, arguments)])
    try:
        main()
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


@pytest.mark.parametrize("engine", ["deepstream", "auto"])
def test_every_frame_of_two_cameras_gives_its_line(
    device: nv_double.Reality,
    spot_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    engine: str,
) -> None:
    assert device.faults == []
    sources = ("--source", "a=demo:?frames=4", "--source", "b=demo:?frames=6")

    code = nasion(
        monkeypatch,
        *sources,
        *("--engine", engine, "--model", spot_model, "--mode", "every-frame", "--mqtt", "none", "--json"),
    )

    out, err = capfd.readouterr()
    cameras = [json.loads(line)["camera"] for line in out.splitlines()]
    assert code == 0
    assert (cameras.count("a"), cameras.count("b")) == (4, 6)
    told = [line for line in err.splitlines() if line.startswith("nasion: engine: ")]
    assert [line for line in told if "TensorRT 10.3.0 on orin-sm87-16sm" in line]
    assert len([line for line in told if "engine: deepstream (" in line]) == (engine == "auto")


def test_a_failing_network_is_one_line_and_exit_code_1(
    device: nv_double.Reality, spot_model: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    device.failing = lambda batch: batch == 2

    code = nasion(
        monkeypatch,
        *("--source", "demo:", "--engine", "deepstream", "--model", spot_model, "--mqtt", "none"),
    )

    _, err = capfd.readouterr()
    last = [line for line in err.splitlines() if line.startswith("nasion: ")][-1]
    assert code == 1
    assert last.startswith("nasion: deepstream: GStreamer: infer: Failed to queue input batch")
