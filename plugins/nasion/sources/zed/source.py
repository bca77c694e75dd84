"""A ZED as a source of frames: picture and depth of one grab, and a camera that comes back when it was lost.

Memory: a grab is two arrays of its own, 8 bytes a pixel together (16.6 MB at 1080 lines, 7.4 MB at 720); whoever keeps
frames keeps these, a run at most eight of a camera (133 MB; see `nasion.pipeline.line`). The source itself keeps what
nobody holds for the next ones, three of each at most (50 MB), and the first ones of a recording.
"""

from collections import deque
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from threading import Event
from typing import Callable, Deque, List, Optional, Set, Union

from nasion.core.calibration import Calibration
from nasion.errors import InputError, NasionError
from nasion.settings import DepthSettings
from nasion.sources.clock import stamp_now
from nasion.sources.depth_map import DepthMap
from nasion.sources.frame import Clock, CorruptFrame, End, Frame, Grab, SourceHealth
from nasion.sources.zed.codes import Code, Meaning, advice, fatal_error, open_error
from nasion.sources.zed.health import HealthRecord
from nasion.sources.zed.options import DEPTH_MODES, RATES, SIZES, Camera, ZedRequest
from nasion.sources.zed.reopening import MOST_SHIFT, Outage, calibration_shift
from nasion.sources.zed.sdk import Size, ZedCamera
from nasion.sources.zed.times import CaptureTimes
from nasion.sources.zed.worker import CameraThread

#: A camera that is away for longer is `lost`; it is looked for all the same.
_LOST_AFTER_NS = 10_000_000_000
#: How long the SDK may take to bring a camera back itself, and how often it is asked meanwhile, seconds.
_REBOOT_PATIENCE_S, _REBOOT_LOOK_S = 30.0, 0.1
#: How long the first picture may take after opening, seconds.
_FIRST_PICTURE_S = 15.0
#: The SDK is asked how it is this often.
_OBSERVE_NS = 1_000_000_000
#: A wait is cut into such pieces, so that it can be broken off, seconds.
_PIECE_S = 0.05
#: How long the SDK may look for the camera, seconds. It holds the interpreter meanwhile, as of 5.4: MQTT waits too, and
#: the broker declares us offline after 3 s.
_FIRST_OPEN_S, _REOPEN_S = 5.0, 2.0
#: Said before the camera is opened.
OPENING = "opening; at first the ZED SDK makes its depth network fit for the GPU: minutes, in which Ctrl-C waits"
#: How long closing may take, seconds.
_CLOSE_S = 5.0


@dataclass(frozen=True)
class _Wait:
    """There is no frame yet; ask again after so many seconds."""

    seconds: float


def _say_nothing(_: str) -> None:
    """Where nobody listens."""


class ZedSource:
    """A camera, a recording or a stream. ``read`` blocks also while a lost camera is looked for; see `interrupt`."""

    def __init__(
        self,
        request: ZedRequest,
        depth: DepthSettings,
        clock: Clock,
        on_event: Callable[[str], None] = _say_nothing,
    ) -> None:
        """``on_event`` gets lines for people, from the camera's thread.

        DependencyError: no pyzed. HardwareError: no camera, no GPU. InputError: file, resolution, depth mode.
        """
        self.uri = request.uri
        self.live = request.live
        self._request, self._limits, self._clock, self._on_event = request, depth, clock, on_event
        self._health = HealthRecord(_LOST_AFTER_NS)
        self._times = CaptureTimes(request.capture_delay_ns)
        self._outage: Optional[Outage] = None
        self._rebooting_since: Optional[int] = None
        self._begun = self._open = False
        self._last_code: Optional[Code] = None
        self._serial: Optional[int] = None
        self._size: Size = (0, 0)
        self._frames = 0
        self._image_ns: Optional[int] = None
        self._observed_ns: Optional[int] = None
        self._dropped_before = self._dropped = 0
        self._warned: Set[str] = set()
        self._over = Event()
        self._closed = False
        self.calibration: Calibration
        self.fps: float
        self._thread = CameraThread("zed camera")
        try:
            self._ahead: Deque[Grab] = self._thread.call(self._begin)
        except BaseException:
            self._thread.end()
            raise

    @property
    def health(self) -> SourceHealth:
        """How the camera is now; any thread may ask, also while ``read`` blocks."""
        return self._health.at(self._clock.monotonic_ns())

    def read(self) -> Grab:
        """Next frame. Blocks while a lost camera is opened again, for as long as that takes."""
        if self._ahead:
            return self._ahead.popleft()
        while not self._over.is_set():
            step = self._thread.call(self._step)
            if not isinstance(step, _Wait):
                if isinstance(step, End):
                    self._over.set()
                return step
            self._rest(step.seconds)
        return End()

    def interrupt(self) -> None:
        """``read`` gives End soon, also where it waits for a lost camera. Any thread may call."""
        self._over.set()

    def close(self) -> None:
        """Let go of the camera; no error when called twice."""
        self._over.set()
        self._ahead.clear()
        if self._closed:
            return
        self._closed = True
        try:
            self._thread.call(self._camera.close, _CLOSE_S)
        except FutureTimeoutError:
            self._say("the ZED SDK does not answer; the camera is let go when the process ends")
        self._thread.end()

    # What follows runs in the camera's thread.

    def _begin(self) -> "Deque[Grab]":
        """Open, and read until size, calibration and pace are known; what a recording gave is given again."""
        self._camera = ZedCamera()
        if self._camera.warning:
            self._say(self._camera.warning)
        # pyzed holds the interpreter inside, so no handler of a signal runs.
        self._say(OPENING)
        try:
            found, mode = self._camera.open(self._request, self._limits, _FIRST_OPEN_S)
            if not found.ok:
                raise open_error(self._request, found)
            self._opened(found, mode)
            ahead = self._first_frames()
            self._begun = True
        except BaseException:
            self._camera.close()
            raise
        # A live frame is too old by the time that the first one is asked for.
        return deque() if self.live else ahead

    def _opened(self, found: Code, mode: str) -> None:
        self._open = True
        self._check_serial()
        self._warned.clear()
        self._size = (0, 0)
        if found.meaning is Meaning.WARNED:
            self._warn(found)
        if self._begun:
            return
        instead = "" if mode in (self._request.depth_mode, DEPTH_MODES[0]) else " (this ZED SDK has no NEURAL)"
        limits = f"{self._limits.near_m:g} to {self._limits.far_m:g} m"
        self._say(f"camera {self._serial}, depth by {mode}{instead}, {limits}")

    def _check_serial(self) -> None:
        """A run has one camera, also where the first one that is found was asked for."""
        before, self._serial = self._serial, self._camera.serial()
        if before not in (None, self._serial):
            raise NasionError(
                f"{self.uri}: camera {self._serial} was opened in the place of {before}; start the run anew, with "
                "zed:SERIAL"
            )

    def _first_frames(self) -> "Deque[Grab]":
        """One frame, or two where these have to tell the pace; with the damaged ones between them."""
        until_ns = self._clock.monotonic_ns() + int(_FIRST_PICTURE_S * 1e9)
        seen: Deque[Grab] = deque()
        image_ns: List[int] = []
        while len(image_ns) < (1 if self._request.fps else 2):
            step = self._step()
            if isinstance(step, _Wait):
                self._clock.sleep(step.seconds)
            else:
                seen.append(step)
            if isinstance(step, Frame):
                image_ns.append(self._image_ns or 0)
            elif isinstance(step, End) or self._clock.monotonic_ns() > until_ns:
                break
        if not image_ns and self._last_code is not None:
            raise open_error(self._request, self._last_code)
        self.fps = float(self._request.fps or _pace(image_ns))
        return seen

    def _step(self) -> Union[Grab, _Wait]:
        """One attempt at a frame."""
        if not self._open:
            return self._reopen()
        found = self._last_code = self._camera.grab()
        if found.ok:
            if found.meaning is Meaning.WARNED:
                self._warn(found)
            return self._frame()
        if found.meaning is Meaning.CORRUPT:
            return self._corrupt(f"the ZED SDK finds the picture damaged ({found.name})")
        if found.meaning is Meaning.FATAL:
            raise fatal_error(self._request, found)
        if found.meaning is Meaning.ENDED:
            return End()
        if found.meaning is Meaning.LOST and not self._begun:
            raise open_error(self._request, found)
        if not self.live:
            return End(f"{self.uri} ends after {self._frames} frames: {advice(found)}")
        return self._rebooting(found) if found.meaning is Meaning.REBOOTING else self._lose(found)

    def _frame(self) -> Union[Grab, _Wait]:
        """Picture, depth and time of the grab that has just been made."""
        image_ns = self._camera.image_ns()
        if self.live and image_ns == self._image_ns:
            self._health.count("repeated")
            return _Wait(0.0)
        picture = self._camera.picture(self._size if self._size[0] else None)
        if isinstance(picture, Code):
            return self._not_retrieved("picture", picture)
        if not self._size[0]:
            self._learn((picture.shape[1], picture.shape[0]))
        depth = self._camera.depth(self._size)
        if isinstance(depth, Code):
            return self._not_retrieved("depth", depth)
        self._image_ns = image_ns
        self._frames += 1
        now = stamp_now(self._clock)
        self._recovered(now.monotonic_ns)
        self._observe(now.monotonic_ns)
        where = DepthMap(depth, self._limits)
        if not self.live:
            return Frame(picture, where, self.calibration, now, image_ns or None)
        stamp = self._times.stamp(image_ns, now)
        self._health.set_total("stamp_by_difference", self._times.by_difference)
        self._health.set_total("stamp_by_arrival", self._times.by_arrival)
        return Frame(picture, where, self.calibration, stamp)

    def _learn(self, size: Size) -> None:
        """The first picture after an opening says what was really opened."""
        wanted = None if self._request.size is None else SIZES[self._request.size][1]
        if wanted not in (None, size):
            raise InputError(
                f"{self.uri}: asked for {wanted[0]}x{wanted[1]}, the camera gives {size[0]}x{size[1]}; ask for what it "
                "has with ?size"
            )
        calibration = self._camera.calibration(size)
        if not hasattr(self, "calibration"):
            self.calibration = calibration
        elif calibration != self.calibration:
            self._compare(calibration)
        self._size = size

    def _compare(self, after: Calibration) -> None:
        """A run has one calibration; the little that self-calibration changes it by is told, more ends the run."""
        before = self.calibration
        same_size = (before.left.width, before.left.height) == (after.left.width, after.left.height)
        shift = calibration_shift(before, after) if same_size else float("inf")
        if shift > MOST_SHIFT:
            raise NasionError(
                f"{self.uri}: what was opened again has another calibration ({shift:.3f} of a ray's slope); is it "
                "another camera? Start the run anew, with zed:SERIAL"
            )
        self._say(
            f"self-calibration has moved rays by up to {1000 * shift:.1f} mm at 1 m; positions keep to the first one"
        )

    def _not_retrieved(self, what: str, found: Code) -> CorruptFrame:
        if found.meaning is Meaning.FATAL:
            raise fatal_error(self._request, found)
        return self._corrupt(f"the ZED SDK does not hand over the {what} ({advice(found)})")

    def _corrupt(self, why: str) -> CorruptFrame:
        self._health.count("corrupt_frame")
        return CorruptFrame(stamp_now(self._clock), why)

    def _warn(self, found: Code) -> None:
        self._health.count("warned")
        if found.name not in self._warned:
            self._warned.add(found.name)
            self._say(f"the ZED SDK warns: {found.name}")

    def _rebooting(self, found: Code) -> _Wait:
        now_ns = self._clock.monotonic_ns()
        self._health.count("rebooting")
        self._health.away(now_ns)
        if self._rebooting_since is None:
            self._rebooting_since = now_ns
            self._say(f"no frame ({found.name}); the ZED SDK is bringing the camera back")
        if now_ns - self._rebooting_since > _REBOOT_PATIENCE_S * 1e9:
            return self._lose(found)
        return _Wait(_REBOOT_LOOK_S)

    def _lose(self, found: Code) -> _Wait:
        self._health.count("lost")
        self._health.away(self._clock.monotonic_ns())
        self._say(f"lost ({advice(found)}); it is opened again")
        self._dropped_before, self._dropped = self._dropped_before + self._dropped, 0
        self._camera.close()
        self._open, self._rebooting_since = False, None
        self._outage = self._outage or Outage()
        return _Wait(self._outage.wait_s())

    def _reopen(self) -> _Wait:
        outage = self._outage = self._outage or Outage()
        self._reboot_hung(outage)
        found, mode = self._camera.open(self._request, self._limits, _REOPEN_S)
        self._last_code = found
        if found.ok:
            self._health.count("reopened")
            self._opened(found, mode)
            return _Wait(0.0)
        if found.meaning is Meaning.FATAL:
            raise fatal_error(self._request, found)
        self._health.count("reopen_failed")
        return _Wait(outage.wait_s())

    def _reboot_hung(self, outage: Outage) -> None:
        """Only a camera that was named is restarted: of several, the first may be another robot part's."""
        camera = self._request.input
        if isinstance(camera, Camera) and camera.serial is not None and outage.wants_reboot():
            self._say(f"restarting camera {camera.serial}: {self._camera.reboot(camera.serial).name}")

    def _recovered(self, now_ns: int) -> None:
        self._outage = self._rebooting_since = None
        away_s = self._health.back(now_ns)
        if away_s is not None:
            self._say(f"back after {away_s:.1f} s")

    def _observe(self, now_ns: int) -> None:
        if self._observed_ns is not None and now_ns - self._observed_ns < _OBSERVE_NS:
            return
        self._observed_ns = now_ns
        self._dropped = self._camera.dropped()
        self._health.set_total("sdk_dropped", self._dropped_before + self._dropped)
        self._health.observed(self._camera.flags(), self._camera.fps())

    def _rest(self, seconds: float) -> None:
        until_ns = self._clock.monotonic_ns() + int(seconds * 1e9)
        while not self._over.is_set():
            left_s = (until_ns - self._clock.monotonic_ns()) / 1e9
            if left_s <= 0:
                return
            self._clock.sleep(min(left_s, _PIECE_S))

    def _say(self, what: str) -> None:
        self._on_event(f"{self.uri}: {what}")


def _pace(image_ns: List[int]) -> float:
    """Frames per second of a recording or stream: the camera's rate that is nearest to the first two stamps."""
    apart_ns = image_ns[1] - image_ns[0] if len(image_ns) > 1 else 0
    if apart_ns <= 0:
        return 30.0
    return float(min(RATES, key=lambda rate: abs(rate - 1e9 / apart_ns)))
