"""What a run looks at and what it writes: sources and the annotated video."""

from pathlib import Path
from typing import List

from nasion.checks.subject import Subject
from nasion.checks.verdict import Verdict, fail, ok, refused, skipped, warn
from nasion.core.results import EyesFit, EyesVerdict
from nasion.errors import InputError, NasionError
from nasion.settings import CameraSettings
from nasion.show.video import PART_BYTES, AnnotatedVideo, video_path
from nasion.sources.eyes import first_verdict, found, remedy
from nasion.sources.zed.source import OPENING

#: With less room a video ends at once.
LEAST_FREE_BYTES = 64 << 20
_MEASURED = "the source gives depth itself"
_MIB = 1 << 20


def source(subject: Subject, camera: CameraSettings) -> Verdict:
    """Open it as a run does, and let go of it: a camera has then given a picture."""
    name = f"source {camera.name}"
    told: List[str] = []
    try:
        opened = subject.opener(
            camera.source,
            depth=subject.settings.depth,
            mode=subject.settings.mode,
            clock=subject.clock,
            on_event=told.append,
        )
    except NasionError as error:
        return refused(name, error, "put that right, or name another source")
    try:
        lens = opened.calibration.left
        what = f"{camera.source} gives {lens.width} x {lens.height} at {opened.fps:g} fps"
    finally:
        opened.close()
    said = [text.replace(f"{camera.source}: ", "", 1) for text in told]
    # A check is over when it is read.
    return ok(name, "; ".join([what, *(text for text in said if text != OPENING)]))


def eyes(subject: Subject, camera: CameraSettings) -> Verdict:
    """Look at the first pictures of a source whose depth is matched here, as fast as they come."""
    name = f"eyes {camera.name}"
    if subject.of_zed(camera):
        return skipped(name, _MEASURED)
    try:
        opened = subject.opener(
            camera.source,
            depth=subject.settings.depth,
            mode="every-frame",
            clock=subject.clock,
            on_event=lambda _: None,
        )
    except NasionError:
        return skipped(name, "the source cannot be opened")
    try:
        verdict = first_verdict(opened)
    finally:
        opened.close()
    return skipped(name, _MEASURED) if verdict is None else judge_eyes(name, verdict)


def judge_eyes(name: str, verdict: EyesVerdict) -> Verdict:
    """A run whose eyes do not fit gives no distances."""
    if verdict.fit is EyesFit.MISFIT:
        return fail(name, f"{found(verdict)}; a run gives no distances", remedy(verdict), InputError.exit_code)
    if verdict.fit is EyesFit.POOR:
        return warn(name, f"{found(verdict)}, which costs distances", remedy(verdict))
    if verdict.fit is EyesFit.UNKNOWN:
        return warn(name, found(verdict), "show both eyes something with edges, in light, and check again")
    return ok(name, found(verdict))


def no_source(_: Subject) -> Verdict:
    """Where nobody said what to look at."""
    return skipped("source", "none is named; name one with --source or in the configuration")


def save(subject: Subject) -> Verdict:
    """Whether the annotated video can be begun, and how much room it has."""
    path, cameras = subject.settings.save, subject.settings.cameras
    if path is None:
        return skipped("save", "no video is asked for")
    for camera in cameras:
        AnnotatedVideo(video_path(path, camera.name, len(cameras)), 1.0).close()
    return judge_room(Path(path), subject.machine.free_bytes(Path(path).absolute().parent))


def judge_room(path: Path, free_bytes: int) -> Verdict:
    """A long video is written in parts."""
    room = f"{path.absolute().parent} has room for {free_bytes // _MIB} MiB"
    remedy = "make room there, or name another file"
    if free_bytes < LEAST_FREE_BYTES:
        return fail("save", room, remedy)
    if free_bytes < PART_BYTES:
        return warn("save", f"{room}, less than one part of a long video ({PART_BYTES // _MIB} MiB)", remedy)
    return ok("save", f"{path} can be written; {room}")
