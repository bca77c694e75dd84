"""Which pictures are compared with YuNet, and which errors."""

from pathlib import Path

import pytest

from tests.training.judging.made import FACE, with_person, without
from training.data.table import Face
from training.errors import WorkshopError
from training.judging.answer import Answer
from training.judging.yunet import YuNet, compare_keypoints, is_human_marked

TAUGHT = Face(150, 50, 20, "teacher")


@pytest.mark.parametrize(
    ("faces", "expected"), [([FACE], True), ([FACE, TAUGHT], True), ([TAUGHT], False), ([TAUGHT, FACE], False)]
)
def test_only_pictures_whose_first_face_people_marked_are_compared(faces: list[Face], expected: bool) -> None:
    assert is_human_marked(with_person("p.jpg", *faces)) is expected
    assert not is_human_marked(without())


def test_errors_count_where_both_found_a_face_that_people_marked() -> None:
    crowd = with_person("crowd.jpg", FACE, TAUGHT)
    model = [
        Answer(with_person(), 0.9, (51, 50)),
        Answer(with_person(), 0.9, (52, 50)),
        Answer(with_person(), 0.5, (50, 50)),  # below the threshold
        Answer(crowd, 0.9, (50, 50)),
    ]
    yunet = [
        Answer(with_person(), 0.9, (54, 50)),
        Answer(with_person(), 0.9, None),  # no face
        Answer(with_person(), 0.9, (50, 50)),
        Answer(crowd, 0.9, (150, 50)),  # in place, but on its own mark
    ]
    compared = compare_keypoints(model, 0.6, yunet)
    assert compared["pictures"] == 4
    assert compared["found_in_place"] == {"model": 3, "yunet": 3}
    assert compared["both"] == 1
    assert compared["error"]["model"]["median_eye_distances"] == pytest.approx(1 / 20)
    assert compared["error"]["yunet"]["median_eye_distances"] == pytest.approx(4 / 20)


@pytest.mark.parametrize("kind", ["missing", "garbage", "another model"])
def test_what_is_no_yunet_is_one_line(kind: str, tmp_path: Path, spot_model: Path) -> None:
    path = {"missing": tmp_path / "missing.onnx", "garbage": tmp_path / "garbage.onnx", "another model": spot_model}
    (tmp_path / "garbage.onnx").write_bytes(b"no model at all")
    with pytest.raises(WorkshopError) as caught:
        YuNet(path[kind])
    assert path[kind].name in str(caught.value)
    assert "give the ONNX file of OpenCV's" in str(caught.value)
    assert "\n" not in str(caught.value)
