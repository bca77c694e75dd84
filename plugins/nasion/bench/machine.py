"""The machine that the figures are from."""

import os
import platform
import subprocess
from importlib import metadata
from pathlib import Path
from typing import Any, Dict, List, Optional

import cv2
import numpy as np

import nasion
from nasion.engine.precision import cpu_flags
from nasion.pipeline.gst import load_gst

#: Where the processor's name stands in /proc/cpuinfo; ARM's kernels give only numbers.
_NAMES = ("model name", "Model", "Hardware", "CPU part")
#: More work than this waiting for each core, and figures are rough.
_BUSY_PER_CORE = 0.5


def machine_facts(cpuinfo: str) -> Dict[str, Any]:
    """Processor, cores, system and versions; ``cpuinfo`` is the text of /proc/cpuinfo."""
    return {
        "processor": processor_name(cpuinfo) or platform.machine(),
        "architecture": platform.machine(),
        "flags": sorted(cpu_flags(cpuinfo)),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / (1 << 30), 1),
        "kernel": platform.release(),
        "load": load(),
        "versions": {
            "nasion": nasion.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "opencv": cv2.__version__,
            "gstreamer": load_gst().version_string().replace("GStreamer ", ""),
            "onnxruntime": _version("onnxruntime"),
        },
        "revision": revision(Path(nasion.__file__).parents[2]),
    }


def processor_name(cpuinfo: str) -> Optional[str]:
    """What the processor is called; None where /proc/cpuinfo does not say."""
    said: Dict[str, str] = {}
    for line in cpuinfo.splitlines():
        key, _, value = line.partition(":")
        said.setdefault(key.strip(), value.strip())
    return next((said[name] for name in _NAMES if said.get(name)), None)


def load() -> float:
    """How many programs want a core, in the last minute's mean."""
    return round(os.getloadavg()[0], 2)


def busy(facts: Dict[str, Any]) -> Optional[str]:
    """A warning where other programs use this machine; None where they do not."""
    if facts["load"] <= _BUSY_PER_CORE * facts["usable_cores"]:
        return None
    return (
        f"this machine is busy (load {facts['load']} on {facts['usable_cores']} cores): times are rough, "
        "ratios hold better"
    )


def revision(root: Path) -> Optional[str]:
    """git's name of what is measured, `-dirty` where files differ from it; None where it is no checkout."""
    command: List[str] = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        said = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return said.stdout.strip() or None


def _version(package: str) -> Optional[str]:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
