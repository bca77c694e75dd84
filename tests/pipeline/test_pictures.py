"""So many pictures as are wanted, made beside the way of the frames."""

import threading
import time
from typing import Any, Callable, List

import cv2
import numpy as np
import pytest
from nasion.core.views import view_geometry
from nasion.messages import PersonMessage
from nasion.mqtt.images import Picture
from nasion.mqtt.publishing import NoPublisher
from nasion.pipeline.pictures import LONGEST_PX, Pictures
from nasion.settings import ImageSettings

SECOND = 1_000_000_000


class Keeping(NoPublisher):
    """A way out that keeps pictures; it takes none before it is ``open``."""

    wanted = True

    def __init__(self) -> None:
        super().__init__()
        self.kept: List[Picture] = []
        self.skipped = 0
        self.open = threading.Event()
        self.open.set()

    def image(self, picture: Picture) -> None:
        assert self.open.wait(60)
        self.kept.append(picture)

    def image_skipped(self) -> None:
        self.skipped += 1


def seen(seq: int) -> PersonMessage:
    return PersonMessage(
        session="s1",
        seq=seq,
        camera="cam0",
        frame_id="optical",
        captured_at=1.0,
        captured_ns="1000000000",
        published_at=1.0,
        max_age_ms=200.0,
        persons=[],
        reason="no_face",
        latency_ms={"total": 1.0},
    )


@pytest.fixture
def publisher() -> Keeping:
    return Keeping()


@pytest.fixture
def failures() -> List[BaseException]:
    return []


def made(publisher: Keeping, failures: List[BaseException], wanted: Callable[[], ImageSettings]) -> Pictures:
    return Pictures("cam0", wanted, publisher, geometry=view_geometry("full", 320, 180), on_failure=failures.append)


def until(happened: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.005)


PICTURE = np.zeros((180, 320, 3), np.uint8)


@pytest.mark.parametrize(
    ("frame_hz", "image_hz", "expected"),
    [(30, 30, 300), (30, 10, 100), (30, 7, 70), (30, 2, 20), (30, 0.5, 5), (5, 30, 50), (29.97, 10, 100)],
)
def test_the_rate_is_the_one_that_was_set(
    publisher: Keeping, failures: List[BaseException], frame_hz: float, image_hz: float, expected: int
) -> None:
    """Ten seconds of frames, each late by up to 2 ms."""
    pictures = made(publisher, failures, lambda: ImageSettings(enabled=True, hz=image_hz))
    for number in range(round(10 * frame_hz)):
        late_ns = (number * 7919) % 2_000_000
        pictures.offer(PICTURE, seen(number), None, round(number * SECOND / frame_hz) + late_ns)
        until(lambda: pictures._slot is None)
    pictures.stop()
    assert failures == []
    assert len(publisher.kept) + publisher.skipped == pytest.approx(expected, abs=1)


def test_a_pause_is_not_made_up_for(publisher: Keeping, failures: List[BaseException]) -> None:
    pictures = made(publisher, failures, lambda: ImageSettings(enabled=True, hz=10))
    for at_s in (0.0, 5.0, 5.033, 5.066, 5.1, 5.133):
        pictures.offer(PICTURE, seen(int(at_s * 1000)), None, round(at_s * SECOND))
        until(lambda: pictures._slot is None)
    pictures.stop()
    assert [picture.seq for picture in publisher.kept] == [0, 5000, 5100]


def test_off_nothing_is_drawn_and_no_thread_begun(publisher: Keeping, failures: List[BaseException]) -> None:
    before = threading.active_count()
    pictures = made(publisher, failures, ImageSettings)
    for number in range(100):
        pictures.offer(PICTURE, seen(number), None, number * SECOND)
    assert threading.active_count() == before
    pictures.stop()
    assert (publisher.kept, publisher.skipped) == ([], 0)


def test_without_a_broker_nothing_is_drawn(failures: List[BaseException]) -> None:
    before = threading.active_count()
    nowhere: Any = NoPublisher()
    pictures = made(nowhere, failures, lambda: ImageSettings(enabled=True))
    pictures.offer(PICTURE, seen(0), None, 0)
    assert threading.active_count() == before
    pictures.stop()


def test_frames_do_not_wait_and_what_was_overtaken_is_counted(
    publisher: Keeping, failures: List[BaseException]
) -> None:
    publisher.open.clear()
    pictures = made(publisher, failures, lambda: ImageSettings(enabled=True, hz=30))
    for number in range(10):
        pictures.offer(PICTURE, seen(number), None, number * SECOND)
        if number == 0:
            until(lambda: pictures._slot is None)
    publisher.open.set()
    until(lambda: len(publisher.kept) == 2)
    pictures.stop()
    assert [picture.seq for picture in publisher.kept] == [0, 9]
    assert publisher.skipped == 8


@pytest.mark.parametrize(
    ("size", "shown"), [((1080, 1920), (540, 960)), ((720, 1280), (540, 960)), ((180, 320), (180, 320))]
)
def test_what_is_sent_is_a_jpeg_of_a_size_that_a_network_bears(
    publisher: Keeping, failures: List[BaseException], size: Any, shown: Any
) -> None:
    pictures = made(publisher, failures, lambda: ImageSettings(enabled=True))
    pictures.offer(np.full((*size, 4), 90, np.uint8), seen(3), None, 7)
    until(lambda: len(publisher.kept) == 1)
    pictures.stop()
    (picture,) = publisher.kept
    decoded = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert decoded is not None
    assert decoded.shape == (*shown, 3)
    assert max(decoded.shape) <= LONGEST_PX
    assert (picture.seq, picture.captured_ns, picture.captured_monotonic_ns) == (3, "1000000000", 7)


def test_a_mistake_in_drawing_is_not_swallowed(publisher: Keeping, failures: List[BaseException]) -> None:
    pictures = made(publisher, failures, lambda: ImageSettings(enabled=True))
    pictures.offer(np.zeros((2, 2), np.uint8), seen(0), None, 0)
    until(lambda: len(failures) == 1)
    pictures.stop()
