"""GStreamer as the rest of the pipeline finds it: loaded once, with one clear line where something is missing."""

import ctypes
from contextlib import suppress
from functools import lru_cache
from typing import Any

from nasion.errors import DependencyError, NasionError

_PACKAGES = "python3-gi python3-gst-1.0 gstreamer1.0-plugins-base gstreamer1.0-plugins-good"
_INSTALL = f"install it with: sudo apt-get install --no-install-recommends {_PACKAGES}"


@lru_cache(maxsize=None)
def load_gst() -> Any:
    """The initialised module ``Gst``. DependencyError where GStreamer or its Python bindings are missing."""
    _keep_exceptions_working()
    try:
        import gi

        gi.require_version("Gst", "1.0")
        gi.require_version("GstApp", "1.0")
        # GstApp gives appsrc its methods.
        from gi.repository import Gst, GstApp  # noqa: F401
    except (ImportError, ValueError) as error:
        raise DependencyError(f"GStreamer for Python cannot be loaded ({error}); {_INSTALL}") from None
    Gst.init(None)
    return Gst


def _keep_exceptions_working() -> None:
    """Load the compiler's run-time library for all before GStreamer comes.

    Debian's GStreamer brings libunwind, which defines the same functions; libraries that are loaded later (ONNX
    Runtime) would find those, and their first C++ exception, of a corrupt model say, would end the process.
    """
    with suppress(OSError):
        ctypes.CDLL("libgcc_s.so.1", ctypes.RTLD_GLOBAL)


def has_element(factory: str) -> bool:
    """Whether this GStreamer has the element."""
    return load_gst().ElementFactory.find(factory) is not None


def make_element(factory: str, name: str, **properties: Any) -> Any:
    """A new element with its properties set (``_`` for ``-``). DependencyError where GStreamer has no such element."""
    element = load_gst().ElementFactory.make(factory, name)
    if element is None:
        raise DependencyError(f"GStreamer has no element {factory!r}; {_INSTALL}")
    for key, value in properties.items():
        element.set_property(key.replace("_", "-"), value)
    return element


def at_end(bus: Any, who: str) -> bool:
    """Whether the pipeline of ``bus`` has said that everything is through. NasionError where it reports an error."""
    kinds = load_gst().MessageType
    message = bus.pop_filtered(kinds.EOS | kinds.ERROR)
    if message is None:
        return False
    if message.type == kinds.EOS:
        return True
    element = f"{message.src.get_name()}: " if message.src else ""
    raise NasionError(f"{who}: GStreamer: {element}{_told(message)}")


def _told(message: Any) -> str:
    """What an error says, in one line: an element's author may have put anything into it."""
    try:
        error, detail = message.parse_error()
    except UnicodeDecodeError as undecoded:
        # Python has it as text or not at all; the bytes are all that is left of it.
        return " ".join(undecoded.object.decode("utf-8", "backslashreplace").split())
    text, lines = " ".join(error.message.split()), (detail or "").split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), None)
    return text if last is None else f"{text} ({last})"
