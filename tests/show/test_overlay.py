"""What is drawn lies where the numbers say, reads as a person reads it, and leaves the frame itself alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest
from nasion.core.results import FrameReason, Keypoint, Located, PersonReason
from nasion.core.views import INPUT_SIZES, view_geometry
from nasion.messages import DepthSeen, PersonEntry, PersonMessage
from nasion.show.overlay import NOBODY, REFUSED, VALID, draw, draw_located

if TYPE_CHECKING:
    from nasion.settings import View
    from numpy.typing import NDArray

GREY = 90


def plain(width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.full((height, width, channels), GREY, np.uint8)


def person(u: float, v: float, reason: PersonReason | None = None, range_m: float = 1.83) -> PersonEntry:
    value = range_m if reason is None else None
    return PersonEntry(
        track_id=4,
        probability=0.93,
        pixel=[u, v],
        bearing_rad=[0.0, 0.0],
        valid=reason is None,
        reason=reason,
        depth_m=value,
        range_m=value,
        position_m=None if value is None else [0.0, 0.0, value],
        covariance_m2=None if value is None else [0.0] * 9,
        depth=DepthSeen(value=value, count=25, of=25, spread=0.01),
    )


def message(*persons: PersonEntry, reason: FrameReason | None = None) -> PersonMessage:
    return PersonMessage(
        session="s",
        seq=1234,
        camera="front",
        frame_id="front_left_camera_optical_frame",
        captured_at=1795304457.123,
        captured_ns="1795304457123456789",
        published_at=1795304457.15,
        max_age_ms=200.0,
        persons=list(persons),
        reason=reason,
        latency_ms={"total": 23.4},
    )


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, tuple[int, int, int]]]:
    """All texts that go into the picture, with their colours; they are drawn all the same."""
    texts: list[tuple[str, tuple[int, int, int]]] = []
    put_text = cv2.putText

    def noting(canvas: Any, text: str, place: Any, font: Any, scale: Any, colour: Any, *rest: Any) -> Any:
        texts.append((text, colour))
        return put_text(canvas, text, place, font, scale, colour, *rest)

    monkeypatch.setattr(cv2, "putText", noting)
    return texts


def changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.bool_]:
    different: NDArray[np.bool_] = (before[:, :, :3] != after).any(axis=2)
    return different


def blob(width: int, height: int, x: float, y: float) -> NDArray[np.float32]:
    rows, columns = np.mgrid[:height, :width]
    heat: NDArray[np.float32] = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / 8).astype(np.float32)
    return heat


class TestWhatIsSaid:
    def test_a_person_with_a_position(self, written: list[tuple[str, Any]]) -> None:
        draw(plain(1280, 720), message(person(600, 300)))
        assert ("1.83 m", VALID) in written
        assert "p 0.93" in dict(written)

    @pytest.mark.parametrize("reason", PersonReason)
    def test_a_person_without_a_position_and_why(self, written: list[tuple[str, Any]], reason: PersonReason) -> None:
        draw(plain(1280, 720), message(person(600, 300, reason)))
        assert (reason.value, REFUSED) in written
        assert not any(text.endswith(" m") for text, _ in written)

    @pytest.mark.parametrize("reason", FrameReason)
    def test_nobody_and_why(self, written: list[tuple[str, Any]], reason: FrameReason) -> None:
        draw(plain(1280, 720), message(reason=reason))
        assert written[0] == (f"nobody: {reason.value}", NOBODY)

    def test_several_persons_by_their_tracks(self, written: list[tuple[str, Any]]) -> None:
        draw(plain(1280, 720), message(person(300, 300), person(900, 300)))
        assert [text for text, _ in written].count("#4  p 0.93") == 2

    def test_camera_time_and_latency(self, written: list[tuple[str, Any]]) -> None:
        draw(plain(1280, 720), message(person(600, 300)))
        assert written[-1][0] == "front   23:40:57.123 UTC   latency 23 ms   frame 1234   2026-11-21"

    def test_where_there_is_little_room_the_least_important_is_left_out(self, written: list[tuple[str, Any]]) -> None:
        draw(plain(160, 120), message(reason=FrameReason.NO_FACE))
        assert written[-1][0] == "front   23:40:57.123 UTC"

    def test_a_still_picture_has_neither_time_nor_distance(self, written: list[tuple[str, Any]]) -> None:
        draw_located(plain(640, 480), Located((Keypoint(300, 200, 0.81, 1, 1),), None, 0.81))
        assert written == [("p 0.81", VALID)]

    def test_a_still_picture_of_nobody_says_how_sure(self, written: list[tuple[str, Any]]) -> None:
        draw_located(plain(640, 480), Located((), FrameReason.LOW_PROBABILITY, 0.41))
        assert written == [("nobody: low_probability  (peak 0.41)", NOBODY)]


class TestWhereItIsDrawn:
    @pytest.mark.parametrize(("width", "height"), [(1920, 1080), (1280, 720), (320, 240)])
    def test_the_cross_hair_is_centred_on_the_keypoint_and_leaves_it_free(self, width: int, height: int) -> None:
        u, v = width // 3, height // 2
        before = plain(width, height)
        reach = round(2 * max(7, 0.0125 * width))  # less than the label's distance
        drawn = changed(before, draw(before, message(person(u, v))))
        around = drawn[v - reach : v + reach + 1, u - reach : u + reach + 1]
        rows, columns = np.nonzero(around)
        assert rows.mean() == pytest.approx(reach, abs=0.5)
        assert columns.mean() == pytest.approx(reach, abs=0.5)
        assert not around[reach, reach]

    @pytest.mark.parametrize("place", [(0.0, 0.0), (1279.0, 0.0), (0.0, 719.0), (1279.0, 719.0)])
    def test_labels_stay_in_the_picture(self, place: tuple[float, float]) -> None:
        before = plain(1280, 720)
        inner = changed(before, draw(before, message(person(*place))))[100:620, 250:1030]
        assert not inner.any()

    @pytest.mark.parametrize("view", INPUT_SIZES)
    @pytest.mark.parametrize("size", [(1920, 1080), (1280, 720), (672, 376)])
    def test_the_heat_lies_at_the_keypoint_in_every_view(self, view: View, size: tuple[int, int]) -> None:
        geometry = view_geometry(view, *size)
        u, v = size[0] * 0.45, size[1] * 0.55
        x, y = ((pixel + 0.5) / 2 - 0.5 for pixel in geometry.to_input(u, v))
        heat = blob(geometry.input_width // 2, geometry.input_height // 2, x, y)
        before = plain(*size)
        only_heat = draw_located(before, Located((), None, None), heat=heat, geometry=geometry)
        weight = np.abs(only_heat.astype(float) - before).sum(axis=2)
        rows, columns = np.mgrid[: size[1], : size[0]]
        assert (weight * columns).sum() / weight.sum() == pytest.approx(u, abs=0.3 * geometry.scale_x)
        assert (weight * rows).sum() / weight.sum() == pytest.approx(v, abs=0.3 * geometry.scale_y)

    def test_heat_in_the_padding_or_too_faint_is_not_drawn(self) -> None:
        geometry = view_geometry("full", 1280, 720)
        faint = np.full((144, 240), 0.04, np.float32)
        faint[-4:, :] = 1.0
        before = plain(1280, 720)
        after = draw_located(before, Located((), None, None), heat=faint, geometry=geometry)
        assert not changed(before, after)[:-10].any()

    def test_heat_without_its_place_is_refused(self) -> None:
        with pytest.raises(ValueError, match="both or neither"):
            draw(plain(64, 48), message(reason=FrameReason.NO_FACE), heat=blob(10, 10, 5, 5))


@pytest.mark.parametrize("channels", [3, 4])
def test_the_frame_itself_is_left_alone(channels: int) -> None:
    before = plain(320, 240, channels)
    kept = before.copy()
    after = draw(before, message(person(100, 100)))
    assert np.array_equal(before, kept)
    assert after.shape == (240, 320, 3)
    assert after.flags.c_contiguous
    assert changed(before, after).any()


def test_bgrx_looks_like_bgr() -> None:
    bgr = np.random.default_rng(0).integers(0, 255, (240, 320, 3), np.uint8)
    bgrx = np.dstack((bgr, np.zeros((240, 320), np.uint8)))
    assert np.array_equal(draw(bgr, message(person(100, 100))), draw(bgrx, message(person(100, 100))))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (2, 300), (300, 2), (16, 16)])
def test_no_picture_is_too_small(width: int, height: int) -> None:
    shown = message(person(width / 2, height / 2), person(0, 0, PersonReason.JUMP))
    assert draw(plain(width, height), shown).shape == (height, width, 3)
