"""Whatever is wrong reaches gst-launch-1.0 as the error of an element, in one line, without a traceback."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.elements.conftest import PLUGINS, Launched

Make = Callable[..., Path]
DEMO = 'nasionsrc uri="demo:?frames=2" mode=every-frame'
CONFIG = PLUGINS.parent / "deepstream_configs" / "nasion_full.txt"
TEST = "videotestsrc num-buffers=2 ! video/x-raw,format=BGR,width=320,height=180"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a damaged model and a wrong configuration."""
    (tmp_path / "damaged.onnx").write_bytes((PLUGINS.parent / "weights" / "nasion-lite.onnx").read_bytes()[:5000])
    (tmp_path / "wrong.txt").write_text(CONFIG.read_text().replace("onnx-file", "onnx-fil"))
    return tmp_path


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nasionsrc ! fakesink", "nasionsrc: uri is not set"),
        ("nasionsrc uri=nowhere:x ! fakesink", "unknown kind of source 'nowhere'"),
        ("nasionsrc uri=rgbd:missing ! fakesink", "missing does not exist"),
        ("nasionsrc uri=zed: ! fakesink", "ZED SDK"),
        ("nasionsrc uri=demo: mode=sometimes ! fakesink", "nasionsrc: mode=sometimes: "),
        ("nasionsrc uri=demo: near-m=5 far-m=3 ! fakesink", "near_m (5.0) must be less than far_m (3.0)"),
        ("nasionsrc uri=demo: camera=a/b ! fakesink", "camera=a/b: "),
        (f"{TEST} ! nasioninfer model=missing.onnx ! fakesink", "model missing.onnx: No such file"),
        (f"{TEST} ! nasioninfer model=damaged.onnx ! fakesink", "damaged.onnx is no ONNX model"),
        (f"{TEST} ! nasioninfer config-file-path=wrong.txt ! fakesink", "unknown key 'onnx-fil' in [property]"),
        (f"{TEST} ! nasioninfer view=whole ! fakesink", "nasioninfer: view=whole: "),
        (f"{TEST} ! nasioninfer view=fine config-file-path=CONFIG ! fakesink", "but view 'fine' needs 3;544;960"),
        (f"{TEST} ! nasionlocate ! fakesink", "put nasioninfer before nasionlocate"),
        (f"{TEST} ! nasionlocate threshold=high ! fakesink", "nasionlocate: threshold=high: "),
        (f"{TEST} ! nasioninfer ! nasionoverlay ! fakesink", "put nasioninfer ! nasionlocate before it"),
        (f"{TEST} ! nasioninfer ! nasionlocate ! nasionrange ! fakesink", "begin the pipeline with nasionsrc"),
        (f"{TEST} ! nasionrange patch-px=4 ! fakesink", "patch_px must be odd, not 4"),
        (f"{TEST} ! nasionpublish url=none ! fakesink", "put nasionrange before it"),
        (f"{TEST} ! nasionpublish url=broker ! fakesink", "it must begin with mqtt:// or mqtts://"),
        (
            f"{DEMO} ! videoscale ! video/x-raw,width=640,height=360 ! nasioninfer ! fakesink",
            "a picture of 640 x 360 came, but nasionsrc's had 1280 x 720",
        ),
        (
            f"{TEST} ! nasioninfer ! nasionlocate ! videoscale ! video/x-raw,width=64,height=36 ! nasionoverlay "
            "! fakesink",
            "a picture of 64 x 36 came, but the network saw one of 320 x 180",
        ),
    ],
)
def test_it_is_one_line(
    player: Any, capfd: pytest.CaptureFixture[str], files: Path, line: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(files)
    played = player.play(line.replace("CONFIG", str(CONFIG)))

    assert said in (played.error or "")
    assert "\n" not in (played.error or "")
    assert "mistake in the program" not in (played.error or "")
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("nasionsrc uri=nowhere:x ! fakesink", "unknown kind of source 'nowhere'"),
        (f"{TEST} ! nasioninfer model=damaged.onnx ! fakesink", "damaged.onnx is no ONNX model"),
        (f"{TEST} ! nasioninfer ! nasionlocate ! nasionrange ! fakesink", "begin the pipeline with nasionsrc"),
    ],
)
def test_gst_launch_says_it_and_fails(launch: Callable[[str], Launched], files: Path, line: str, said: str) -> None:
    done = launch(f"cd {files}; gst-launch-1.0 {line}")

    assert done.code not in (0, 124)
    assert [text for text in done.err.splitlines() if said in text and text.startswith("ERROR: from element")]
    assert "Traceback" not in done.err
    assert "CRITICAL" not in done.err


def test_a_mistake_in_the_program_is_called_one(player: Any, monkeypatch: pytest.MonkeyPatch, record: Make) -> None:
    monkeypatch.setattr("nasion.sources.rgbd.RgbdSource.read", lambda _self: 1 / 0)
    played = player.play(f"nasionsrc uri=rgbd:{record()} ! fakesink")

    assert played.error == "a mistake in the program: ZeroDivisionError: division by zero"


class TestWhereNasionIs:
    """The elements find the package in a repository, in GStreamer's own Python, and say so where it is nowhere."""

    @pytest.fixture
    def repository(self, tmp_path: Path) -> Path:
        """A repository in which nothing was set up yet."""
        root = tmp_path / "elsewhere"
        (root / "plugins" / "python").mkdir(parents=True)
        for file in (PLUGINS / "python").glob("*.py"):
            shutil.copy(file, root / "plugins" / "python")
        return root

    def test_without_setup_the_error_names_it(self, launch: Callable[..., Launched], repository: Path) -> None:
        told = {"GST_PLUGIN_PATH": f"{repository}/plugins", "GST_REGISTRY": f"{repository}/registry.bin"}
        done = launch(f"gst-launch-1.0 {DEMO} camera=front ! nasioninfer threads=3 ! fakesink", **told)

        assert done.code != 0
        errors = [text for text in done.err.splitlines() if text.startswith("ERROR: from element")]
        assert any(f"run {repository}/scripts/setup" in text for text in errors)
        assert "Traceback" not in done.err

    def test_after_setup_the_same_registry_serves(self, launch: Callable[..., Launched], repository: Path) -> None:
        """What GStreamer remembers of the elements from before is no hindrance."""
        told = {"GST_PLUGIN_PATH": f"{repository}/plugins", "GST_REGISTRY": f"{repository}/registry.bin"}
        assert launch("gst-inspect-1.0 nasionsrc", **told).code == 0
        for name in (".venv", "plugins/nasion"):
            (repository / name).symlink_to(PLUGINS.parent / name)
        done = launch(f"gst-launch-1.0 {DEMO} ! fakesink", **told)

        assert done.code == 0, done.err
        assert done.err == ""

    def test_what_gstreamers_python_finds_by_itself_is_taken(
        self, launch: Callable[..., Launched], repository: Path
    ) -> None:
        """As in a container, where there is no .venv."""
        site = next((PLUGINS.parent / ".venv" / "lib").glob("python3.*/site-packages"))
        done = launch(
            f"gst-launch-1.0 {DEMO} ! fakesink",
            GST_PLUGIN_PATH=f"{repository}/plugins",
            GST_REGISTRY=f"{repository}/registry.bin",
            PYTHONPATH=f"{PLUGINS}:{site}",
        )

        assert done.code == 0, done.err

    def test_without_onnx_runtime_the_error_says_how_to_get_it(
        self, launch: Callable[..., Launched], tmp_path: Path
    ) -> None:
        (tmp_path / "onnxruntime.py").write_text("raise ImportError('No module named onnxruntime')")
        site = next((PLUGINS.parent / ".venv" / "lib").glob("python3.*/site-packages"))
        path = f"{tmp_path}:{PLUGINS}:{site}"
        done = launch(f"gst-launch-1.0 {TEST} ! nasioninfer ! fakesink", PYTHONPATH=path)

        assert done.code != 0
        assert "ONNX Runtime cannot be loaded" in done.err
        assert "Traceback" not in done.err
