"""`nasion record` as a person or a script uses it, and `nasion run` on what it wrote: same input, same messages."""

import json
import resource
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Tuple

import cv2
import numpy as np
import pytest
import typer
from mcap.reader import make_reader
from nasion.cli.main import app
from nasion.messages import PersonMessage

from tests.program import Command

COMMAND = [sys.executable, "-m", "nasion"]
#: Nothing waits this long when all is well.
PATIENCE_S = 120.0
WIDTH, HEIGHT, FRAMES = 320, 180, 8
#: What a replay has of its own.
OF_THE_RUN = ("session", "captured_at", "captured_ns", "monotonic_ns", "boot_id", "published_at", "latency_ms")


@pytest.fixture
def walk(tmp_path: Path) -> Path:
    """An `rgbd:` recording, half a second a frame: a red dot walks to the right and goes away, and comes nearer."""
    folder = tmp_path / "walk"
    folder.mkdir()
    lens = {"width": WIDTH, "height": HEIGHT, "fx": 256, "fy": 256, "cx": 160, "cy": 90, "baseline_m": 0.1234567}
    (folder / "calibration.json").write_text(json.dumps(lens))
    rows, columns = np.mgrid[:HEIGHT, :WIDTH]
    for number in range(FRAMES):
        picture = np.random.default_rng(number).integers(0, 9, (HEIGHT, WIDTH, 3)).astype(np.uint8)
        away = (columns - 100 - 3 * number) ** 2 + (rows - 80) ** 2
        picture[:, :, 2] = (250 if number % 4 else 0) * np.exp(-away / (2 * (4 * WIDTH / 480) ** 2))
        cv2.imwrite(str(folder / f"{number:06d}_left.png"), picture)
        depth = np.random.default_rng(number).normal(4 - 0.5 * number, 0.01, (HEIGHT, WIDTH)).astype(np.float32)
        np.save(folder / f"{number:06d}_depth.npy", depth)
    times = "\n".join(f"{number:06d},{1_000_000_000 + number * 500_000_000}" for number in range(FRAMES))
    (folder / "timestamps.csv").write_text(f"frame,recorded_ns\n{times}\n")
    return folder


@pytest.fixture
def nasion(spot_model: Path, nasion: Command) -> Command:
    """The command in this process, with the model that sees red and no broker: exit code, stdout, stderr."""

    def run(*arguments: object) -> Tuple[int, str, str]:
        defaults = {"--model": str(spot_model), "--mqtt": "none"}
        told = [word for flag, value in defaults.items() if flag not in arguments for word in (flag, value)]
        return nasion(*arguments, *told)

    return run


def said(stdout: str) -> List[Dict[str, Any]]:
    """The messages, without what belongs to one run."""
    messages = []
    for line in stdout.splitlines():
        PersonMessage.model_validate_json(line, strict=True)
        messages.append({key: value for key, value in json.loads(line).items() if key not in OF_THE_RUN})
    return messages


def topics(path: Path) -> Dict[str, int]:
    """Messages by topic, as the library of MCAP itself reads them."""
    counts: Dict[str, int] = {}
    with path.open("rb") as file:
        for _, channel, _ in make_reader(file, validate_crcs=True).iter_messages():
            counts[channel.topic] = counts.get(channel.topic, 0) + 1
    return counts


def test_a_replay_says_what_the_first_run_said(nasion: Command, walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mcap"
    code, first, told = nasion("record", "--source", walk, "--out", out, "--json")

    assert code == 0, told
    assert len(said(first)) == FRAMES
    assert {bool(message["persons"]) for message in said(first)} == {True, False}
    assert any(person["reason"] for message in said(first) for person in message["persons"])
    replays = [nasion("run", "--source", source, "--json") for source in (out, f"mcap:{out}?camera=cam0")]
    assert [(code, said(again)) for code, again, _ in replays] == [(0, said(first))] * 2
    assert f"recorded {FRAMES} frames in " in told
    assert f" and {FRAMES} messages, 0 frames dropped: {out}" in told


def test_the_demo_is_replayed_though_its_depth_is_matched_where_it_is_asked_for(
    nasion: Command, tmp_path: Path
) -> None:
    """The released model, two pictures of 1280 x 720, stereo."""
    out, model = tmp_path / "out.mcap", Path(__file__).parents[2] / "weights" / "nasion-lite.onnx"
    scene = "demo:?frames=6"
    code, first, told = nasion(
        "record", "--source", scene, "--mode", "every-frame", "--model", model, "--out", out, "--json"
    )
    _, again, _ = nasion("run", "--source", out, "--model", model, "--json")

    assert code == 0, told
    assert sum(person["valid"] for message in said(first) for person in message["persons"]) >= 5
    assert said(again) == said(first)


def test_what_is_in_the_file(nasion: Command, walk: Path, tmp_path: Path) -> None:
    nasion("record", "--source", f"front={walk}", "--out", tmp_path / "out.mcap")
    parts = ["left/image", "left/calibration", "depth/image", "person"]
    assert topics(tmp_path / "out.mcap") == {f"/front/{part}": FRAMES for part in parts}

    nasion("record", "--source", walk, "--out", tmp_path / "quiet.mcap", "--no-messages")
    assert "/cam0/person" not in topics(tmp_path / "quiet.mcap")


def test_the_recorded_messages_are_those_that_were_said(nasion: Command, walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mcap"
    _, stdout, _ = nasion("record", "--source", walk, "--out", out, "--json", "--messages")
    with out.open("rb") as file:
        kept = [entry.data.decode() for _, _, entry in make_reader(file).iter_messages(topics=["/cam0/person"])]
    assert kept == stdout.splitlines()


def test_several_cameras_in_one_file(nasion: Command, walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mcap"
    code, first, _ = nasion("record", "--source", f"front={walk}", "--source", f"rear={walk}", "--out", out, "--json")
    assert code == 0
    sources = [word for name in ("front", "rear") for word in ("--source", f"{name}=mcap:{out}?camera={name}")]
    _, again, _ = nasion("run", *sources, "--json")
    for camera in ("front", "rear"):
        one, other = ([each for each in said(text) if each["camera"] == camera] for text in (first, again))
        assert one == other
        assert len(one) == FRAMES


@pytest.mark.parametrize(
    ("flags", "kept"), [(["--every", 3], 3), (["--frames", 5], 5), (["--every", 2, "--frames", 3], 3)]
)
def test_what_is_not_searched_is_not_recorded(
    nasion: Command, walk: Path, tmp_path: Path, flags: List[object], kept: int
) -> None:
    out = tmp_path / "out.mcap"
    _, first, _ = nasion("record", "--source", walk, "--out", out, "--json", *flags)
    _, again, _ = nasion("run", "--source", out, "--json")
    assert topics(out)["/cam0/left/image"] == kept
    assert said(again) == said(first)


def test_corrupt_frames_are_replayed_as_such(nasion: Command, walk: Path, tmp_path: Path) -> None:
    (walk / "000003_left.png").write_bytes(b"no picture")
    out = tmp_path / "out.mcap"
    _, first, _ = nasion("record", "--source", walk, "--out", out, "--json")
    _, again, told = nasion("run", "--source", out, "--json")
    assert [message["reason"] for message in said(first)].index("corrupt_frame") == 3
    assert said(again) == said(first)
    assert "corrupt frame skipped: 000003_left.png" in told


def test_the_next_file_after_so_many_seconds(nasion: Command, walk: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mcap"
    code, first, told = nasion("record", "--source", walk, "--out", out, "--max-seconds", 1, "--max-mb", 100, "--json")
    files = sorted(tmp_path.glob("out-*.mcap"))
    assert code == 0
    assert [path.name for path in files] == [f"out-{number:04d}.mcap" for number in (1, 2, 3, 4)]
    assert f"{files[0]} to out-0004.mcap" in told
    pixels = []
    for path in files:
        code, again, _ = nasion("run", "--source", path, "--json")
        assert (code, len(said(again))) == (0, 2)
        pixels += [[person["pixel"] for person in message["persons"]] for message in said(again)]
    assert pixels == [[person["pixel"] for person in message["persons"]] for message in said(first)]


def test_as_jpeg(nasion: Command, walk: Path, tmp_path: Path) -> None:
    nasion("record", "--source", walk, "--out", tmp_path / "png.mcap")
    code, first, _ = nasion("record", "--source", walk, "--out", tmp_path / "jpeg.mcap", "--jpeg", 90, "--json")
    _, again, _ = nasion("run", "--source", tmp_path / "jpeg.mcap", "--json")
    assert code == 0
    assert (tmp_path / "jpeg.mcap").stat().st_size < (tmp_path / "png.mcap").stat().st_size
    assert len(said(first)) == len(said(again))
    for one, other in zip(said(first), said(again)):
        assert len(one["persons"]) == len(other["persons"])
        for person, later in zip(one["persons"], other["persons"]):
            assert person["pixel"] == pytest.approx(later["pixel"], abs=1)


BAD: Dict[str, Tuple[List[str], str]] = {
    "no name": (["--source", "{walk}"], "--out"),
    "another ending": (["--source", "{walk}", "--out", "{tmp}/out.avi"], "a recording is written as .mcap"),
    "no folder": (["--source", "{walk}", "--out", "{tmp}/none/out.mcap"], "the folder {tmp}/none does not exist"),
    "there already": (["--source", "{walk}", "--out", "{tmp}/there.mcap"], "there.mcap exists already"),
    "no source": (["--out", "{tmp}/out.mcap"], "no source is given"),
    "a source that is none": (["--source", "{tmp}/none", "--out", "{tmp}/out.mcap"], "none does not exist"),
    "files of no size": (["--source", "{walk}", "--out", "{tmp}/out.mcap", "--max-mb", "0"], "--max-mb"),
    "files of no time": (["--source", "{walk}", "--out", "{tmp}/out.mcap", "--max-seconds", "nan"], "--max-seconds"),
    "a quality that is none": (["--source", "{walk}", "--out", "{tmp}/out.mcap", "--jpeg", "101"], "--jpeg"),
    "a setting out of range": (["--source", "{walk}", "--out", "{tmp}/out.mcap", "--every", "0"], "--every: '0'"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_clear_line_and_leaves_no_file(
    nasion: Command, walk: Path, tmp_path: Path, case: str
) -> None:
    (tmp_path / "there.mcap").write_bytes(b"mine")
    words, expected = BAD[case]
    flags = [word.format(walk=walk, tmp=tmp_path) for word in words]
    code, out, err = nasion("record", "--json", *flags)

    lines = [line for line in err.splitlines() if not line.startswith(("nasion: engine:", "nasion: model:"))]
    assert (code, out) == (2, "")
    assert len(lines) == 1
    assert expected.format(tmp=tmp_path) in lines[0]
    assert (tmp_path / "there.mcap").read_bytes() == b"mine"
    assert [path.name for path in tmp_path.iterdir()].count("out.mcap") == 0


def test_it_has_every_flag_of_run() -> None:
    """The same names, kinds and help: whoever knows one command knows the other."""
    commands = typer.main.get_group(app).commands
    about = {
        name: {
            option.name: (option.opts, option.metavar, getattr(option, "help", None), option.default)
            for option in commands[name].params
        }
        for name in ("run", "record")
    }
    own = {"out", "max_mb", "max_seconds", "jpeg", "messages"}
    assert {name: option for name, option in about["record"].items() if name not in own} == about["run"]


def start(model: Path, *arguments: object, **how: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*COMMAND, "record", *map(str, arguments), "--model", str(model), "--mqtt", "none", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **how,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_with_a_complete_file(
    nasion: Command, spot_model: Path, tmp_path: Path, number: signal.Signals
) -> None:
    out = tmp_path / "out.mcap"
    process = start(spot_model, "--source", "demo:", "--out", out)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(number)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    with out.open("rb") as file:
        assert make_reader(file).get_summary() is not None
    code, again, told = nasion("run", "--source", out, "--json")
    assert code == 0
    assert len(said(again)) == topics(out)["/cam0/left/image"]
    assert "cut off" not in told


def test_killed_in_the_middle_the_recording_is_replayed_up_to_there(
    nasion: Command, spot_model: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out.mcap"
    process = start(spot_model, "--source", "demo:", "--mode", "every-frame", "--out", out)
    assert process.stdout is not None
    first = [process.stdout.readline()]
    while out.stat().st_size < 10_000_000:
        first.append(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)
    code, again, told = nasion("run", "--source", out, "--json")
    assert code == 0
    assert "it was cut off" in told
    one, other = said("".join(first)), said(again)
    assert other
    assert all(message == later for message, later in zip(one, other))


def test_when_the_disk_is_full_the_run_goes_on_and_the_exit_code_tells(
    nasion: Command, walk: Path, spot_model: Path, tmp_path: Path
) -> None:
    """A real limit on the size of files, in place of a disk."""
    out, limit = tmp_path / "out.mcap", 900_000
    process = start(
        spot_model,
        *("--source", walk, "--out", out),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
    )
    written, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 1
    assert len(said(written)) == FRAMES
    assert "Traceback" not in err
    assert err.count("recording stopped") == 1
    assert err.splitlines()[-1] == f"nasion: {out}: File too large"
    _, again, told = nasion("run", "--source", out, "--json")
    assert "it was cut off" in told
    assert 0 < len(said(again)) < FRAMES
    assert said(again) == said(written)[: len(said(again))]
