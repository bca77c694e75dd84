"""Whatever stands in a configuration: settings, or one line that says what is wrong."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from nasion.config.nvinfer import default_nvinfer_file, read_nvinfer
from nasion.config.run_file import Override, run_settings
from nasion.errors import InputError
from nasion.settings import RunSettings

from tests.fuzz.broken import anything, damaged, outcome, spoilt, texts
from tests.fuzz.profile import tries

WHOLE: dict[str, Any] = {
    **RunSettings(cameras=[{"source": "demo:"}]).model_dump(),
    "cameras": [
        {"source": "sbs:a.avi?rectified=1", "name": "front", "mount": {"frame_id": "base", "rpy_rad": [0.0, 0.1, 0.2]}},
        {"source": "demo:?size=720", "name": "rear"},
    ],
}
FOLDER = Path(tempfile.gettempdir())
NVINFER = default_nvinfer_file("full").read_text()
NVINFER_YAML = re.sub(r"(?m)^(?!#)(.+?)=", r"  \1: ", NVINFER).replace("[property]", "property:")


def written(content: bytes, name: str, folder: Path) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


def check_configuration(path: Path) -> None:
    found = outcome(run_settings, path, hides="secret")
    # What is accepted is whole: it can be written down and read again.
    assert found is None or RunSettings.model_validate_json(found.model_dump_json()) == found


@tries(200, 8_000)
@given(tree=damaged(WHOLE))
def test_a_configuration_in_which_something_is_wrong(tree: Any, tmp_path: Path) -> None:
    check_configuration(written(yaml.safe_dump(tree).encode(), "run.yaml", tmp_path))


@tries(200, 8_000)
@given(content=spoilt(yaml.safe_dump(WHOLE)) | st.binary(max_size=60) | texts.map(str.encode))
@example(content=b"cameras: 2001-99-99")
@example(content=b"frames: 0x_")
@example(content=b"? [a, b]\n: c")
@example(content=b"a: &a [*a]")
@example(content=b"cameras: [" * 5000)
@example(content=b"<<: 1")
@example(content=b"&a a: *a")
@example(content=b"cameras: [{source: 'demo:'}]\nframes: !!int ''")
@example(content=b"seconds: !!float ''")
@example(content=b"seconds: !!timestamp ''")
@example(content=b"seconds: !!binary 'x'")
@example(content=b"save: !!bool maybe")
def test_a_file_that_is_no_configuration(content: bytes, tmp_path: Path) -> None:
    check_configuration(written(content, "run.yaml", tmp_path))


@tries(150, 6_000)
@given(place=st.lists(texts | st.sampled_from(["mqtt", "url", "depth", "near_m"]), min_size=1, max_size=3),
       value=anything, sources=st.lists(texts, max_size=2))  # fmt: skip
def test_flags_and_sources_of_any_kind(place: list[str], value: Any, sources: list[str]) -> None:
    outcome(run_settings, None, [Override("--flag", tuple(place), value)], sources)


@tries(200, 8_000)
@given(content=spoilt(NVINFER) | st.binary(max_size=60))
@example(content=b"[property]\n" + b"infer-dims=3;" + b"9" * 5000)
@example(content=b"[property]\nnetwork-mode=" + "٣".encode())
def test_an_nvinfer_file_in_which_something_is_wrong(content: bytes, tmp_path: Path) -> None:
    found = outcome(read_nvinfer, written(content, "nvinfer.txt", tmp_path))
    assert found is None or min(found.height, found.width) >= 1


@tries(200, 8_000)
@given(content=spoilt(NVINFER_YAML) | st.binary(max_size=60))
@example(content=b"property: {infer-dims: [[[a]]]}")
@example(content=b"property: &a {onnx-file: *a}")
@example(content=b"? [a]\n: b")
def test_the_same_as_yaml(content: bytes, tmp_path: Path) -> None:
    found = outcome(read_nvinfer, written(content, "nvinfer.yml", tmp_path))
    assert found is None or min(found.height, found.width) >= 1


def test_the_whole_configuration_and_the_whole_nvinfer_file_are_right(tmp_path: Path) -> None:
    """Else all of the above would only try what is refused at once."""
    assert len(run_settings(written(yaml.safe_dump(WHOLE).encode(), "run.yaml", tmp_path)).cameras) == 2
    assert read_nvinfer(written(NVINFER.encode(), "nvinfer.txt", tmp_path)).width == 480
    assert read_nvinfer(written(NVINFER_YAML.encode(), "nvinfer.yml", tmp_path)).width == 480


@pytest.mark.parametrize("name", ["configuration", "nvinfer"])
def test_a_folder_is_no_file(name: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="directory"):
        run_settings(tmp_path) if name == "configuration" else read_nvinfer(tmp_path)
