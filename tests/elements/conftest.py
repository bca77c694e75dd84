"""The elements under gst-launch-1.0, as a person uses them, and in this process, where a test can look closer."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, Callable

import cv2
import numpy as np
import pytest
from nasion.pipeline.gst import load_gst

PLUGINS = Path(__file__).parents[2] / "plugins"
ELEMENTS = sorted(path.stem for path in (PLUGINS / "python").glob("nasion[a-z]*.py"))
#: Nothing takes this long when all is well.
PATIENCE_S = 120
WIDTH, HEIGHT, FRAMES = 320, 180, 6


@dataclass
class Launched:
    code: int
    out: str
    err: str


def environment(tmp: Path, **more: str) -> dict[str, str]:
    """A shell in which no Python is set up, and GStreamer has no registry of its own yet."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "GST_REGISTRY": str(tmp / "registry.bin"), "GST_PLUGIN_PATH": str(PLUGINS), **more}


@pytest.fixture(scope="session")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose registry knows the elements; skips where this GStreamer loads no Python."""
    folder = tmp_path_factory.mktemp("gst")
    found = subprocess.run(
        ["gst-inspect-1.0", "python"], env=environment(folder), capture_output=True, timeout=PATIENCE_S, check=False
    )
    if found.returncode:
        pytest.skip("GStreamer loads no Python here: apt-get install gstreamer1.0-python3-plugin-loader")
    return folder


@pytest.fixture
def launch(registry: Path, tmp_path: Path) -> Callable[..., Launched]:
    """Run a command of a shell in a folder of its own, without a set-up Python."""

    def run(line: str, **more: str) -> Launched:
        done = subprocess.run(
            ["bash", "-c", line],
            env=environment(registry, **more),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )
        return Launched(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """An `rgbd:` recording with a red dot, whose n-th frame is 1 + n / 10 metres away; some files may be damaged."""

    def make(name: str = "walk", *, damaged: int | None = None, u: float = 150.0, first_m: float = 1.0) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lens = {"width": WIDTH, "height": HEIGHT, "fx": 256, "fy": 256, "cx": 160, "cy": 90, "baseline_m": 0.12}
        (folder / "calibration.json").write_text(json.dumps(lens))
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        for number in range(FRAMES):
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            away = (columns - u) ** 2 + (rows - 80) ** 2
            picture[:, :, 2] = 250 * np.exp(-away / (2 * (4 * WIDTH / 480) ** 2))
            left = folder / f"{number:06d}_left.png"
            cv2.imwrite(str(left), picture)
            if number == damaged:
                left.write_bytes(left.read_bytes()[:100])
            depth = np.full((HEIGHT, WIDTH), first_m + number / 10, np.float32)
            np.save(folder / f"{number:06d}_depth.npy", depth)
        return folder

    return make


@dataclass
class Played:
    """What the bus of a pipeline said until its end."""

    messages: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    infos: list[str] = field(default_factory=list)
    error: str | None = None

    def depths(self, camera: str = "cam0") -> list[float | None]:
        return [m["persons"][0]["depth_m"] if m["persons"] else None for m in self.messages if m["camera"] == camera]


class Player:
    """Plays a pipeline in this process."""

    def __init__(self) -> None:
        self.gst = load_gst()

    def make(self, text: str) -> Any:
        return self.gst.parse_launch(text)

    def until_end(self, pipeline: Any) -> Played:
        """Let it play until the end or an error; it is left as it is then."""
        gst, played = self.gst, Played()
        pipeline.set_state(gst.State.PLAYING)
        kinds = gst.MessageType
        while True:
            message = pipeline.get_bus().timed_pop_filtered(
                PATIENCE_S * gst.SECOND, kinds.EOS | kinds.ERROR | kinds.WARNING | kinds.INFO | kinds.ELEMENT
            )
            assert message is not None, "it does not end"
            if message.type == kinds.EOS:
                return played
            if message.type == kinds.ERROR:
                played.error = message.parse_error()[0].message
                return played
            if message.type == kinds.WARNING:
                played.warnings.append(message.parse_warning()[0].message)
            elif message.type == kinds.INFO:
                played.infos.append(message.parse_info()[0].message)
            elif message.get_structure().get_name() == "nasion-person":
                played.messages.append(json.loads(message.get_structure().get_value("json")))

    def play(self, text: str) -> Played:
        """From the start to the end and away."""
        pipeline = self.make(text)
        try:
            return self.until_end(pipeline)
        finally:
            pipeline.set_state(self.gst.State.NULL)


@pytest.fixture(scope="session")
def _registered() -> None:
    gst = load_gst()
    sys.path.append(str(PLUGINS / "python"))
    for name in ELEMENTS:
        factory = import_module(name).__gstelementfactory__
        assert gst.Element.register(None, *factory)


@pytest.fixture
def player(_registered: None) -> Player:
    return Player()
