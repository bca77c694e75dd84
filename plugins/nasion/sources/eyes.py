"""Looks, now and then, whether the two pictures that a source matches depth in fit each other.

A look takes some 25 ms. A recording waits for it, so that the same recording always gives the same; what it is played
for at its own pace is stamped afterwards. A live source does not wait: a thread of its own looks at the newest frame,
one at a time; only the first depth that is asked for waits for the first look, so that none is given of eyes that do
not fit.
"""

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from threading import Event
from typing import Callable, Dict, List, Optional

from nasion.core.calibration import Calibration
from nasion.core.eyes import look_at_eyes
from nasion.core.eyes_judge import FIRST_LOOKS, EyesJudge
from nasion.core.results import EyesFault, EyesFit, EyesVerdict, PersonReason
from nasion.sources.frame import End, Frame, Grab, Source, SourceHealth, Watched
from nasion.sources.stereo_depth import StereoDepth

#: What the source complains of while the eyes do not fit, and what it counts: how often they began not to.
FLAG, COUNTER = "eyes_do_not_fit", "eyes_misfit"
#: So many frames are read for the first verdict.
_MOST_FRAMES = 60
#: A source that says nothing of itself.
_HEALTHY = SourceHealth("ok", {}, (), None)

_FOUND: Dict[EyesFault, str] = {
    EyesFault.ROWS: "the rows of the two eyes are {rows_px:.1f} px apart (at most {limit_px:.1f} px fit)",
    EyesFault.CROSSED: "what is near lies on the wrong side: the eyes seem to be swapped",
    EyesFault.SAME: "both eyes show one and the same picture",
    EyesFault.UNRELATED: "the right eye does not show what the left one shows",
}
_REMEDIES: Dict[EyesFault, str] = {
    EyesFault.ROWS: (
        "if the pictures are rectified already, give a calibration.json of rectified pictures; else look whether the "
        "eyes are swapped, or the calibration is another camera's"
    ),
    EyesFault.CROSSED: (
        "give the left eye's pictures as left; if they are, and are rectified already, give a calibration.json of "
        "rectified pictures, or else the calibration of this very camera"
    ),
    EyesFault.SAME: "give the right eye's pictures as right; one eye alone gives no distances",
    EyesFault.UNRELATED: (
        "if it is a depth map, export left and right instead, or depth in metres for rgbd:; else look whether left and "
        "right are of one instant and of one camera"
    ),
}


def found(verdict: EyesVerdict) -> str:
    """What was seen, for people."""
    if verdict.fault is not None:
        return _FOUND[verdict.fault].format(rows_px=verdict.rows_px or 0.0, limit_px=verdict.limit_px or 0.0)
    if verdict.rows_px is None:
        return "no picture tells whether the eyes fit: there is too little to be found again in both"
    return f"the rows of the two eyes are {verdict.rows_px:.1f} px apart (at most {verdict.limit_px:.1f} px fit)"


def remedy(verdict: EyesVerdict) -> str:
    """What to do where they do not fit, or poorly."""
    if verdict.fault is None:
        return "calibrate this camera anew, or give its own calibration"
    return _REMEDIES[verdict.fault]


def first_verdict(source: Source) -> Optional[EyesVerdict]:
    """What the first pictures of ``source``, which is then to be closed, tell of its eyes; None of one that gives depth
    itself."""
    verdict: Optional[EyesVerdict] = None
    pictures = 0
    for _ in range(_MOST_FRAMES):
        grab = source.read()
        if isinstance(grab, Frame):
            # Of a live source, it waits for the first look.
            grab.depth.refused()
            pictures += 1
        verdict = source.health.eyes if isinstance(source, Watched) else None
        settled = verdict is not None and verdict.fit is not EyesFit.UNKNOWN
        measured = isinstance(grab, Frame) and not isinstance(grab.depth, StereoDepth)
        if isinstance(grab, End) or measured or (settled and pictures >= FIRST_LOOKS):
            break
    return verdict


class EyesSource:
    """Gives what ``source`` gives, with depth that is refused while the eyes do not fit. Depth that came measured is
    left as it is."""

    def __init__(self, source: Source, on_event: Callable[[str], None]) -> None:
        """``on_event`` gets one line when the eyes are found not to fit, and one when they do again."""
        self.uri = source.uri
        self.live = source.live
        self.fps = source.fps
        self.calibration: Calibration = source.calibration
        self.watched = source
        self._on_event = on_event
        self._judge = EyesJudge()
        self._verdict: Optional[EyesVerdict] = None
        self._misfits = 0
        self._told = EyesFit.UNKNOWN
        self._worker = ThreadPoolExecutor(1, "eyes") if source.live else None
        self._look: Optional[Future[None]] = None
        self._looked = Event()

    def read(self) -> Grab:
        """Next grab."""
        grab = self.watched.read()
        if isinstance(grab, End):
            self._finish()
        if not isinstance(grab, Frame) or not isinstance(grab.depth, StereoDepth):
            return grab
        if self._worker is None:
            self._look_at(grab.depth, _time_ns(grab))
            refused = _refusal(self._verdict)
            return replace(grab, depth=grab.depth.guarded(lambda: refused))
        if self._look is None or self._look.done():
            if self._look is not None:
                # A mistake in the look is not kept silent.
                self._look.result()
            self._look = self._worker.submit(self._look_at, grab.depth, _time_ns(grab))
        return replace(grab, depth=grab.depth.guarded(self._refused_now))

    def close(self) -> None:
        """Release the source; no error when called twice."""
        if self._worker is not None:
            self._worker.shutdown()
            self._looked.set()
        self.watched.close()

    @property
    def health(self) -> SourceHealth:
        """What the source says of itself, and whether its eyes fit."""
        health = self.watched.health if isinstance(self.watched, Watched) else _HEALTHY
        verdict = self._verdict
        if verdict is None:
            return health
        flags = (*health.flags, FLAG) if verdict.fit is EyesFit.MISFIT else health.flags
        counters = {**health.counters, **({COUNTER: self._misfits} if self._misfits else {})}
        return replace(health, counters=counters, flags=flags, eyes=verdict)

    def interrupt(self) -> None:
        """See `Watched`."""
        if isinstance(self.watched, Watched):
            self.watched.interrupt()

    def _finish(self) -> None:
        if self._look is not None:
            self._look.result()
        if self._verdict is not None:
            for line in self._taken(self._judge.end()):
                self._on_event(line)

    def _look_at(self, depth: StereoDepth, t_ns: int) -> None:
        """Where a look is due: what it comes to."""
        try:
            if self._judge.due(t_ns):
                look = look_at_eyes(depth.left(), depth.right())
                for line in self._taken(self._judge.add(look, t_ns)):
                    self._on_event(line)
        finally:
            self._looked.set()

    def _taken(self, verdict: EyesVerdict) -> List[str]:
        """What is to be told, once each time that it changes."""
        before, self._verdict = self._verdict, verdict
        misfit = verdict.fit is EyesFit.MISFIT
        if misfit and (before is None or before.fault is not verdict.fault):
            self._misfits += before is None or before.fit is not EyesFit.MISFIT
            self._told = verdict.fit
            return [f"{found(verdict)}; no distances are given: {remedy(verdict)}"]
        if self._told is EyesFit.MISFIT and not misfit:
            self._told = verdict.fit
            return ["the eyes fit again; distances are given"]
        if verdict.fit is EyesFit.POOR and self._told is EyesFit.UNKNOWN:
            self._told = verdict.fit
            return [f"{found(verdict)}, which costs distances; {remedy(verdict)}"]
        return []

    def _refused_now(self) -> Optional[PersonReason]:
        self._looked.wait()
        return _refusal(self._verdict)


def _refusal(verdict: Optional[EyesVerdict]) -> Optional[PersonReason]:
    """Also where the first look failed, which the next `read` raises."""
    return PersonReason.EYES_DO_NOT_FIT if verdict is None or verdict.withheld else None


def _time_ns(frame: Frame) -> int:
    """A recording's own time: it decides the same at any speed."""
    return frame.stamp.monotonic_ns if frame.recorded_ns is None else frame.recorded_ns
