"""`nasion run` as a person or a script uses it: streams, exit codes, signals, and one line for whatever is wrong."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, List, Tuple, Union

import cv2
import numpy as np
import onnx
import pytest
from nasion.messages import PersonMessage, StatusMessage
from nasion.mqtt.broker import PrivateBroker
from paho.mqtt import subscribe
from paho.mqtt.enums import MQTTProtocolVersion

from tests.program import Command

RUN = [sys.executable, "-m", "nasion", "run"]
#: Nothing waits this long when all is well.
PATIENCE_S = 120.0
WIDTH, HEIGHT, FRAMES = 320, 180, 8


@pytest.fixture
def record(tmp_path: Path) -> Callable[..., Path]:
    """Make an `rgbd:` recording: a red dot that walks to the right at a distance that is known."""

    def make(name: str = "walk", metres: float = 2.0) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lens = {"width": WIDTH, "height": HEIGHT, "fx": 256, "fy": 256, "cx": 160, "cy": 90, "baseline_m": 0.12}
        (folder / "calibration.json").write_text(json.dumps(lens))
        rows, columns = np.mgrid[:HEIGHT, :WIDTH]
        for number in range(FRAMES):
            picture = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
            away = (columns - dot_u(number)) ** 2 + (rows - 80) ** 2
            picture[:, :, 2] = 250 * np.exp(-away / (2 * (4 * WIDTH / 480) ** 2))
            cv2.imwrite(str(folder / f"{number:06d}_left.png"), picture)
            np.save(folder / f"{number:06d}_depth.npy", np.full((HEIGHT, WIDTH), metres, np.float32))
        return folder

    return make


def dot_u(number: int) -> float:
    return 100.0 + 3 * number


@pytest.fixture
def nasion(spot_model: Path, nasion: Command) -> Command:
    """The command in this process, with the model that sees red and no broker: exit code, stdout, stderr."""

    def run(*arguments: object, command: str = "run") -> Tuple[int, str, str]:
        defaults = {"--model": str(spot_model), "--mqtt": "none"}
        told = [word for flag, value in defaults.items() if flag not in arguments for word in (flag, value)]
        return nasion(command, *arguments, *told)

    return run


def messages(stdout: str) -> List[PersonMessage]:
    return [PersonMessage.model_validate_json(line, strict=True) for line in stdout.splitlines()]


def test_json_is_one_message_a_frame_and_nothing_else(nasion: Command, record: Callable[..., Path]) -> None:
    code, out, err = nasion("--source", record(metres=2.0), "--json")

    assert code == 0
    said = messages(out)
    assert [message.seq for message in said] == list(range(FRAMES))
    assert [message.persons[0].pixel[0] for message in said] == pytest.approx(
        [dot_u(number) for number in range(FRAMES)], abs=0.5
    )
    assert [message.persons[0].depth_m for message in said] == pytest.approx([2.0] * FRAMES)
    assert f"cam0: {FRAMES} of {FRAMES} frames processed" in err


def test_people_get_lines_instead(nasion: Command, record: Callable[..., Path]) -> None:
    code, out, _ = nasion("--source", f"front={record(metres=2.0)}")

    assert code == 0
    assert out.startswith("front #0: person 0: 2.")
    assert " m at [" in out


def test_several_cameras_in_one_process(nasion: Command, record: Callable[..., Path]) -> None:
    front, rear = record("front", 1.5), record("rear", 4.5)

    code, out, _ = nasion("--source", f"front={front}", "--source", f"rear=rgbd:{rear}", "--json")

    assert code == 0
    said = messages(out)
    for camera, metres in (("front", 1.5), ("rear", 4.5)):
        own = [message for message in said if message.camera == camera]
        assert [message.persons[0].depth_m for message in own] == pytest.approx([metres] * FRAMES)
        assert {message.frame_id for message in own} == {f"{camera}_left_camera_optical_frame"}


def test_a_configuration_says_it_all_and_flags_win(
    nasion: Command, record: Callable[..., Path], tmp_path: Path
) -> None:
    record("walk")
    config = tmp_path / "robot.yaml"
    config.write_text(
        "cameras: [{source: walk, name: front, mount: {frame_id: base_link}}]\nevery: 4\nmax_persons: 3\nview: fine\n"
    )

    code, out, err = nasion("--config", config, "--every", 2, "--view", "centre", "--json")

    assert code == 0
    said = messages(out)
    assert len(said) == FRAMES // 2
    assert {(message.camera, message.frame_id) for message in said} == {("front", "base_link")}
    assert "view centre" in err


@pytest.mark.parametrize(
    ("flags", "lines"), [(["--every", "3"], 3), (["--frames", "5"], 5), (["--every", "2", "--frames", "3"], 3)]
)
def test_fewer_frames(nasion: Command, record: Callable[..., Path], flags: List[str], lines: int) -> None:
    code, out, _ = nasion("--source", record(), "--json", *flags)

    assert (code, len(messages(out))) == (0, lines)


def test_the_annotated_video_is_written(nasion: Command, record: Callable[..., Path], tmp_path: Path) -> None:
    code, _, err = nasion("--source", record(), "--save", tmp_path / "walk.avi")

    assert f"nasion: cam0: video: wrote {tmp_path / 'walk.avi'}" in err.splitlines()
    video = cv2.VideoCapture(str(tmp_path / "walk.avi"))
    assert code == 0
    assert video.get(cv2.CAP_PROP_FRAME_COUNT) == FRAMES


@pytest.mark.parametrize("command", ["run", "check"])
@pytest.mark.parametrize("cameras", [1, 2])
def test_the_recording_that_is_read_is_not_written_over(
    nasion: Command, record: Callable[..., Path], tmp_path: Path, command: str, cameras: int
) -> None:
    """Named by its own name or by a link; with two cameras where the name of one makes it so."""
    recording = tmp_path / ("seen.avi" if cameras == 1 else "seen-b.avi")
    recording.write_bytes(b"RIFF")
    (tmp_path / "link.avi").symlink_to(recording)
    walk = record()
    sources = ["--source", walk] if cameras == 1 else ["--source", f"a={walk}", "--source", f"b={walk}"]
    for name in ("seen.avi", "link.avi") if cameras == 1 else ("seen.avi",):
        code, _, _ = nasion(*sources, "--save", tmp_path / name, command=command)
        assert code == 2
        assert recording.read_bytes() == b"RIFF"
        assert sorted(path.name for path in tmp_path.glob("*.avi")) == sorted({recording.name, "link.avi"})


@pytest.mark.parametrize("flags", [[], ["--frames", "3"], ["--seconds", "60"]])
def test_a_broker_that_never_was_there_does_not_end_the_run_and_is_told_and_fails_it(
    nasion: Command, record: Callable[..., Path], flags: List[str]
) -> None:
    code, out, err = nasion("--source", record(), "--json", "--mqtt", "mqtt://127.0.0.1:1", *flags)

    assert (code, len(messages(out))) == (1, 3 if "--frames" in flags else FRAMES)
    assert "127.0.0.1:1: Connection refused" in err
    assert "was published" in err.splitlines()[-1]


def test_a_run_that_is_stopped_has_not_failed_without_a_broker_and_says_what_was_published(spot_model: Path) -> None:
    process = start(spot_model, "--source", "demo:", "--mqtt", "mqtt://127.0.0.1:1")
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, err
    assert "was published" in err.splitlines()[-1]


def test_a_broker_that_is_there_hears_the_end_of_the_shortest_run(
    nasion: Command, record: Callable[..., Path], broker: PrivateBroker
) -> None:
    code, out, err = nasion("--source", record(), "--frames", "1", "--json", "--mqtt", broker.url)

    assert (code, len(messages(out))) == (0, 1), err
    assert "acknowledged 1" in err


def test_frames_that_are_too_old_for_the_broker_are_told_with_what_helps(
    nasion: Command, broker: PrivateBroker, tmp_path: Path
) -> None:
    config = tmp_path / "robot.yaml"
    config.write_text("mqtt: {max_age_ms: 1}\n")
    # A network's input this large takes longer than a millisecond.
    words = ["--view", "fine", "--source", "demo:?frames=20&size=1080", "--mode", "every-frame", "--mqtt", broker.url]
    code, _, err = nasion("--config", config, *words)

    told = [line for line in err.splitlines() if "mqtt.max_age_ms" in line]
    assert code == 1, err
    assert "--view centre" in told[0]


def test_damage_is_told_once_and_counted(nasion: Command, record: Callable[..., Path]) -> None:
    folder = record()
    for number in range(2, 6):
        (folder / f"{number:06d}_left.png").write_bytes(b"no picture")

    code, _, err = nasion("--source", folder, "--json")

    assert code == 0
    told = [line for line in err.splitlines() if "corrupt frame" in line and "processed" not in line]
    assert len(told) == 2
    assert "000002_left.png" in told[0]
    assert "4 corrupt frames" in told[1]
    assert "corrupt_frame 4" in err


def test_a_frame_that_cannot_be_decoded_is_reported_and_skipped(nasion: Command, record: Callable[..., Path]) -> None:
    folder = record()
    (folder / "000003_left.png").write_bytes(b"no picture")

    code, out, err = nasion("--source", folder, "--json")

    said = messages(out)
    assert code == 0
    assert [str(message.reason.value) if message.reason else "" for message in said].index("corrupt_frame") == 3
    assert len(said) == FRAMES
    assert "000003_left.png" in err
    assert "corrupt_frame 1" in err


def test_the_help_says_every_flag_and_its_default(nasion: Command) -> None:
    code, out, _ = nasion("--help")

    plain = " ".join(out.split())
    assert code == 0
    for flag in ("--source", "--config", "--view", "--engine", "--mode", "--every", "--save", "--mqtt", "--json"):
        assert flag in plain
    assert "Default: full" in plain


BAD = {
    "no source": ([], "no source is given"),
    "a source that does not exist": (["--source", "nowhere.avi"], "nowhere.avi"),
    "an unknown kind of source": (["--source", "dmeo:"], "did you mean 'demo'"),
    "an empty folder": (["--source", "{tmp}"], "{tmp}"),
    "a file without a frame": (["--source", "{tmp}/rubbish.avi"], "rubbish.avi"),
    "a model that is none": (["--source", "demo:", "--model", "{tmp}/rubbish.onnx"], "rubbish.onnx"),
    "a model that is not there": (["--source", "demo:", "--model", "none.onnx"], "No such file"),
    "a model of another shape": (["--source", "demo:", "--model", "{tmp}/same.onnx"], "expected"),
    "an unknown view": (["--source", "demo:", "--view", "wide"], "--view: 'wide'"),
    "a threshold out of range": (["--source", "demo:", "--threshold", "2"], "--threshold: '2'"),
    "a number that is none": (
        ["--source", "demo:", "--every", "often"],
        "--every: 'often': Input should be a valid integer",
    ),
    "an unknown flag": (["--sauce", "demo:"], "--sauce"),
    "two cameras of one name": (["--source", "demo:", "--source", "demo:"], "used twice"),
    "a name that tears topics": (["--source", "a#b=demo:"], "contains #"),
    "a config that is not there": (["--config", "none.yaml"], "none.yaml"),
    "an unknown key": (["--config", "{tmp}/typo.yaml"], "did you mean 'threshold'"),
    "a value out of range": (["--config", "{tmp}/range.yaml"], "depth.near_m"),
    "an unknown key in the nvinfer file": (["--config", "{tmp}/nvinfer.yaml"], "did you mean 'infer-dims'"),
    "a broker that is none": (["--source", "demo:", "--mqtt", "http://x"], "mqtt://"),
    "a video that is none": (["--source", "demo:", "--save", "{tmp}/walk.mp4"], "walk.mp4"),
}


@pytest.fixture
def rubbish(tmp_path: Path) -> Path:
    for name in ("rubbish.avi", "rubbish.onnx"):
        (tmp_path / name).write_bytes(bytes(range(256)) * 8)
    (tmp_path / "typo.yaml").write_text("cameras: [{source: 'demo:'}]\ntreshold: 0.7\n")
    (tmp_path / "range.yaml").write_text("cameras: [{source: 'demo:'}]\ndepth: {near_m: -1}\n")
    (tmp_path / "nvinfer.yaml").write_text("cameras: [{source: 'demo:'}]\nnvinfer: net.txt\n")
    (tmp_path / "net.txt").write_text("[property]\ninfer-dim=3;288;480\n")
    shape: List[Union[str, int, None]] = ["n", 3, "h", "w"]
    ends = [onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape) for name in ("x", "y")]
    graph = onnx.helper.make_graph([onnx.helper.make_node("Identity", ["x"], ["y"])], "same", ends[:1], ends[1:])
    opset = onnx.helper.make_opsetid("", 17)
    onnx.save(onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8), tmp_path / "same.onnx")
    (tmp_path / "empty").mkdir()
    return tmp_path


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_clear_line_and_exit_code_2(nasion: Command, rubbish: Path, case: str) -> None:
    words, said = BAD[case]
    flags = [word.format(tmp=rubbish / "empty" if word == "{tmp}" else rubbish) for word in words]

    code, out, err = nasion("--json", *flags)

    lines = [line for line in err.splitlines() if not line.startswith(("nasion: engine:", "nasion: model:"))]
    assert (code, out) == (2, "")
    assert len(lines) == 1
    assert lines[0].startswith("nasion: ")
    assert said.format(tmp=rubbish) in lines[0]


def test_the_engine_that_is_not_here_is_a_missing_dependency(nasion: Command, record: Callable[..., Path]) -> None:
    code, out, err = nasion("--source", record(), "--engine", "deepstream", "--json")

    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert "nvinfer" in err


def start(model: Path, *arguments: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [*RUN, *map(str, arguments), "--model", str(model), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly_and_the_broker_knows(
    spot_model: Path, broker: PrivateBroker, number: signal.Signals
) -> None:
    process = start(spot_model, "--source", "front=demo:", "--mqtt", broker.url)
    assert process.stdout is not None
    first = process.stdout.readline()
    process.send_signal(number)
    out, err = process.communicate(timeout=PATIENCE_S)

    assert process.returncode == 0, err
    assert len(messages(first + out)) >= 1
    assert "Traceback" not in err
    assert "frames processed" in err
    kept: Any = subscribe.simple(  # type: ignore[no-untyped-call]
        "nasion/front/status", hostname="127.0.0.1", port=broker.port, protocol=MQTTProtocolVersion.MQTTv5
    )
    assert StatusMessage.model_validate_json(kept.payload, strict=True).process == "stopped"


def test_a_reader_that_has_enough_ends_it_cleanly(spot_model: Path) -> None:
    process = start(spot_model, "--source", "demo:", "--mqtt", "none")
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    process.stdout.close()
    err = process.stderr.read()

    assert process.wait(PATIENCE_S) == 0, err
    assert len(messages(first)) == 1
    assert "Traceback" not in err
    assert "Broken" not in err
    process.stderr.close()


def test_a_full_disk_behind_stdout_is_a_failure_in_one_line(spot_model: Path, record: Callable[..., Path]) -> None:
    with open("/dev/full", "w") as full:
        ended = subprocess.run(
            [*RUN, "--source", str(record()), "--model", str(spot_model), "--mqtt", "none", "--json"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=PATIENCE_S,
            check=False,
        )

    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    assert "No space left" in ended.stderr


LOADED = """
import importlib, json, pkgutil, sys
import nasion
for module in pkgutil.walk_packages(nasion.__path__, "nasion."):
    if module.name != "nasion.__main__":
        importlib.import_module(module.name)
print(json.dumps(sorted(sys.modules)))
"""


def test_the_robot_never_loads_the_workshop() -> None:
    out = subprocess.run([sys.executable, "-c", LOADED], stdout=subprocess.PIPE, check=True, timeout=PATIENCE_S).stdout

    loaded: Dict[str, None] = dict.fromkeys(json.loads(out))
    assert "nasion.pipeline.app" in loaded
    assert not loaded.keys() & {"torch", "lightning", "training", "export", "onnx", "matplotlib"}


def test_it_works_the_same_without_the_gst_python_overrides(spot_model: Path, record: Callable[..., Path]) -> None:
    """A real process with the bare introspection bindings, as on a Jetson without python3-gst-1.0."""
    arguments = ["nasion", "run", "--source", str(record()), "--model", str(spot_model), "--mqtt", "none", "--json"]
    program = (
        "import sys; sys.modules['gi.overrides.Gst'] = sys.modules['gi.overrides.GstApp'] = None\n"
        f"sys.argv = {arguments!r}\nfrom nasion.cli.main import main; main()"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )

    assert ended.returncode == 0, ended.stderr
    assert [message.persons[0].pixel[0] for message in messages(ended.stdout)] == pytest.approx(
        [dot_u(number) for number in range(FRAMES)], abs=0.5
    )


def test_without_gstreamers_python_bindings_it_is_said_how_to_get_them(
    spot_model: Path, record: Callable[..., Path]
) -> None:
    """A real process whose `gi` cannot be imported."""
    arguments = ["nasion", "run", "--source", str(record()), "--model", str(spot_model), "--mqtt", "none"]
    program = (
        f"import sys; sys.modules['gi'] = None; sys.argv = {arguments!r}\nfrom nasion.cli.main import main; main()"
    )

    ended = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert ended.returncode == 3
    assert ended.stderr.count("\n") == 1
    assert "apt-get install" in ended.stderr
