"""Pictures for `locate` and the workshop: of every kind that is read, whole or not at all, and without a line of a
library's own."""

from __future__ import annotations

import os
import struct
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.sources import jpeg, picture_limits
from nasion.sources.picture_limits import MOST_PIXELS, DamagedPictureError
from nasion.sources.pictures import decode_picture, is_turned
from nasion.sources.stills import STILL_ENDINGS, NoPictureError, read_still

from tests.sources.stills_made import (
    PROGRESSIVE,
    chunk,
    encoded,
    exif,
    jpeg_with,
    picture,
    png_of,
    png_with,
    with_scans,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    Put = Callable[[bytes], Path]

GREY = picture()[..., 2]
LOSSLESS = (".png", ".bmp", ".ppm", ".tiff", ".webp")


@pytest.fixture
def put(tmp_path: Path) -> Put:
    def write(data: bytes, name: str = "picture") -> Path:
        path = tmp_path / name
        path.write_bytes(data)
        return path

    return write


def refusal(path: Path, kind: type[DamagedPictureError] = DamagedPictureError) -> str:
    with pytest.raises(kind) as caught:
        read_still(path)
    return str(caught.value)


class TestWhatIsRead:
    @pytest.mark.parametrize("ending", LOSSLESS)
    def test_every_pixel_of_a_kind_without_loss(self, put: Put, ending: str, capfd: pytest.CaptureFixture[str]) -> None:
        flags = (cv2.IMWRITE_WEBP_QUALITY, 101) if ending == ".webp" else ()
        assert np.array_equal(read_still(put(encoded(ending, None, *flags))), picture())
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize(
        "data", [encoded(".jpg"), PROGRESSIVE, encoded(".webp")], ids=["jpg", "progressive", "webp"]
    )
    def test_nearly_every_pixel_of_one_with_loss(self, put: Put, data: bytes) -> None:
        assert np.abs(read_still(put(data)).astype(int) - picture()).mean() < 3

    @pytest.mark.parametrize("ending", [".png", ".pgm", ".tiff", ".bmp", ".jpg"])
    def test_a_grey_one_becomes_bgr(self, put: Put, ending: str) -> None:
        found = read_still(put(encoded(ending, GREY)))
        assert np.abs(found.astype(int) - GREY[..., None]).max() <= 2

    @pytest.mark.parametrize("ending", [".png", ".tiff", ".pgm"])
    def test_16_bits_become_8(self, put: Put, ending: str) -> None:
        deep = GREY.astype(np.uint16) * 257
        found = read_still(put(encoded(ending, deep)))  # type: ignore[arg-type]
        assert np.abs(found.astype(int) - GREY[..., None]).max() <= 1

    def test_transparency_is_left_out(self, put: Put) -> None:
        see_through = np.dstack((picture(), np.zeros(GREY.shape, np.uint8)))
        assert np.array_equal(read_still(put(encoded(".png", see_through))), picture())

    def test_a_palette_is_looked_up(self, put: Put) -> None:
        pixels = b"".join(b"\0" + bytes([0, 1, 2, 1]) for _ in range(2))
        header = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 2, 8, 3, 0, 0, 0))
        palette = chunk(b"PLTE", bytes([255, 0, 0, 0, 255, 0, 0, 0, 255])) + chunk(b"tRNS", b"\0\x80")
        data = b"\x89PNG\r\n\x1a\n" + header + palette + chunk(b"IDAT", zlib.compress(pixels)) + chunk(b"IEND", b"")
        red, green, blue = [0, 0, 255], [0, 255, 0], [255, 0, 0]
        assert read_still(put(data)).tolist() == [[red, green, blue, green]] * 2

    def test_the_content_counts_not_the_name(self, put: Callable[..., Path]) -> None:
        assert read_still(put(encoded(".png"), "photo.heic")).shape == picture().shape

    @pytest.mark.parametrize("extra", [chunk(b"iCCP", b"x\0\0" + zlib.compress(b"no profile")), chunk(b"gAMA", b"\0"),
                                       chunk(b"tRNS", b"\0"), chunk(b"tEXt", b"a\0b")])  # fmt: skip
    def test_what_libpng_would_complain_of_is_not_shown_to_it(
        self, put: Put, extra: bytes, capfd: pytest.CaptureFixture[str]
    ) -> None:
        assert np.array_equal(read_still(put(png_with(encoded(".png"), extra))), picture())
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("ending", STILL_ENDINGS)
    def test_every_ending_is_of_a_kind_that_is_read(self, put: Put, ending: str) -> None:
        data = encoded(ending.replace("jfif", "jpg"), GREY if ending in (".pbm", ".pgm") else None)
        assert read_still(put(data)).shape == picture().shape


class TestHowItIsToBeLookedAt:
    """Orientations as EXIF counts them, told by OpenCV's own reading of the same JPEG."""

    @pytest.mark.parametrize("said", range(10))
    @pytest.mark.parametrize("order", ["<", ">"])
    def test_a_jpeg(self, put: Put, said: int, order: str) -> None:
        data = jpeg_with(encoded(".jpg"), said, order)
        seen = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert seen is not None
        assert np.array_equal(read_still(put(data)), seen)
        assert is_turned(data) == (2 <= said <= 8)

    @pytest.mark.parametrize("said", range(1, 9))
    def test_a_png(self, put: Put, said: int) -> None:
        data = png_with(encoded(".png"), chunk(b"eXIf", exif(said)))
        lossy = jpeg_with(encoded(".jpg", None, cv2.IMWRITE_JPEG_QUALITY, 100), said)
        found, same = read_still(put(data)), decode_picture(lossy, as_meant=True)
        assert found.shape == same.shape
        assert np.abs(found.astype(int) - same).mean() < 3
        assert np.array_equal(decode_picture(data), picture())

    @pytest.mark.parametrize("cut", range(len(exif(6))))
    def test_exif_data_that_were_cut_off_say_nothing_or_the_same(self, cut: int) -> None:
        data = png_with(encoded(".png"), chunk(b"eXIf", exif(6)[:cut]))
        assert decode_picture(data, as_meant=True).shape in (picture().shape, (80, 60, 3))

    @given(data=st.binary(max_size=60))
    def test_exif_data_of_any_kind_do_no_harm(self, data: bytes) -> None:
        decode_picture(png_with(encoded(".png"), chunk(b"eXIf", b"II*\0" + data)), as_meant=True)


class TestWhatIsNotWhole:
    @pytest.mark.parametrize("ending", [*LOSSLESS, ".jpg", ".pgm"])
    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
    def test_a_file_that_was_cut_off(
        self, put: Put, ending: str, share: float, capfd: pytest.CaptureFixture[str]
    ) -> None:
        data = encoded(ending, GREY if ending == ".pgm" else None)
        refusal(put(data[: int(share * len(data))]))
        assert capfd.readouterr() == ("", "")

    def test_a_progressive_jpeg_without_its_last_scans(self, put: Put) -> None:
        for share in (0.5, 0.8, 0.95):
            assert "damaged" in refusal(put(PROGRESSIVE[: int(share * len(PROGRESSIVE))] + b"\xff\xd9"))

    def test_a_jpeg_with_a_hole(self, put: Put) -> None:
        noisy = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
        data = encoded(".jpg", noisy)
        assert "the JPEG is damaged" in refusal(put(data[: len(data) // 2] + data[len(data) // 2 + 700 :]))

    @pytest.mark.parametrize(
        "compression", [cv2.IMWRITE_TIFF_COMPRESSION_LZW, cv2.IMWRITE_TIFF_COMPRESSION_ADOBE_DEFLATE]
    )
    def test_a_tiff_that_opencv_decodes_in_spite_of_what_it_prints(
        self, put: Put, compression: int, capfd: pytest.CaptureFixture[str]
    ) -> None:
        noisy = np.random.default_rng(0).integers(0, 256, (60, 80, 3)).astype(np.uint8)
        data = bytearray(encoded(".tiff", noisy, cv2.IMWRITE_TIFF_COMPRESSION, compression))
        assert np.array_equal(read_still(put(bytes(data))), noisy)
        data[len(data) // 2] ^= 0xFF
        assert "TIFF picture is damaged" in refusal(put(bytes(data)))
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("packed", [zlib.compress(bytes(7))[:-3], zlib.compress(bytes(3)), b"no stream"])
    def test_a_png_whose_check_sums_are_right_and_whose_pixels_are_missing(
        self, put: Put, packed: bytes, capfd: pytest.CaptureFixture[str]
    ) -> None:
        refusal(put(png_of(2, 1, packed)))
        assert capfd.readouterr() == ("", "")

    def test_a_chunk_that_no_standard_has(self, put: Put) -> None:
        assert "CgBI" in refusal(put(png_with(encoded(".png"), chunk(b"CgBI", b"\x50\0\x20\6"))))

    @pytest.mark.parametrize("ending", [*LOSSLESS, ".jpg"])
    @given(at=st.integers(0, 100), value=st.integers(0, 255), more=st.binary(max_size=8))
    def test_a_header_of_any_kind_gives_a_picture_or_a_reason(
        self, tmp_path_factory: pytest.TempPathFactory, ending: str, at: int, value: int, more: bytes
    ) -> None:
        data = bytearray(encoded(ending))
        data[at : at + 1] = bytes([value]) + more
        path = tmp_path_factory.getbasetemp() / f"any{ending}"
        path.write_bytes(data)
        try:
            said = str(read_still(path).shape)
        except DamagedPictureError as reason:
            said = str(reason)
        assert "\n" not in said


class TestWhatIsTooLarge:
    """Told by the header, before any memory is taken."""

    HUGE = (30000, 30000)

    @pytest.mark.parametrize(
        "data",
        [
            png_of(*HUGE, zlib.compress(bytes(1000))),
            struct.pack("<2sIIIIiiHHIIIIII", b"BM", 54, 0, 54, 40, *HUGE, 1, 24, 0, 0, 0, 0, 0, 0),
            struct.pack("<2sIIIIiiHHIIIIII", b"BM", 54, 0, 54, 40, 30000, -30000, 1, 24, 0, 0, 0, 0, 0, 0),
            b"P6 # 1 1\n30000\n# 2\n30000 255\n",
            b"RIFF\x1e\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0" + (29999).to_bytes(3, "little") * 2,
            b"II*\0\x08\0\0\0\x02\0" + struct.pack("<HHIIHHII", 256, 4, 1, 30000, 257, 3, 1, 30000) + bytes(4),
            b"MM\0*\0\0\0\x08\0\x02" + struct.pack(">HHIIHHIHH", 256, 4, 1, 30000, 257, 3, 1, 30000, 0) + bytes(4),
            b"II+\0\x08\0\0\0" + struct.pack("<QQHHQQHHQQ", 16, 2, 256, 16, 1, 30000, 257, 4, 1, 30000),
        ],
        ids=["png", "bmp", "bmp from the top", "pnm", "webp", "tiff", "tiff, big end first", "big tiff"],
    )
    def test_a_picture_that_says_to_be(self, put: Put, data: bytes) -> None:
        assert "30000x30000, which is more than" in refusal(put(data))

    def test_what_a_phone_takes_is_not(self) -> None:
        assert MOST_PIXELS >= 12000 * 9000

    def test_a_jpeg_of_many_scans(self, put: Put) -> None:
        assert "106 scans; one of its size is read with up to 100" in refusal(put(with_scans(PROGRESSIVE, 96)))

    def test_a_large_jpeg_may_have_fewer(self, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(jpeg, "MOST_SCANNED_PIXELS", 80 * 60 * 9)
        assert "10 scans; one of its size is read with up to 9" in refusal(put(PROGRESSIVE))

    def test_a_jpeg_of_several_scans_takes_more_memory(self, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(jpeg, "MOST_PIXELS_IN_SCANS", 80 * 60 - 1)
        assert "10 scans and 4800 pixels" in refusal(put(PROGRESSIVE))
        assert read_still(put(encoded(".jpg"))).shape == picture().shape

    def test_marks_in_a_thumbnail_and_in_comments_are_no_scans(self, put: Put) -> None:
        comment = b"\xff\xda" * 200
        data = PROGRESSIVE[:2] + b"\xff\xfe" + struct.pack(">H", len(comment) + 2) + comment + PROGRESSIVE[2:]
        assert read_still(put(data)).shape == picture().shape

    def test_a_file_that_is(self, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nasion.sources.pictures.MAX_BYTES", 1 << 20)
        assert "larger than 1 MiB" in refusal(put(encoded(".jpg") + bytes(1 << 20)))

    def test_limits_stand_in_one_place(self, put: Put, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(picture_limits, "MOST_PIXELS", 80 * 60 - 1)
        for ending in (*LOSSLESS, ".jpg"):
            assert "80x60" in refusal(put(encoded(ending)))


class TestWhatIsNoFile:
    def test_a_pipe_and_a_device_are_refused_at_once(self, tmp_path: Path) -> None:
        os.mkfifo(tmp_path / "pipe.png")
        (tmp_path / "zero.png").symlink_to("/dev/zero")
        for name in ("pipe.png", "zero.png"):
            assert "no regular file" in refusal(tmp_path / name)

    def test_a_folder_and_nothing(self, tmp_path: Path) -> None:
        assert "directory" in refusal(tmp_path).lower()
        assert "No such file" in refusal(tmp_path / "none.png")


class TestWhatIsNoPicture:
    @pytest.mark.parametrize(
        ("data", "name", "kind", "tool"),
        [
            (b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", "a.jpg", "HEIC", "heif-convert"),
            (b"\0\0\0\x20ftypmif1\0\0\0\0", "a", "HEIC", "heif-convert"),
            (b"\0\0\0\x20ftypavif\0\0\0\0", "a.png", "AVIF", "avifdec"),
            (b"\0\0\0\x20ftypisom\0\0\0\0", "a.jpg", "video", "ffmpeg"),
            (b"GIF89a\1\0\1\0", "a.gif", "GIF", "magick"),
            (b"\0\0\0\x0cjP  \r\n\x87\n", "a.jp2", "JPEG 2000", "magick"),
            (b"<?xml version='1.0'?>\n<!-- a drawing -->\n<svg>", "a.svg", "SVG", "rsvg-convert"),
            (b"%PDF-1.7\n", "a.pdf", "PDF", "pdftoppm"),
            (b"anything", "a.NEF", "raw camera data", "darktable-cli"),
            (b"II*\0\x08\0\0\0\0\0", "a.dng", "raw camera data", "darktable-cli"),
        ],
    )
    def test_a_kind_that_is_not_read_is_named_with_what_converts_it(
        self, put: Callable[..., Path], data: bytes, name: str, kind: str, tool: str
    ) -> None:
        said = refusal(put(data, name), NoPictureError)
        assert f"{kind}, which is not read" in said
        assert f"with: {tool} " in said

    def test_names_are_quoted_for_the_shell(self, put: Callable[..., Path]) -> None:
        said = refusal(put(b"GIF89a", "my FILE's.gif"), NoPictureError)
        assert """FILE'"'"'s.gif' '""" in said
        assert """FILE'"'"'s.png""" in said.replace("'.png", ".png")

    @pytest.mark.parametrize("data", [b"", b"hello", b"\x89PNG\r\n", b"BMPs are nice", b"II", b"P7\n", b"RIFF"])
    def test_anything_else(self, put: Put, data: bytes) -> None:
        refusal(put(data))
