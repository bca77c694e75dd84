"""The platform's versions, judged by the table in `matrix`."""

from typing import Callable, Optional

from nasion.checks.matrix import (
    L4T_FILE,
    OLDEST_GSTREAMER,
    OLDEST_PYTHON,
    RELEASES,
    Numbers,
    Release,
    any_of,
    fits,
    numbers_in,
    written,
)
from nasion.checks.subject import DEEPSTREAM_FILE, Choice, Subject
from nasion.checks.verdict import Verdict, fail, ok, refused, skipped, warn
from nasion.errors import DependencyError
from nasion.tensorrt.versions import check_known

#: The ZED SDK says here which it is: set(PACKAGE_VERSION "5.0.1").
ZED_FILE = "/usr/local/zed/zed-config-version.cmake"
#: The oldest ZED SDK that is known to give all that is asked of it.
OLDEST_ZED: Numbers = (4, 0)

_NO_DEEPSTREAM = "the engine is not deepstream"
_NO_GPU = "neither deepstream nor the ZED SDK is used"


def engine(subject: Subject) -> Verdict:
    """Which engine a run would take."""
    return judge_engine(subject.choice, jetson=subject.l4t is not None, wanted=subject.settings.engine)


def judge_engine(choice: Choice, *, jetson: bool, wanted: str) -> Verdict:
    """On a Jetson nobody wants the CPU to run the network, unless it is said."""
    if choice.error is not None:
        return refused("engine", choice.error)
    if jetson and wanted == "auto" and choice.name == "onnxruntime":
        return warn("engine", choice.why, "take the container of this JetPack, or say --engine onnxruntime")
    return ok("engine", choice.why or f"{choice.name}, as asked for")


def l4t(subject: Subject) -> Verdict:
    """The Jetson's system."""
    return judge_l4t(
        subject.l4t, subject.release, architecture=subject.machine.architecture(), deepstream=subject.deepstream
    )


def judge_l4t(found: Optional[Numbers], release: Optional[Release], *, architecture: str, deepstream: bool) -> Verdict:
    """``found``: None where nothing says which L4T it is."""
    if found is None and deepstream and architecture == "aarch64":
        return warn(
            "L4T",
            f"{L4T_FILE} does not say which",
            f"in a container add: -v {L4T_FILE}:{L4T_FILE}:ro",
        )
    if found is None:
        return skipped("L4T", f"no Jetson: {L4T_FILE} is not there")
    if release is None:
        known = ", ".join(written(one) for row in RELEASES for one in row.l4t)
        return warn("L4T", f"{written(found)} is not in the table", f"take one of {known}, or see for yourself")
    what = f"{written(found)}, {release.jetpack} ({release.modules})"
    if fits(found, release.reported):
        return warn("L4T", f"{what}: reported to work, not established", f"L4T {any_of(release.l4t)} is established")
    return ok("L4T", what)


def python(subject: Subject) -> Verdict:
    """The interpreter."""
    found = subject.machine.python()
    if found < OLDEST_PYTHON:
        return _too_old("Python", found, OLDEST_PYTHON, "install a newer release of the distribution")
    release = subject.release if subject.deepstream else None
    return judge_version("Python", found, release, lambda row: row.python)


def gstreamer(subject: Subject) -> Verdict:
    """GStreamer's library."""
    found = subject.machine.gstreamer()
    if found < OLDEST_GSTREAMER:
        return _too_old("GStreamer", found, OLDEST_GSTREAMER, "install a newer release of the distribution")
    release = subject.release if subject.deepstream else None
    return judge_version("GStreamer", found, release, lambda row: row.gstreamer)


def gpu(subject: Subject) -> Verdict:
    """The GPU, as engine folders name it."""
    if not (subject.deepstream or subject.zed):
        return skipped("GPU", _NO_GPU)
    return ok("GPU", subject.machine.gpu(0))


def cuda(subject: Subject) -> Verdict:
    """The CUDA of the driver."""
    if not (subject.deepstream or subject.zed):
        return skipped("CUDA", _NO_GPU)
    release = subject.release
    return judge_version("CUDA", subject.machine.cuda(), release, lambda row: row.cuda)


def tensorrt(subject: Subject) -> Verdict:
    """TensorRT's library."""
    if not subject.deepstream:
        return skipped("TensorRT", _NO_DEEPSTREAM)
    found = subject.machine.tensorrt()
    check_known(found)
    release = subject.release
    return judge_version("TensorRT", tuple(found), release, lambda row: row.tensorrt)


def deepstream(subject: Subject) -> Verdict:
    """DeepStream itself; it must be the one of the Jetson's system, whose drivers it uses."""
    if not subject.deepstream:
        return skipped("DeepStream", _NO_DEEPSTREAM)
    return judge_deepstream(subject.deepstream_version, subject.release)


def judge_deepstream(found: Numbers, release: Optional[Release]) -> Verdict:
    """``found``: () where there is none."""
    code = DependencyError.exit_code
    if not found:
        return fail(
            "DeepStream", f"not installed: {DEEPSTREAM_FILE} is not there", "take the container of this JetPack", code
        )
    if release is None:
        if any(fits(found, row.deepstream) for row in RELEASES):
            return ok("DeepStream", written(found))
        known = ", ".join(any_of(row.deepstream) for row in RELEASES)
        return warn("DeepStream", f"{written(found)} is not in the table", f"known are {known}")
    if fits(found, release.deepstream):
        return ok("DeepStream", written(found))
    wanted = any_of(release.deepstream)
    return fail(
        "DeepStream",
        f"{written(found)}, but {release.jetpack} goes with {wanted}",
        f"take the container with DeepStream {wanted}, or install the JetPack that goes with this one",
        code,
    )


def zed_sdk(subject: Subject) -> Verdict:
    """Stereolabs' SDK."""
    if not subject.zed:
        return skipped("ZED SDK", "no source is a ZED's")
    return judge_zed(subject.machine.text(ZED_FILE))


def judge_zed(text: Optional[str]) -> Verdict:
    """``text``: the content of `ZED_FILE`, None where it is not there."""
    found = numbers_in(text or "")
    if not found:
        return warn("ZED SDK", f"{ZED_FILE} does not say which", "where pyzed does not load either, install the SDK")
    if found < OLDEST_ZED:
        return warn("ZED SDK", f"{written(found)} is older than {written(OLDEST_ZED)}", "install a newer ZED SDK")
    return ok("ZED SDK", written(found))


def judge_version(
    name: str, found: Numbers, release: Optional[Release], column: Callable[[Release], Numbers]
) -> Verdict:
    """``release`` None: there is nothing to compare with, which is right on other machines than a Jetson."""
    if release is None or fits(found, [column(release)]):
        return ok(name, written(found))
    return warn(
        name,
        f"{written(found)}, but {release.jetpack} comes with {written(column(release))}",
        f"take the container of {release.jetpack}",
    )


def _too_old(name: str, found: Numbers, oldest: Numbers, remedy: str) -> Verdict:
    return fail(name, f"{written(found)} is older than {written(oldest)}", remedy, DependencyError.exit_code)
