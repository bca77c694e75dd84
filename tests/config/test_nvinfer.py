"""One nvinfer file for both engines: read as nvinfer reads it, and nothing in it is overlooked."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Callable

import pytest
from nasion.config.nvinfer import default_nvinfer_file, read_nvinfer
from nasion.config.nvinfer_keys import CLASS_ATTRS_KEYS, PROPERTY_KEYS
from nasion.core.views import INPUT_SIZES
from nasion.errors import InputError
from nasion.settings import View

#: Every key the config parser of DeepStream 9.1's nvinfer knows, in its source's order.
NVINFER_KEYS = """
gie-unique-id process-mode interval labelfile-path gpu-id secondary-reinfer-interval output-tensor-meta
disable-output-host-copy auto-inc-mem max-gpu-mem-per enable-dla use-dla-core dump-input-tensor dump-output-tensor
overwrite-input-tensor overwrite-output-tensor ip-tensor-file op-tensor-files raw-output-file-write batch-size
tensor-meta-pool-size network-mode model-engine-file int8-calib-file workspace-size output-blob-names is-classifier
network-type force-implicit-batch-dim infer-dims output-io-formats layer-device-precision model-color-format
net-scale-factor offsets mean-file maintain-aspect-ratio symmetric-padding scaling-filter scaling-compute-hw
network-input-order input-tensor-from-meta custom-lib-path parse-bbox-func-name parse-bbox-instance-mask-func-name
parse-classifier-func-name engine-create-func-name parse-segmentation-func-name custom-network-config model-file
proto-file uff-file uff-input-order input-dims uff-input-dims uff-input-blob-name tlt-encoded-model tlt-model-key
onnx-file num-detected-classes enable-dbscan cluster-mode crop-objects-to-roi-boundary strongly-typed
dynamic-properties warmup-engine stabilize-buffer-count classifier-type classifier-threshold classifier-async-mode
segmentation-threshold segmentation-output-order output-instance-mask input-object-min-width input-object-min-height
input-object-max-width input-object-max-height operate-on-gie-id operate-on-class-ids filter-out-class-ids
""".split()  # noqa: SIM905
CLASS_ATTRS = """
threshold pre-cluster-threshold post-cluster-threshold eps group-threshold minBoxes dbscan-min-score roi-top-offset
roi-bottom-offset detected-min-w detected-min-h detected-max-w detected-max-h border-color bg-color nms-iou-threshold
topk
""".split()  # noqa: SIM905

GOOD = """\
[property]
gie-unique-id=1
network-type=100
output-tensor-meta=1
onnx-file=models/net.onnx
infer-dims=3;288;480
maintain-aspect-ratio=1
scaling-filter=1
"""


@pytest.fixture
def nvinfer_file(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "net.txt"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def with_line(line: str) -> str:
    """GOOD with the line's key replaced or added."""
    key = line.split("=", maxsplit=1)[0]
    kept = [old for old in GOOD.splitlines() if old.split("=")[0] != key]
    return "\n".join([*kept, line])


def refusal(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_nvinfer(path)
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_the_table_knows_every_key_of_nvinfer() -> None:
    assert set(PROPERTY_KEYS) == set(NVINFER_KEYS)
    assert set(CLASS_ATTRS_KEYS) == set(CLASS_ATTRS)


def test_every_key_has_a_handling_and_a_reason() -> None:
    for key, rule in {**PROPERTY_KEYS, **CLASS_ATTRS_KEYS}.items():
        assert rule.handling in ("honoured", "irrelevant on CPU", "refused"), key
        assert rule.why, key


@pytest.mark.parametrize("view", list(INPUT_SIZES))
def test_the_delivered_files_agree_with_the_views(view: View) -> None:
    config = read_nvinfer(default_nvinfer_file(view))

    config.check_view(view)
    assert (config.height, config.width) == INPUT_SIZES[view]
    assert config.color_format == "RGB"
    assert config.onnx_file.resolve() == (config.path.parent.parent / "weights" / "nasion-lite.onnx").resolve()


@pytest.mark.parametrize("view", list(INPUT_SIZES))
def test_the_delivered_files_spell_out_what_nvinfer_needs(view: View) -> None:
    lines = default_nvinfer_file(view).read_text(encoding="utf-8").splitlines()

    assert {"batch-size=1", "network-mode=2", "net-scale-factor=1.0", "model-color-format=0"} <= set(lines)
    for line in lines:
        assert "#" not in line.lstrip()[1:], "text after a value would belong to the value"


def test_paths_count_from_the_files_folder(nvinfer_file: Callable[[str], Path]) -> None:
    path = nvinfer_file(GOOD)

    assert read_nvinfer(path).onnx_file == path.parent / "models" / "net.onnx"


def test_an_absolute_path_stays(nvinfer_file: Callable[[str], Path], tmp_path: Path) -> None:
    path = nvinfer_file(with_line(f"onnx-file={tmp_path / 'elsewhere.onnx'}"))

    assert read_nvinfer(path).onnx_file == tmp_path / "elsewhere.onnx"


@pytest.mark.parametrize(("written", "order"), [("0", "RGB"), ("1", "BGR")])
def test_the_order_of_the_channels_is_honoured(nvinfer_file: Callable[[str], Path], written: str, order: str) -> None:
    assert read_nvinfer(nvinfer_file(with_line(f"model-color-format={written}"))).color_format == order


def test_comments_blank_lines_and_indentation_are_read_as_nvinfer_reads_them(
    nvinfer_file: Callable[[str], Path],
) -> None:
    text = "# a comment\n\n" + GOOD.replace("network-type", "   # another\n   network-type").replace("=1\n", " = 1 \n")

    assert read_nvinfer(nvinfer_file(text)).width == 480


def test_text_after_a_value_belongs_to_the_value(nvinfer_file: Callable[[str], Path]) -> None:
    text = refusal(nvinfer_file(with_line("scaling-filter=1 # bilinear")))

    assert "scaling-filter=1 # bilinear" in text
    assert "lines of their own" in text


@pytest.mark.parametrize(
    "line",
    [
        "network-mode=0",
        "network-mode=1",
        "gpu-id=0",
        "batch-size=4",
        "model-engine-file=net.onnx_b1_gpu0_fp16.engine",
        "int8-calib-file=calib.cache",
        "workspace-size=2048",
        "enable-dla=0",
        "symmetric-padding=0",
        "interval=0",
        "process-mode=1",
        "network-input-order=0",
        "net-scale-factor=1",
    ],
)
def test_what_is_harmless_on_the_cpu_passes(nvinfer_file: Callable[[str], Path], line: str) -> None:
    assert read_nvinfer(nvinfer_file(with_line(line))).height == 288


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("network-type=0", "network-type=100"),
        ("output-tensor-meta=0", "output-tensor-meta=1"),
        ("model-color-format=2", "model-color-format=0 or model-color-format=1"),
        ("net-scale-factor=0.0039", "part of the network's graph"),
        ("offsets=123.7;116.3;103.5", "part of the network's graph"),
        ("scaling-filter=0", "scaling-filter=1"),
        ("maintain-aspect-ratio=0", "maintain-aspect-ratio=1"),
        ("symmetric-padding=1", "right and bottom"),
        ("network-input-order=1", "NCHW"),
        ("process-mode=2", "whole frames"),
        ("interval=2", "--every"),
        ("input-tensor-from-meta=1", "view"),
        ("cluster-mode=2", "detectors"),
        ("labelfile-path=labels.txt", "remove the line"),
        ("uff-file=net.uff", "only ONNX"),
        ("network-mode=7", "network-mode=0 or network-mode=1"),
        ("gie-unique-id=0", "above 0"),
        ("gie-unique-id=one", "a whole number"),
        ("infer-dims=288;480", "3;height;width"),
        ("infer-dims=1;288;480", "3;height;width"),
        ("infer-dims=3;288;wide", "separated by ';'"),
        ("enable-dla=yes", "0 or 1"),
    ],
)
def test_what_would_change_the_result_is_refused(nvinfer_file: Callable[[str], Path], line: str, said: str) -> None:
    text = refusal(nvinfer_file(with_line(line)))

    assert line in text
    assert said in text


@pytest.mark.parametrize("key", [key for key, rule in PROPERTY_KEYS.items() if rule.handling == "refused"])
def test_every_refused_key_is_refused(nvinfer_file: Callable[[str], Path], key: str) -> None:
    assert key in refusal(nvinfer_file(with_line(f"{key}=1")))


@pytest.mark.parametrize(
    ("typed", "meant"), [("infer-dim", "infer-dims"), ("onnx_file", "onnx-file"), ("scaling-filer", "scaling-filter")]
)
def test_an_unknown_key_is_refused_with_the_nearest_known_one(
    nvinfer_file: Callable[[str], Path], typed: str, meant: str
) -> None:
    text = refusal(nvinfer_file(GOOD + f"{typed}=1\n"))

    assert repr(typed) in text
    assert repr(meant) in text


@pytest.mark.parametrize(
    "key", ["gie-unique-id", "network-type", "output-tensor-meta", "onnx-file", "infer-dims", "scaling-filter"]
)
def test_a_missing_key_is_named(nvinfer_file: Callable[[str], Path], key: str) -> None:
    text = "\n".join(line for line in GOOD.splitlines() if not line.startswith(key))

    assert key in refusal(nvinfer_file(text))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", r"\[property\] is missing"),
        ("[propery]\nnetwork-type=100\n", r"unknown group|\[property\] is missing"),
        (GOOD + "[class-attrs-all]\ntopk=3\n", "detectors"),
        (GOOD + "[class-attrs-all]\ntopkk=3\n", "did you mean 'topk'"),
        (GOOD + "[tracker]\nenable=1\n", r"unknown group \[tracker\]"),
        (GOOD + "gie-unique-id=1\n", "already exists"),
        ("network-type=100\n", "no section headers"),
        (GOOD + "what is this\n", "what is this"),
    ],
)
def test_a_malformed_file_gets_one_line(nvinfer_file: Callable[[str], Path], text: str, said: str) -> None:
    assert re.search(said, refusal(nvinfer_file(text)))


def test_a_file_that_is_not_there_or_not_text_gets_one_line(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.txt")
    binary = tmp_path / "net.onnx"
    binary.write_bytes(bytes(range(256)))
    assert "not UTF-8" in refusal(binary)
    large = tmp_path / "large.txt"
    large.write_bytes(b"#" * ((1 << 20) + 1))
    assert "larger than" in refusal(large)
    assert "directory" in refusal(tmp_path).lower()


def test_a_file_for_another_view_is_refused(nvinfer_file: Callable[[str], Path]) -> None:
    config = read_nvinfer(nvinfer_file(GOOD))

    config.check_view("full")
    with pytest.raises(InputError, match="infer-dims=3;288;480, but view 'fine' needs 3;544;960"):
        config.check_view("fine")


def test_what_only_a_gpu_needs_is_read_too(nvinfer_file: Callable[[str], Path]) -> None:
    more = "batch-size=2\ngpu-id=1\nnetwork-mode=1\nmodel-engine-file=net.engine\nenable-dla=0\n"
    path = nvinfer_file(GOOD + more)
    config = read_nvinfer(path)

    assert (config.batch_size, config.gpu_id, config.precision, config.dla) == (2, 1, "int8", False)
    assert config.engine_file == path.parent / "net.engine"
    assert config.properties["infer-dims"] == "3;288;480"


def test_what_is_not_said_of_it_is_what_nvinfer_takes(nvinfer_file: Callable[[str], Path]) -> None:
    config = read_nvinfer(nvinfer_file(GOOD))

    assert (config.batch_size, config.gpu_id, config.precision, config.dla) == (1, 0, "fp32", False)
    assert config.engine_file is None


@pytest.mark.parametrize(
    ("line", "asked"), [("enable-dla=1", True), ("use-dla-core=0", True), ("use-dla-core=-1", False)]
)
def test_a_dla_is_asked_for_by_either_key(nvinfer_file: Callable[[str], Path], line: str, asked: bool) -> None:
    assert read_nvinfer(nvinfer_file(with_line(line))).dla is asked


def as_yaml(text: str) -> str:
    """A key file as YAML, as NVIDIA's samples have both."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return "".join(
        f"{line[1:-1]}:\n" if line.startswith("[") else f"  {line.replace('=', ': ', 1)}\n" for line in lines
    )


@pytest.fixture
def yaml_file(tmp_path: Path) -> Callable[..., Path]:
    def write(text: str, name: str = "net.yml") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


class TestYaml:
    @pytest.mark.parametrize("view", list(INPUT_SIZES))
    @pytest.mark.parametrize("name", ["net.yml", "net.yaml"])
    def test_a_delivered_file_means_the_same(self, yaml_file: Callable[..., Path], view: View, name: str) -> None:
        path = default_nvinfer_file(view)
        same = read_nvinfer(yaml_file(as_yaml(path.read_text(encoding="utf-8")), name))
        # Each counts from its own folder.
        config = replace(read_nvinfer(path), path=same.path, onnx_file=same.onnx_file)
        assert config == same
        assert same.onnx_file == same.path.parent / "../weights/nasion-lite.onnx"

    @pytest.mark.parametrize("text", [as_yaml(GOOD), as_yaml(GOOD).replace("\n", "  # a comment\n", 3)])
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
    def test_comments_and_marks_do_no_harm(self, tmp_path: Path, text: str, encoding: str) -> None:
        path = tmp_path / "net.yml"
        path.write_text(text, encoding=encoding)
        assert read_nvinfer(path).width == 480

    def test_values_are_what_stands_there_quoted_or_not(self, yaml_file: Callable[..., Path]) -> None:
        text = as_yaml(GOOD + "output-blob-names=1_0\n").replace("3;288;480", '"3;288;480"')
        assert read_nvinfer(yaml_file(text)).properties["output-blob-names"] == "1_0"

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("network-type: 0", "network-type=100"),
            ("scaling-filter: 0", "scaling-filter=1"),
            ("net-scale-factor: 0.0039", "part of the network's graph"),
            ("infer-dims: 3;288", "3;height;width"),
            ("infer-dims: [3, 288, 480]", "write infer-dims: 3;288;480"),
            ("infer-dims: {c: 3}", "expected a value"),
            ("infer-dim: 3;288;480", "did you mean 'infer-dims'?"),
            ("maintain-aspect-ratio: true", "maintain-aspect-ratio=true; expected 0 or 1"),
            ("enable-dla: yes", "enable-dla=yes; expected 0 or 1"),
            ("gie-unique-id:", "a whole number"),
            ("cluster-mode: 2", "detectors"),
            ("interval: 2", "--every"),
        ],
    )
    def test_the_same_is_refused(self, yaml_file: Callable[..., Path], line: str, said: str) -> None:
        key = line.split(":", maxsplit=1)[0]
        kept = [old for old in as_yaml(GOOD).splitlines() if not old.strip().startswith(f"{key}:")]
        assert said in refusal(yaml_file("\n".join([*kept, f"  {line}"])))

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "expected groups"),
            ("property:", "is missing"),
            ("propery: {network-type: 100}", "group [property] is missing"),
            ("property: [a]", "property: expected keys with values"),
            (as_yaml(GOOD) + "class-attrs-all:\n  topk: 3\n", "detectors"),
            (as_yaml(GOOD) + "class-attrs-0:\n  topkk: 3\n", "did you mean 'topk'"),
            (as_yaml(GOOD) + "tracker:\n  enable: 1\n", "unknown group [tracker]"),
            (as_yaml(GOOD) + "  network-type: 100\n", "'network-type' stands twice"),
            ("a: [", "not readable as YAML"),
            (GOOD, "name a key file net.txt"),
        ],
    )
    def test_a_malformed_file_gets_one_line(self, yaml_file: Callable[..., Path], text: str, said: str) -> None:
        assert said in refusal(yaml_file(text))

    @pytest.mark.parametrize("name", ["net.txt", "net", "net.YML"])
    def test_nvinfer_goes_by_the_name_and_so_do_we(self, yaml_file: Callable[..., Path], name: str) -> None:
        assert "name it net.yml" in refusal(yaml_file(as_yaml(GOOD), name))


@pytest.mark.parametrize("key", ["onnx-file", "model-engine-file"])
def test_a_path_that_nvinfer_would_not_find_is_told(nvinfer_file: Callable[[str], Path], key: str) -> None:
    assert f"{key}=~/net; nvinfer does not know ~" in refusal(nvinfer_file(with_line(f"{key}=~/net")))
