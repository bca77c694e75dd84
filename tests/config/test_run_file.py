"""The configuration of a run: a file, flags that win, and one clear line for whatever is wrong."""

from pathlib import Path
from typing import Any, Callable, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.config.run_file import Override, run_settings, split_source
from nasion.errors import InputError
from nasion.settings import RunSettings

Write = Callable[[str], Path]

WHOLE = """\
cameras:
  - source: demo:?size=1080
    name: front
    mount: {frame_id: base_link, translation_m: [0.1, 0, 0.5]}
  - source: pairs:recordings/rear
    name: rear
view: fine
nvinfer: nets/fine.txt
model: /opt/net.onnx
mode: every-frame
every: 2
threshold: 0.7
depth: {patch_px: 7, far_m: 8}
jump: {mode: fixed}
mqtt: {url: "mqtts://broker:8883", prefix: robot, ca_file: ca.pem, password_file: pw, cert_file: c.pem, key_file: c.key}
"""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def file(text: str) -> Path:
        path = tmp_path / "run.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return file


def refusal(file: Any = None, overrides: Any = (), sources: Any = ()) -> str:
    with pytest.raises(InputError) as caught:
        run_settings(file, overrides, sources)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 400
    return text


def test_one_source_is_all_it_takes() -> None:
    assert run_settings(None, sources=["demo:"]) == RunSettings.model_validate({"cameras": [{"source": "demo:"}]})


def test_a_file_says_everything(write: Write) -> None:
    settings = run_settings(write(WHOLE))

    front, rear = settings.cameras
    assert (front.source, front.name, front.frame_id) == ("demo:?size=1080", "front", "base_link")
    assert (rear.name, rear.mount) == ("rear", None)
    assert (settings.view, settings.every, settings.threshold) == ("fine", 2, 0.7)
    assert (settings.depth.patch_px, settings.depth.near_m, settings.jump.mode) == (7, 0.7, "fixed")


def test_relative_paths_count_from_the_files_folder(write: Write, tmp_path: Path) -> None:
    settings = run_settings(write(WHOLE + "save: out.avi\nremote: {persist: kept.json}\n"))

    assert settings.nvinfer == str(tmp_path / "nets" / "fine.txt")
    assert settings.model == "/opt/net.onnx"
    assert settings.save == str(tmp_path / "out.avi")
    assert settings.remote.persist == str(tmp_path / "kept.json")
    files = (settings.mqtt.ca_file, settings.mqtt.password_file, settings.mqtt.cert_file, settings.mqtt.key_file)
    assert files == tuple(str(tmp_path / name) for name in ("ca.pem", "pw", "c.pem", "c.key"))
    assert settings.cameras[1].source == f"pairs:{tmp_path}/recordings/rear"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("demo:?size=1080", "demo:?size=1080"),
        ("walk.avi", "{folder}/walk.avi"),
        ("walk.avi?rectified=1", "{folder}/walk.avi?rectified=1"),
        ("/data/walk.avi", "/data/walk.avi"),
        ("sbs:walk.avi?rectified=1", "sbs:{folder}/walk.avi?rectified=1"),
        ("sbs:walk.avi?calibration=my zed.conf", "sbs:{folder}/walk.avi?calibration={folder}/my%20zed.conf"),
        ("rgbd:.", "rgbd:{folder}"),
        ("zed:", "zed:"),
        ("zed-stream:robot:30000", "zed-stream:robot:30000"),
        ("nonsense:x", "nonsense:x"),
    ],
)
def test_a_relative_source_counts_from_the_files_folder(write: Write, tmp_path: Path, written: str, meant: str) -> None:
    settings = run_settings(write(f"cameras: [{{source: '{written}'}}]"))

    assert settings.cameras[0].source == meant.format(folder=tmp_path)


def test_a_path_that_is_there_is_that_path_whatever_is_in_its_name(write: Write, tmp_path: Path) -> None:
    (tmp_path / "odd:name?.avi").touch()

    settings = run_settings(write("cameras: [{source: 'odd:name?.avi'}]"))

    assert settings.cameras[0].source == str(tmp_path / "odd:name?.avi")


def test_flags_win_over_the_file(write: Write) -> None:
    overrides = [
        Override("--view", ("view",), "centre"),
        Override("--mqtt", ("mqtt", "url"), "none"),
        Override("--every", ("every",), 1),
        Override("--model", ("model",), "my.onnx"),
    ]

    settings = run_settings(write(WHOLE), overrides)

    assert (settings.view, settings.every) == ("centre", 1)
    assert (settings.mqtt.url, settings.mqtt.prefix) == ("none", "robot")
    assert settings.model == "my.onnx", "a flag's path counts from where the command is typed"


def test_sources_on_the_command_line_replace_the_cameras_but_keep_their_mounts(write: Write) -> None:
    settings = run_settings(write(WHOLE), sources=["front=sbs:front.avi", "left=demo:"])

    front, left = settings.cameras
    assert (front.name, front.source, front.frame_id) == ("front", "sbs:front.avi", "base_link")
    assert (left.name, left.mount) == ("left", None)


@pytest.mark.parametrize(
    ("typed", "name", "uri"),
    [
        ("demo:", "cam0", "demo:"),
        ("front=demo:", "front", "demo:"),
        ("front=sbs:a.avi?rectified=1", "front", "sbs:a.avi?rectified=1"),
        ("demo:?size=1080", "cam0", "demo:?size=1080"),
        ("./odd=name.avi", "cam0", "./odd=name.avi"),
        ("links vorne=walk.avi", "links vorne", "walk.avi"),
        ("zed-stream:host:30000", "cam0", "zed-stream:host:30000"),
    ],
)
def test_a_name_before_the_source(typed: str, name: str, uri: str) -> None:
    assert split_source(typed) == (name, uri)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("view: wide", "view = 'wide': Input should be 'centre', 'full' or 'fine'"),
        ("vew: full", "unknown key 'vew'; did you mean 'view'?"),
        ("depth: {patch: 5}", "unknown key 'depth.patch'; did you mean 'patch_px'?"),
        ("depth: {patch_px: 4}", "depth: patch_px must be odd, not 4"),
        ("depth: {near_m: 9, far_m: 2}", "near_m (9.0) must be less than far_m (2.0)"),
        ("depth: {near_m: -1}", "depth.near_m = -1: Input should be greater than 0"),
        ("threshold: .nan", "threshold = nan"),
        ("threshold: 1.5", "threshold = 1.5: Input should be less than or equal to 1"),
        ("every: often", "every = 'often': Input should be a valid integer"),
        ("mqtt: {qos: 2}", "mqtt.qos = 2"),
        ("mqtt: {prefix: a/b}", "mqtt.prefix = 'a/b': 'a/b' contains /"),
        ("mqtt: none", "mqtt = 'none'"),
        ("cameras: []", "cameras: List should have at least 1 item"),
        ("cameras: [{name: a}]", "cameras.0.source is missing"),
        (
            "cameras: [{source: 'demo:', mount: {frame: x}}]",
            "unknown key 'cameras.0.mount.frame'; did you mean 'frame_id'?",
        ),
        ("cameras: [{source: 'demo:', name: a/b}]", "cameras.0.name = 'a/b'"),
        ("cameras: [{source: 'demo:'}, {source: 'demo:'}]", "camera name 'cam0' is used twice"),
        ("- a\n- b", "holds a list; expected keys with values"),
        ("just text", "holds a str"),
        ("a: [1", "not readable as YAML"),
        ("cameras:\n  - source: demo:\n", 'needs quotes: "demo:"'),
        ("view: full\nview: fine", "the key 'view' stands twice"),
        ("depth: {near_m: 1, near_m: 2}", "the key 'near_m' stands twice"),
        ("!!python/object/apply:os.system ['true']", "not readable as YAML"),
        ("{a: b}: c", "not readable as YAML"),
        ("1: 2", "Keys should be strings"),
    ],
)
def test_what_is_wrong_in_the_file_is_said_in_one_line(write: Write, text: str, said: str) -> None:
    file = write(text if "cameras" in text or ":" not in text else f"{text}\ncameras: [{{source: 'demo:'}}]\n")

    line = refusal(file)

    assert said in line
    assert str(file) in line


@pytest.mark.parametrize(
    ("flag", "place", "value", "said"),
    [
        ("--view", ("view",), "wide", "--view: 'wide': Input should be 'centre', 'full' or 'fine'"),
        ("--threshold", ("threshold",), 1.5, "--threshold: 1.5: Input should be less than or equal to 1"),
        ("--prefix", ("mqtt", "prefix"), "a#", "--prefix: 'a#': 'a#' contains #"),
        ("--frames", ("frames",), 0, "--frames: 0: Input should be greater than or equal to 1"),
    ],
)
def test_what_is_wrong_with_a_flag_names_the_flag(flag: str, place: Any, value: Any, said: str) -> None:
    assert said in refusal(None, [Override(flag, place, value)], ["demo:"])


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([], "no source is given; name one with --source"),
        (["demo:", "demo:"], "give each source its own: --source front="),
        (["a+b=demo:"], "--source: 'a+b': 'a+b' contains +"),
        (["front="], "--source"),
        ([""], "--source"),
    ],
)
def test_what_is_wrong_with_the_sources(sources: List[str], said: str) -> None:
    assert said in refusal(None, (), sources)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.yaml")
    assert "directory" in refusal(tmp_path).lower()
    binary = tmp_path / "binary.yaml"
    binary.write_bytes(bytes(range(256)))
    assert "not readable as YAML" in refusal(binary)
    large = tmp_path / "large.yaml"
    large.write_bytes(b"#" * ((1 << 20) + 1))
    assert "larger than" in refusal(large)


def test_an_empty_file_leaves_all_as_it_is_by_default(write: Write) -> None:
    assert run_settings(write(""), sources=["demo:"]) == run_settings(None, sources=["demo:"])


@given(text=st.text(max_size=200))
def test_no_text_gives_anything_but_settings_or_one_line(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(text, encoding="utf-8", errors="replace")
    said = ""
    try:
        run_settings(path)
    except InputError as error:
        said = str(error)
    assert "\n" not in said


def test_a_misspelt_key_is_told_before_the_missing_one(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text("camera: [{source: 'demo:'}]")
    with pytest.raises(InputError, match=r"unknown key 'camera'; did you mean 'cameras'\?"):
        run_settings(tmp_path / "run.yaml", [], [])


@pytest.mark.parametrize(
    "text",
    [
        "mqtt: mqtt://robot:Tr0ub4dor@broker",
        "mqtt: 'mqtt://robot:a-long-and-winding-Tr0ub4dor@b'",
        "mqtt: {prefix: 'mqtt://robot:Tr0ub4dor@broker'}",
        "mqtt: {'mqtt://robot:Tr0ub4dor@broker': 1}",
        "view: 'mqtt://robot:Tr0ub4dor@broker'",
        "mqtt: {url: 'mqtt://robot:Tr0ub4dor@broker}",
        "mqtt: {url: mqtt://robot:Tr0ub4dor@broker, url: x}",
        "mqtt:\n  url: mqtt://robot:Tr0ub4dor@broker: x",
        "mqtt: {password: Tr0ub4dor}",
        "mqtt: {url: [mqtt, Tr0ub4dor]}",
    ],
)
def test_no_refusal_shows_a_password(write: Write, text: str) -> None:
    assert "Tr0ub4dor" not in refusal(write(f"cameras: [{{source: 'demo:'}}]\n{text}\n"))


def test_yaml_that_cannot_be_read_is_refused_with_the_place(write: Write) -> None:
    said = refusal(write("cameras: [\nmqtt: {url: 'x}\n"))
    assert "not readable as YAML: " in said
    assert " in line " in said


class TestWordsAndValues:
    def test_a_word_needs_no_quotes(self, write: Write) -> None:
        text = "cameras: [{source: 'demo:', name: no}, {source: 'demo:', name: 12:30}]\njump: {mode: off}\n"
        settings = run_settings(write(text))
        assert settings.jump.mode == "off"
        assert [camera.name for camera in settings.cameras] == ["no", "12:30"]

    @pytest.mark.parametrize(
        ("said", "meant"), [("on", True), ("yes", True), ("true", True), ("off", False), ("no", False)]
    )
    def test_a_truth_value_may_be_said_in_words(self, write: Write, said: str, meant: bool) -> None:
        settings = run_settings(write(f"cameras: [{{source: 'demo:'}}]\nimage: {{enabled: {said}}}\n"))
        assert settings.image.enabled is meant

    def test_a_number_with_an_exponent_is_one(self, write: Write) -> None:
        assert run_settings(write("cameras: [{source: 'demo:'}]\nseconds: 1e3\nhttp: {port: 08080}\n")).seconds == 1000

    @pytest.mark.parametrize("number", ["7", "007", "1.5", "true", "~"])
    def test_a_name_that_is_no_word_is_refused_with_the_remedy(self, write: Write, number: str) -> None:
        said = refusal(write(f"cameras: [{{source: 'demo:', name: {number}}}]\n"))
        assert said.startswith(f"configuration {write('')}: cameras.0.name = ")
        assert said.endswith("quote it where it is a word")

    @pytest.mark.parametrize(
        "text",
        [
            "cameras: [{source: {demo: }}]",
            "cameras:\n  - source:\n      demo:\n",
        ],
    )
    def test_a_source_that_yaml_takes_apart_is_that_source(self, write: Write, text: str) -> None:
        assert run_settings(write(text)).cameras[0].source == "demo:"

    def test_the_same_with_a_path(self, write: Write, tmp_path: Path) -> None:
        text = "cameras: [{source: {sbs: walk.avi}}]"
        assert run_settings(write(text)).cameras[0].source == f"sbs:{tmp_path}/walk.avi"

    @pytest.mark.parametrize(
        "text",
        [
            "cameras:\n  - source: demo:\n    name: a\n",
            "cameras: [{source: demo:}]",
            "cameras: [{name: a, source: zed:, mount: {}}]",
            "cameras:\n  - source: sbs: walk.avi\n",
        ],
    )
    def test_a_source_that_yaml_stumbles_over_is_told_how_to_be_quoted(self, write: Write, text: str) -> None:
        assert refusal(write(text)).endswith('needs quotes: "demo:"')

    def test_that_is_not_said_of_other_faults(self, write: Write) -> None:
        assert "quotes" not in refusal(write("view: full: 1"))

    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_a_file_from_windows(self, tmp_path: Path, encoding: str) -> None:
        path = tmp_path / "run.yaml"
        path.write_bytes("cameras: [{source: 'demo:', name: Küche}]\r\n".encode(encoding))
        assert run_settings(path).cameras[0].name == "Küche"

    def test_an_older_one(self, tmp_path: Path) -> None:
        path = tmp_path / "run.yaml"
        path.write_bytes("cameras: [{source: 'demo:', name: Küche}]".encode("latin-1"))
        assert "save it as UTF-8" in refusal(path)


class TestTheUsersOwnFolder:
    @pytest.fixture(autouse=True)
    def home(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path / "home"))
        # Whatever counts from the current folder is found out.
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path / "elsewhere")

    def test_every_path_of_a_file(self, write: Write, tmp_path: Path) -> None:
        files = "ca_file: ~/ca, password_file: ~/pw, cert_file: ~/c, key_file: ~/k"
        text = f"nvinfer: ~/n.txt\nmodel: ~/m.onnx\nsave: ~/s.avi\nremote: {{persist: ~/p.json}}\nmqtt: {{{files}}}\n"
        settings = run_settings(write(f"cameras: [{{source: 'sbs:~/walk.avi?calibration=~/c.json'}}]\n{text}"))
        mqtt, home = settings.mqtt, tmp_path / "home"
        assert settings.cameras[0].source == f"sbs:{home}/walk.avi?calibration={home}/c.json"
        assert (settings.nvinfer, settings.model, settings.save, settings.remote.persist) == tuple(
            str(home / name) for name in ("n.txt", "m.onnx", "s.avi", "p.json")
        )
        assert (mqtt.ca_file, mqtt.password_file, mqtt.cert_file, mqtt.key_file) == tuple(
            str(home / name) for name in ("ca", "pw", "c", "k")
        )

    @pytest.mark.parametrize("source", ["~/walk.avi", "~/pairs", "rgbd:~/r", "mcap:~/a.mcap", "svo:~/a.svo"])
    def test_every_kind_of_source_that_is_a_path(self, write: Write, tmp_path: Path, source: str) -> None:
        found = run_settings(write(f"cameras: [{{source: '{source}'}}]")).cameras[0].source
        assert found == source.replace("~", str(tmp_path / "home"))

    def test_flags_and_the_file_itself(self, write: Write, tmp_path: Path) -> None:
        (tmp_path / "home").mkdir()
        write("cameras: [{source: 'demo:'}]\nsave: a.avi\n").rename(tmp_path / "home" / "run.yaml")
        flags = [Override("--save", ("save",), "~/b.avi"), Override("--model", ("model",), "~/m.onnx")]
        settings = run_settings(Path("~/run.yaml"), flags)
        assert (settings.save, settings.model) == tuple(str(tmp_path / "home" / name) for name in ("b.avi", "m.onnx"))
        assert run_settings(Path("~/run.yaml")).save == str(tmp_path / "home" / "a.avi")

    def test_nobodys_folder(self, write: Write) -> None:
        said = refusal(write("cameras: [{source: 'demo:'}]\nsave: ~nobody-here/a.avi\n"))
        assert "~nobody-here/a.avi: nobody here is called so" in said
