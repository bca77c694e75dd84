"""A picture that was cut off or damaged is refused, and told why; a whole one is read."""

from pathlib import Path
from typing import Callable, List

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.sources.pictures import DamagedPictureError, decode_picture, picture_size, read_picture
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


def encoded(ending: str) -> bytes:
    picture = np.random.default_rng(1).integers(0, 256, (24, 40, 3)).astype(np.uint8)
    return bytes(cv2.imencode(ending, picture)[1])


JPEG, PNG = encoded(".jpg"), encoded(".png")
#: As many cameras end their pictures: bytes left over before the end mark.
PADDED = [JPEG[:-2] + left_over + JPEG[-2:] for left_over in (bytes(7), b"\xff" * 40, b"\x5a")]
#: A JPEG with a thumbnail, which is a whole JPEG of its own, in its header.
WITH_THUMBNAIL = JPEG[:2] + b"\xff\xe1" + (len(JPEG) + 2).to_bytes(2, "big") + JPEG + JPEG[2:]


@pytest.mark.parametrize(
    "data",
    [JPEG, PNG, WITH_THUMBNAIL, JPEG + b"\0\0", *PADDED],
    ids=["jpeg", "png", "thumbnail", "after its end", "zeros before its end", "ones before its end", "one byte"],
)
def test_a_whole_picture_is_read_as_opencv_reads_it(data: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    picture = decode_picture(data)
    assert capfd.readouterr().err == ""
    assert np.array_equal(picture, by_opencv(data))


def by_opencv(data: bytes) -> Picture:
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def is_refused(data: bytes) -> bool:
    try:
        decode_picture(data)
    except DamagedPictureError:
        return True
    return False


@given(end=st.integers(0, len(JPEG) - 1))
def test_a_jpeg_cut_anywhere_is_found(end: int) -> None:
    assert is_refused(JPEG[:end])


@given(end=st.integers(len(JPEG) + 10, len(WITH_THUMBNAIL) - 1))
def test_the_end_of_its_thumbnail_is_not_taken_for_the_end_of_the_picture(end: int) -> None:
    assert is_refused(WITH_THUMBNAIL[:end])


def test_most_holes_in_a_jpeg_are_found(wall_pair: Callable[..., List[Picture]]) -> None:
    """JPEG has no check sum; now and then the rest happens to decode to a picture of the right length."""
    data = bytes(cv2.imencode(".jpg", wall_pair(0)[0])[1])
    holes = range(len(data) // 4, len(data) - 600, 100)
    found = sum(is_refused(data[:at] + data[at + 500 :]) for at in holes)
    assert found > 0.8 * len(holes)


@pytest.mark.parametrize("filling", [b"\0", b"\xff"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_jpeg_whose_end_was_overwritten_with_what_looks_like_padding(filling: bytes, share: float) -> None:
    """As a card does that lost its power: sectors of zeros, or of ones."""
    at = int(share * len(JPEG))
    assert is_refused(JPEG[:at] + filling * (len(JPEG) - at - 2) + JPEG[-2:])
    assert is_refused(JPEG[:at] + filling * (len(JPEG) - at))


@given(end=st.integers(0, len(PNG) - 1))
def test_a_png_cut_anywhere_is_found(end: int) -> None:
    assert is_refused(PNG[:end])


@given(at=st.integers(0, len(PNG) - 1), change=st.integers(1, 255))
def test_a_png_with_any_byte_changed_is_found(at: int, change: int) -> None:
    damaged = bytearray(PNG)
    damaged[at] ^= change
    assert is_refused(bytes(damaged))


def test_a_header_that_claims_a_picture_too_large_to_hold_is_refused() -> None:
    size = JPEG.index(b"\xff\xc0") + 5
    with pytest.raises(DamagedPictureError, match="65500x65500"):
        decode_picture(JPEG[:size] + (65500).to_bytes(2, "big") * 2 + JPEG[size + 4 :])


def test_a_picture_is_not_turned_over_by_its_orientation_tag() -> None:
    upside_down = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0"
    tagged = JPEG[:2] + b"\xff\xe1" + (len(upside_down) + 2).to_bytes(2, "big") + upside_down + JPEG[2:]
    assert not np.array_equal(by_opencv(tagged), by_opencv(JPEG))
    assert np.array_equal(decode_picture(tagged), decode_picture(JPEG))


@given(data=st.binary(max_size=200))
def test_anything_else_is_refused_without_a_crash(data: bytes) -> None:
    with pytest.raises(DamagedPictureError):
        decode_picture(data)
    with pytest.raises(DamagedPictureError):
        decode_picture(b"\xff\xd8" + data)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"GIF89a", "neither JPEG nor PNG"),
        (JPEG[:-2], "the JPEG is damaged: Premature end"),
        (JPEG[:100], "header of the JPEG"),
        (PNG[:-8], "IEND"),
        (b"\xff\xd8" + b"\0" * 50, "header of the JPEG"),
    ],
)
def test_the_reason_is_told(data: bytes, says: str) -> None:
    with pytest.raises(DamagedPictureError, match=says):
        decode_picture(data)


def test_a_file_that_cannot_be_opened_is_a_damaged_picture(tmp_path: Path) -> None:
    with pytest.raises(DamagedPictureError, match="cannot be read"):
        read_picture(tmp_path / "none.png")


@pytest.mark.parametrize("data", [JPEG, PNG, WITH_THUMBNAIL])
def test_the_size_is_read_from_the_header_alone(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "picture"
    path.write_bytes(data[:-20])
    assert picture_size(path) == (40, 24)


@pytest.mark.parametrize("data", [b"", b"\xff\xd8", PNG[:10], b"hello"])
def test_no_header_no_size(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "picture"
    path.write_bytes(data)
    assert picture_size(path) is None
    assert picture_size(tmp_path / "none") is None


def test_a_grey_picture_becomes_bgr(tmp_path: Path, wall_pair: Callable[..., List[Picture]]) -> None:
    grey = wall_pair(0)[0][..., 0]
    path = tmp_path / "grey.png"
    cv2.imwrite(str(path), grey)
    assert np.array_equal(read_picture(path), np.repeat(grey[..., None], 3, axis=2))
