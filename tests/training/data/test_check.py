"""What a check finds in a folder that was spoiled in one way, and that it finds nothing in a good one."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.data.check import Finding, findings
from training.data.duplicates import difference_hash, near_pairs
from training.data.picture_file import look
from training.data.table import Face, Picture, read_table


def check(pictures: list[Picture]) -> dict[str, Finding]:
    sights = {picture.path: look(picture.path) for picture in pictures}
    folder = pictures[0].path.parent
    return {f.kind: f for f in findings(pictures, sights, set(folder.iterdir()) - set(sights))}


def not_ok(found: dict[str, Finding]) -> dict[str, str]:
    return {kind: finding.level for kind, finding in found.items() if finding.level != "ok"}


@pytest.fixture
def good(make_table: Callable[..., Path]) -> list[Picture]:
    return read_table(make_table(12))


def test_a_good_folder_is_good(good: list[Picture]) -> None:
    found = check(good)
    assert not_ok(found) == {}
    assert "val 12 positive 12 negative" in found["classes"].text


def index_of(pictures: list[Picture], split: str, *, positive: bool, after: int = -1) -> int:
    numbers = (n for n, p in enumerate(pictures) if n > after and p.split == split and p.positive == positive)
    return next(numbers)


class TestPictures:
    def test_missing_cut_off_and_other_files(self, good: list[Picture]) -> None:
        missing, cut, other = (p.path for p in good[:3])
        missing.unlink()
        cut.write_bytes(cut.read_bytes()[:-400])
        other.write_bytes(b"GIF89a")
        found = check(good)
        assert not_ok(found) == {"unreadable": "fail"}
        assert [example.partition(":")[0] for example in found["unreadable"].examples] == [
            p.path.name for p in good[:3]
        ]

    def test_identical_files_fail_only_across_splits(self, good: list[Picture]) -> None:
        train = index_of(good, "train", positive=False)
        again = index_of(good, "train", positive=False, after=train)
        shutil.copy(good[train].path, good[again].path)
        assert not_ok(check(good)) == {"identical": "warn"}
        shutil.copy(good[train].path, good[index_of(good, "val", positive=False)].path)
        found = check(good)
        assert not_ok(found) == {"identical across": "fail"}
        assert "(train+val)" in found["identical across"].examples[0]

    def test_another_quality_or_size_looks_alike(self, good: list[Picture]) -> None:
        smooth = cv2.resize(np.random.default_rng(5).integers(0, 255, (7, 9, 3), np.uint8), (128, 96))
        train, val = (good[index_of(good, split, positive=False)].path for split in ("train", "val"))
        cv2.imwrite(str(train), smooth)
        cv2.imwrite(str(val), cv2.resize(smooth, (100, 75)), [cv2.IMWRITE_JPEG_QUALITY, 60])
        found = check(good)
        assert not_ok(found) == {"near-identical": "warn"}
        assert f"{train.name} ~ {val.name} (train+val" in found["near-identical"].examples[0]

    def test_a_picture_turned_by_exif(self, good: list[Picture]) -> None:
        data = good[0].path.read_bytes()
        # An APP1 segment whose only entry is the orientation, 6: a quarter turn.
        tiff = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
        segment = b"Exif\0\0" + tiff
        good[0].path.write_bytes(data[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + data[2:])
        assert not_ok(check(good)) == {"turned": "fail"}

    def test_a_file_that_no_row_names(self, good: list[Picture]) -> None:
        (good[0].path.parent / "stray.txt").write_text("notes")
        assert check(good)["not in the table"].examples == ("stray.txt",)


class TestLabels:
    @pytest.mark.parametrize(("u", "v"), [(-0.6, 5), (127.5, 5), (5, 95.5)])
    def test_points_outside_fail_for_the_first_face_and_warn_for_others(
        self, good: list[Picture], u: float, v: float
    ) -> None:
        at = index_of(good, "train", positive=True)
        first, out = good[at].faces[0], Face(u, v, 12, "human")
        assert not_ok(check([*good[:at], replace(good[at], faces=(out,)), *good[at + 1 :]])) == {"outside": "fail"}
        spoiled = [*good[:at], replace(good[at], faces=(first, out)), *good[at + 1 :]]
        assert not_ok(check(spoiled)) == {"outside, others": "warn"}

    @pytest.mark.parametrize(
        ("distance", "expected"),
        [(3.0, {}), (2.9, {"tiny faces": "warn"}), (0.0, {"eye distance": "fail"}), (-4.0, {"eye distance": "fail"})],
    )
    def test_eye_distances(self, good: list[Picture], distance: float, expected: dict[str, str]) -> None:
        at = index_of(good, "val", positive=True)
        faces = (replace(good[at].faces[0], interocular_px=distance),)
        assert not_ok(check([*good[:at], replace(good[at], faces=faces), *good[at + 1 :]])) == expected

    def test_a_split_without_one_kind(self, good: list[Picture]) -> None:
        spoiled = [p for p in good if p.split != "val" or p.positive]
        found = check(spoiled)
        assert found["classes"].examples == ("val has no negative",)
        assert found["classes"].level == "fail"

    def test_a_row_twice(self, good: list[Picture]) -> None:
        assert not_ok(check([*good, good[0]])) == {"listed twice": "fail"}

    def test_a_torn_group(self, good: list[Picture]) -> None:
        at = index_of(good, "val", positive=True)
        spoiled = [*good[:at], replace(good[at], group=good[0].group), *good[at + 1 :]]
        found = check(spoiled)
        assert not_ok(found) == {"torn groups": "fail"}
        assert good[0].group in found["torn groups"].examples[0]


class TestNearPairs:
    @given(st.integers(0, 2**32), st.integers(1, 40), st.integers(0, 8))
    def test_they_are_all_that_differ_little(self, seed: int, count: int, most: int) -> None:
        rng = np.random.default_rng(seed)
        hashes = rng.integers(0, 2, (count, 12)).astype(bool)
        slow = {
            (i, j, int((hashes[i] != hashes[j]).sum()))
            for i in range(count)
            for j in range(i + 1, count)
            if (hashes[i] != hashes[j]).sum() <= most
        }
        assert set(near_pairs(hashes, most)) == slow

    def test_more_pictures_than_are_compared_at_once(self) -> None:
        hashes = np.random.default_rng(0).integers(0, 2, (2100, 64)).astype(bool)
        hashes[2099] = hashes[3]
        assert list(near_pairs(hashes, 0)) == [(3, 2099, 0)]

    def test_the_hash_sees_where_it_gets_darker(self) -> None:
        ramp = np.broadcast_to(np.arange(170, dtype=np.uint8)[None, :, None], (80, 170, 3)).copy()
        assert not difference_hash(ramp).any()
        assert difference_hash(ramp[:, ::-1].copy()).all()
