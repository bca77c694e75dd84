"""nasionlocate behind nvinfer: the recipe's pipeline, with doubles of NVIDIA's elements and of pyds."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any, Callable, Iterator

import numpy as np
import pytest
from nasion.elements import meeting, records

from tests.doubles import nv_double, pyds_double

ROOT = Path(__file__).parents[2]
Make = Callable[..., Path]
AWAY = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
DEVICE = pytest.mark.usefixtures("device")


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> Iterator[nv_double.Reality]:
    """A machine with DeepStream; what it found wrong is told at the end."""
    with nv_double.installed(nv_double.Reality()) as real:
        monkeypatch.setitem(sys.modules, "pyds", pyds_double.module(real.batches))
        yield real
        assert real.broken() == []


@pytest.fixture
def config(spot_model: Path, tmp_path: Path) -> Path:
    """The nvinfer file of view `full`, with the model that sees red."""
    text = (ROOT / "deepstream_configs" / "nasion_full.txt").read_text()
    path = tmp_path / "nvinfer.txt"
    model = tmp_path / "spot.onnx"
    model.write_bytes(spot_model.read_bytes())
    path.write_text(re.sub(r"onnx-file=.*", f"onnx-file={model}", text))
    return path


def recipe(title: str, config: Path, *sources: str) -> str:
    """The pipeline of a recipe for a Jetson, with other sources, and messages on the bus in place of a broker."""
    page = (ROOT / "scripts" / "gst-launch.md").read_text()
    block = page.partition(f"### Jetson: {title}")[2].partition("```sh\n")[2].partition("```")[0]
    # The quotes are for the shell.
    text = block.partition("gst-launch-1.0 ")[2].replace("\\\n", " ").replace('"', "")
    assert "$NET" in text
    text = text.replace("$NET", str(config))
    text = text.replace("url=mqtt://127.0.0.1:1883", "url=none post-messages=true")
    text = text.replace("nasionrange", "nasionrange jump=off").replace("leaky=downstream", "leaky=no")
    for source in sources:
        text = re.sub(r"uri=zed:\d* ?", f"uri={source} ", text, count=1)
    assert "zed:" not in text
    return text


@DEVICE
def test_the_recipe_pairs_every_heat_map_with_its_frame(player: Any, record: Make, config: Path) -> None:
    played = player.play(recipe("the ZED's picture", config, f"rgbd:{record()}"))

    assert played.error is None
    assert played.depths() == pytest.approx(AWAY)
    assert [message["seq"] for message in played.messages] == list(range(6))
    for message in played.messages:
        assert message["persons"][0]["pixel"] == pytest.approx([150.0, 80.0], abs=0.5)
    assert played.warnings == []
    assert records.kept() == 0
    assert meeting.meet("cam0", 0) is None


def test_two_cameras_in_a_batch_are_kept_apart(
    player: Any, record: Make, device: nv_double.Reality, config: Path
) -> None:
    sources = (f"rgbd:{record('front', u=60.0)}", f"rgbd:{record('rear', u=240.0, first_m=3.0)}")
    played = player.play(recipe("two cameras", config, *sources))

    assert played.error is None
    assert max(device.batch_sizes) == 2
    assert played.depths("front") == pytest.approx(AWAY)
    assert played.depths("rear") == pytest.approx([away + 2 for away in AWAY])
    for message in played.messages:
        u = {"front": 60.0, "rear": 240.0}[message["camera"]]
        assert message["persons"][0]["pixel"][0] == pytest.approx(u, abs=0.5)


def test_a_frame_without_tensor_says_so(player: Any, record: Make, device: nv_double.Reality, config: Path) -> None:
    device.without_tensor = lambda _pad, number: number == 1
    played = player.play(recipe("the ZED's picture", config, f"rgbd:{record()}"))

    assert [message["reason"] for message in played.messages] == [None, "no_tensor", None, None, None, None]


@pytest.mark.parametrize(
    ("how", "why"),
    [
        ("null", "its host buffer is a null pointer"),
        ("no_list", "its list of host buffers is a null pointer"),
        ("tensor", "its values are not all within 0..1"),
    ],
)
def test_why_a_frame_has_no_heat_map_is_told_once(
    player: Any, record: Make, device: nv_double.Reality, config: Path, how: str, why: str
) -> None:
    device.tensor = (lambda heat: np.full_like(heat, np.nan)) if how == "tensor" else device.tensor
    setattr(device, how, device.tensor if how == "tensor" else lambda _pad, _number: True)
    played = player.play(recipe("the ZED's picture", config, f"rgbd:{record()}"))

    assert [message["reason"] for message in played.messages] == ["no_tensor"] * 6
    assert played.warnings == [f"cam0: nvinfer gave a frame without a heat map: {why}"]


@pytest.mark.parametrize("what", ["transposed", "half", "name"])
def test_what_is_no_heat_map_of_our_network_ends_it_with_one_line(
    player: Any, record: Make, device: nv_double.Reality, config: Path, what: str
) -> None:
    if what == "transposed":
        device.tensor = lambda heat: heat.transpose(0, 2, 1)
    elif what == "half":
        device.tensor = lambda heat: heat.astype(np.float16)
    else:
        device.name = b"caf\xe9"
    played = player.play(recipe("the ZED's picture", config, f"rgbd:{record()}"))

    said = {"transposed": "its shape is 1 x 240 x 144", "half": "of type 1", "name": "not UTF-8"}[what]
    assert said in (played.error or "")
    assert "\n" not in (played.error or "")
    assert played.messages == []


@pytest.mark.parametrize("pts", [2**64 - 1, 10**15])
def test_a_pts_that_nobody_knows_takes_no_record_from_others(
    player: Any, record: Make, device: nv_double.Reality, config: Path, pts: int
) -> None:
    device.foreign_pts = lambda _pad, number, own: pts if number == 2 else own
    played = player.play(recipe("the ZED's picture", config, f"rgbd:{record()}"))

    assert played.depths() == pytest.approx([away for number, away in enumerate(AWAY) if number != 2])
    assert played.warnings == ["1 frames of nvinfer so far are of no nasionsrc, by camera and PTS"]


def test_a_batch_that_is_overtaken_is_counted_and_not_taken_for_the_next(
    player: Any, record: Make, device: nv_double.Reality, config: Path
) -> None:
    device.held = lambda batch: batch == 2
    played = player.play(recipe("the ZED's picture", config, f"rgbd:{record()}"))

    assert played.depths() == pytest.approx([away for number, away in enumerate(AWAY) if number != 2])
    assert played.warnings == ["1 frames of nvinfer so far are of no nasionsrc, by camera and PTS"]


def test_a_frame_that_comes_twice_is_spoken_of_once(
    player: Any, record: Make, device: nv_double.Reality, config: Path
) -> None:
    device.twice = lambda _pad, number: number == 2
    played = player.play(recipe("the ZED's picture", config, f"rgbd:{record()}"))

    assert played.depths() == pytest.approx(AWAY)
    assert played.warnings == ["1 frames of nvinfer so far are of no nasionsrc, by camera and PTS"]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("cameras=cam0", "cameras=front", "are of no nasionsrc"),
        ("nasionlocate config-file-path=CONFIG", "nasionlocate", "set config-file-path to nvinfer's own"),
        ("config-file-path=CONFIG cameras=cam0", "config-file-path=/nowhere.txt", "nvinfer file /nowhere.txt"),
    ],
)
@DEVICE
def test_what_is_wrong_is_said(player: Any, record: Make, config: Path, before: str, after: str, said: str) -> None:
    text = recipe("the ZED's picture", config, f"rgbd:{record()}")
    assert before.replace("CONFIG", str(config)) in text
    played = player.play(text.replace(before.replace("CONFIG", str(config)), after))

    assert played.messages == []
    assert any(said in told for told in [played.error or "", *played.warnings])


@DEVICE
def test_two_cameras_of_one_name_are_refused(player: Any, record: Make, config: Path) -> None:
    text = recipe("two cameras", config, f"rgbd:{record('front')}", f"rgbd:{record('rear')}")
    played = player.play(text.replace("camera=rear", "camera=front"))

    assert "two cameras are called 'front'" in (played.error or "")


def test_without_pyds_the_error_says_what_is_missing(player: Any, record: Make, config: Path) -> None:
    played = player.play(f"nasionsrc uri=rgbd:{record()} ! nasionlocate config-file-path={config} ! fakesink")

    assert "behind nvinfer it needs DeepStream's Python module pyds" in (played.error or "")
    assert "put nasioninfer in nvinfer's place" in (played.error or "")
