"""Whether the platform's Python modules load, and are the right projects."""

from dataclasses import dataclass
from typing import Callable, Optional, Tuple

from nasion.checks.machine import Imported
from nasion.checks.matrix import Numbers, fits, numbers_in, written
from nasion.checks.subject import Subject
from nasion.checks.verdict import Verdict, fail, ok, skipped, warn
from nasion.errors import DependencyError
from nasion.installing import how_to_install

#: The first pyzed that lets other threads run while it waits for the camera.
FREE_PYZED: Numbers = (5, 0, 2)


@dataclass(frozen=True)
class Module:
    """A module and how it is told from another of its name.

    ``attribute``: what only the right project has; ``before``: loaded first, because of libraries both bring along;
    ``remedy``: how it is got; ``why_not``: why a run does not need it, None where it does; ``trial``: an expression
    that fails where it does not fit this NumPy, which not every module notices while it loads.
    """

    name: str
    imported: str
    attribute: str
    before: Tuple[str, ...]
    remedy: str
    why_not: Callable[[Subject], Optional[str]]
    trial: str = ""


_PYDS = "take the DeepStream container, or NVIDIA's wheel for this DeepStream (never `pip install pyds`)"
_PYZED = "run get_python_api.py of the ZED SDK with this Python (never `pip install pyzed`)"

MODULES = (
    Module(
        "gi",
        "gi",
        "require_version",
        (),
        "install it with: sudo apt-get install --no-install-recommends python3-gi python3-gst-1.0",
        lambda _: None,
    ),
    Module(
        "pyds",
        "pyds",
        "gst_buffer_get_nvds_batch_meta",
        ("gi.repository.Gst",),
        _PYDS,
        lambda subject: None if subject.deepstream else "the engine is not deepstream",
        # An array, made by the pybind11 that this pyds was built with: before 2.12 it did not know NumPy 2.
        trial="module.NvDsInferDims().d.sum()",
    ),
    Module(
        "pyzed",
        "pyzed.sl",
        "Camera",
        ("gi.repository.Gst", "pyds"),
        _PYZED,
        lambda subject: None if subject.zed else "no source is a ZED's",
    ),
    Module(
        "onnxruntime",
        "onnxruntime",
        "InferenceSession",
        ("gi.repository.Gst",),
        f"install it with: {how_to_install('cpu')}",
        lambda subject: "TensorRT runs the network" if subject.deepstream else None,
    ),
    Module(
        "openvino",
        "openvino",
        "Core",
        ("gi.repository.Gst",),
        f"install it with: {how_to_install('openvino')}, or take --engine onnxruntime",
        lambda subject: None if subject.choice.name == "openvino" else "the engine is not openvino",
    ),
)


def check(subject: Subject, module: Module) -> Verdict:
    """Load the module, where a run needs it."""
    why_not = module.why_not(subject)
    if why_not is not None:
        return skipped(module.name, why_not)
    found = subject.machine.imported(module.imported, module.attribute, module.before, module.trial)
    verdict = judge_import(module, found)
    if verdict.status == "ok" and module.name == "pyds":
        release = subject.release
        return judge_pyds(found, release.pyds if release else None, subject.machine.numpy())
    if verdict.status == "ok" and module.name == "pyzed":
        return judge_pyzed(found.version)
    return verdict


def judge_import(module: Module, found: Imported) -> Verdict:
    """What came of loading it."""
    code = DependencyError.exit_code
    if found.state == "missing":
        return fail(module.name, "not installed", module.remedy, code)
    if found.state == "other":
        return fail(
            module.name,
            f"the installed package {module.name!r} is another project of that name",
            f"pip uninstall {module.name}, then {module.remedy}",
            code,
        )
    if found.state == "broken":
        why = " ".join(found.detail.split())
        return fail(module.name, f"it is installed but does not load: {why}", module.remedy, code)
    return ok(module.name, found.version or "it loads")


def judge_pyds(found: Imported, wanted: Optional[Numbers], numpy: str) -> Verdict:
    """``wanted``: the one for this DeepStream, whose numbers of metadata are compiled in; None where not known."""
    version = found.version
    numbers = numbers_in(version or "")
    if wanted is not None and numbers and not fits(numbers, [wanted]):
        return fail(
            "pyds", f"{version} is of another DeepStream than {written(wanted)}", _PYDS, DependencyError.exit_code
        )
    if found.misfit:
        why = " ".join(found.misfit.split())
        return warn(
            "pyds",
            f"{version or 'it loads'}, but its arrays do not fit NumPy {numpy} ({why})",
            "nasion reads none of them; for other programs install numpy<2, or build it with pybind11 2.12 or newer",
        )
    return ok("pyds", version or "it loads; its version is not told")


def judge_pyzed(found: Optional[str]) -> Verdict:
    """Older ones hold the interpreter while they wait for the camera."""
    numbers = numbers_in(found or "")
    if numbers and numbers < FREE_PYZED:
        return warn(
            "pyzed",
            f"{found}: before {written(FREE_PYZED)} it holds the interpreter while it waits for the camera and slows "
            "all else down",
            "update the ZED SDK where there is a newer one for this system",
        )
    return ok("pyzed", found or "it loads; its version is not told")
