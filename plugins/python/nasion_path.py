"""Finds the package nasion for the Python that GStreamer has loaded. No element; the elements import it first.

What this Python finds by itself is taken: in a container where all is in one Python, in an application of `.venv`,
with PYTHONPATH. Otherwise, as under gst-launch-1.0, the package is that of the repository that this file stands in, and
what it needs is in `.venv`, which must be of the same Python: scripts/setup makes it of the distribution's, which is
GStreamer's too.
"""

import importlib
import importlib.util
import site
import sys
from pathlib import Path
from typing import Optional

_REPOSITORY = Path(__file__).resolve().parents[2]
_PYTHON = f"{sys.version_info[0]}.{sys.version_info[1]}"
#: The package itself, and what it cannot be imported without.
_NEEDED = ("nasion", "numpy", "cv2", "pydantic", "paho", "yaml")


def find() -> Optional[str]:
    """Make nasion importable; None, or in one line why that cannot be done."""
    if any(importlib.util.find_spec(name) is None for name in _NEEDED):
        _use_repository()
    try:
        importlib.import_module("nasion.settings")
        importlib.import_module("nasion.elements.records")
    except ImportError as error:
        setup = _REPOSITORY / "scripts" / "setup"
        return f"nasion cannot be loaded into GStreamer's Python {_PYTHON} ({error}); run {setup}"
    return None


def _use_repository() -> None:
    """Before all else in the search path, so that packages of the distribution do not mix with those of .venv."""
    before = list(sys.path)
    site.addsitedir(str(_REPOSITORY / ".venv" / "lib" / f"python{_PYTHON}" / "site-packages"))
    added = [entry for entry in sys.path if entry not in before]
    sys.path[:] = [str(_REPOSITORY / "plugins"), *added, *before]
    importlib.invalidate_caches()


#: Why nasion is not there; None where it is.
WHY_NOT = find()
