"""Annotated pictures for topic `image`: drawn and packed by a thread of their own, so that no frame waits for them."""

import threading
from typing import Callable, NamedTuple, Optional

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.views import ViewGeometry
from nasion.messages import PersonMessage
from nasion.mqtt.images import Picture
from nasion.mqtt.publishing import Publisher
from nasion.settings import ImageSettings
from nasion.show.overlay import draw

#: Longest side of what is sent, pixels, and its JPEG quality: some 60 kB.
LONGEST_PX = 960
QUALITY = 80
_JOIN_S = 1.0


class _Shown(NamedTuple):
    picture: NDArray[np.uint8]
    message: PersonMessage
    heat: Optional[NDArray[np.float32]]
    captured_monotonic_ns: int


class Pictures:
    """Of the frames of one camera, as many as are wanted. Time is an argument."""

    def __init__(
        self,
        camera: str,
        wanted: Callable[[], ImageSettings],
        publisher: Publisher,
        *,
        geometry: ViewGeometry,
        on_failure: Callable[[BaseException], None],
    ) -> None:
        self._wanted = wanted
        self._publisher = publisher
        self._geometry = geometry
        self._on_failure = on_failure
        self._due_ns: Optional[int] = None
        self._changed = threading.Condition()
        self._slot: Optional[_Shown] = None
        self._ending = False
        self._thread = threading.Thread(target=self._run, name=f"pictures {camera}", daemon=True)

    def offer(
        self,
        picture: NDArray[np.uint8],
        message: PersonMessage,
        heat: Optional[NDArray[np.float32]],
        captured_monotonic_ns: int,
    ) -> None:
        """A processed frame, taken at ``captured_monotonic_ns``; returns at once. One thread calls."""
        wanted = self._wanted()
        if not wanted.enabled or not self._publisher.wanted or not self._due(wanted.hz, captured_monotonic_ns):
            return
        with self._changed:
            overtaken, self._slot = self._slot, _Shown(picture, message, heat, captured_monotonic_ns)
            self._changed.notify()
            if self._thread.ident is None and not self._ending:
                self._thread.start()
        if overtaken is not None:
            self._publisher.image_skipped()

    def stop(self) -> None:
        """No more; what waits is skipped."""
        with self._changed:
            self._ending = True
            waiting, self._slot = self._slot, None
            self._changed.notify()
        if waiting is not None:
            self._publisher.image_skipped()
        if self._thread.ident is not None:
            self._thread.join(_JOIN_S)

    def _due(self, hz: float, now_ns: int) -> bool:
        """Whether the next one may go; on average no more than ``hz`` a second do."""
        if self._due_ns is not None and now_ns < self._due_ns:
            return False
        period_ns = int(1e9 / hz)
        # From when it was due, so that frames that come at a pace of their own do not lower the rate.
        late = self._due_ns is None or now_ns - self._due_ns > period_ns
        self._due_ns = (now_ns if late or self._due_ns is None else self._due_ns) + period_ns
        return True

    def _run(self) -> None:
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: self._slot is not None or self._ending)
                    shown, self._slot = self._slot, None
                if shown is None:
                    return
                self._publisher.image(self._made(shown))
        except BaseException as error:
            self._on_failure(error)

    def _made(self, shown: _Shown) -> Picture:
        message = shown.message
        geometry = None if shown.heat is None else self._geometry
        canvas = draw(shown.picture, message, heat=shown.heat, geometry=geometry)
        height, width = canvas.shape[:2]
        if max(height, width) > LONGEST_PX:
            scale = LONGEST_PX / max(height, width)
            size = (max(1, round(width * scale)), max(1, round(height * scale)))
            canvas = cv2.resize(canvas, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
        _, jpeg = cv2.imencode(".jpg", canvas, (cv2.IMWRITE_JPEG_QUALITY, QUALITY))
        return Picture(jpeg.tobytes(), message.seq, message.captured_ns, shown.captured_monotonic_ns)
