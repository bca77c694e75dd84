"""What all elements of nasion have in common: properties from the settings, errors as one line. No element itself."""

import ctypes
import sys
import traceback
from types import MappingProxyType
from typing import Any, Callable, Dict, Mapping, Optional, Tuple, TypeVar, Union

import gi
from nasion_path import WHY_NOT  # type: ignore[import-not-found]

gi.require_version("Gst", "1.0")
gi.require_version("GstBase", "1.0")
gi.require_version("GstVideo", "1.0")
from gi.repository import GLib, GObject, Gst, GstBase  # noqa: E402

if WHY_NOT is None:
    from nasion.elements.properties import property_of, settings_from
    from nasion.errors import NasionError

Gst.init(None)

Result = TypeVar("Result")
Failed = TypeVar("Failed")
#: Property name to the place of its setting, see `nasion.elements.properties`.
Places = Mapping[str, Tuple[str, ...]]

#: Pictures as sources give them and as the network's step and the drawing take them.
PICTURES = "video/x-raw, format=(string){ BGR, BGRx }, width=[ 1, 2147483647 ], height=[ 1, 2147483647 ]"
#: Whatever carries a picture, in whatever memory.
ANY_PICTURES = "video/x-raw(ANY)"

_object = ctypes.CDLL("libgobject-2.0.so.0")
for _function in (_object.g_object_ref, _object.g_object_force_floating, _object.g_object_is_floating):
    _function.argtypes = (ctypes.c_void_p,)
_object.g_object_ref.restype = ctypes.c_void_p


def gproperties(places: Places, **own: Tuple[Any, ...]) -> Dict[str, Tuple[Any, ...]]:
    """`__gproperties__`: the settings at ``places``, and its ``own``: (kind, text, default), `_` for `-`."""
    made = {}
    for name, place in places.items():
        if WHY_NOT is None:
            about = property_of(place)
            limits = () if about.low is None else (about.low, about.high)
            made[name] = (about.kind, name, about.text, *limits, about.default, GObject.ParamFlags.READWRITE)
        else:
            # Whatever is set is taken, so that what is said is what is wrong, and not that there is no such property.
            made[name] = (str, name, WHY_NOT, None, GObject.ParamFlags.READWRITE)
    for name, (kind, text, default) in own.items():
        made[name.replace("_", "-")] = (kind, name, text, default, GObject.ParamFlags.READWRITE)
    return made


def templates(sink: Optional[str], source: Optional[str]) -> Tuple[Any, ...]:
    """`__gsttemplates__` of an element with these caps at its pads `sink` and `src`; None for no such pad."""
    pads = (("sink", Gst.PadDirection.SINK, sink), ("src", Gst.PadDirection.SRC, source))
    return tuple(
        Gst.PadTemplate.new(name, direction, Gst.PadPresence.ALWAYS, Gst.Caps.from_string(caps))
        for name, direction, caps in pads
        if caps is not None
    )


class Common:
    """Mixed into an element: its values, and how it says that something is wrong."""

    #: Property name to the place of its setting.
    places: Places = MappingProxyType({})

    def prepare(self) -> None:
        """To be called by ``__init__``."""
        self.values: Dict[str, Any] = {}
        # PyGObject takes the floating reference that whoever makes an element is to get; GStreamer complains of that,
        # and the element would never be let go.
        if not _object.g_object_is_floating(hash(self)):
            _object.g_object_ref(hash(self))
            _object.g_object_force_floating(hash(self))

    def do_set_property(self, about: Any, value: Any) -> None:
        self.values[about.name] = value

    def do_get_property(self, about: Any) -> Any:
        return self.values.get(about.name, about.default_value)

    def settings(self) -> Any:
        """The settings that the properties make; InputError names the property that is wrong."""
        told = {name: value for name, value in self.values.items() if name in self.places}
        return settings_from(self.factory_name(), self.places, told)

    def factory_name(self) -> str:
        factory = self.get_factory()  # type: ignore[attr-defined]
        return str(factory.get_name()) if factory is not None else type(self).__name__.lower()

    def guarded(self, step: Callable[[], Result], failed: Failed) -> Union[Result, Failed]:
        """What ``step`` gives; where it raises, ``failed``, and the pipeline ends with an error of one line."""
        if WHY_NOT is not None:
            self.say_error(WHY_NOT)
            return failed
        try:
            return step()
        except NasionError as error:
            self.say_error(str(error))
        except Exception as error:
            self.say_error(f"a mistake in the program: {type(error).__name__}: {error}", traceback.format_exc())
        return failed

    def say_error(self, text: str, debug: Optional[str] = None) -> None:
        self._post(Gst.Message.new_error, text, debug)

    def say_warning(self, text: str) -> None:
        self._post(Gst.Message.new_warning, text)

    def say(self, text: str) -> None:
        self._post(Gst.Message.new_info, text)

    def _post(self, kind: Callable[..., Any], text: str, debug: Optional[str] = None) -> None:
        error = GLib.Error.new_literal(Gst.library_error_quark(), text, int(Gst.LibraryError.FAILED))
        # GStreamer prints the third text as "additional debug info", and does not take none.
        more = debug or f"what it takes: gst-inspect-1.0 {self.factory_name()}"
        self.post_message(kind(self, error, more))  # type: ignore[attr-defined]


class Filter(Common, GstBase.BaseTransform):  # type: ignore[misc]
    """An element that looks at every picture and hands it on. Subclasses give `begin`, `handle` and `end`."""

    __gtype_name__ = "NasionFilter"

    #: Whether `handle` changes nothing about the buffer.
    passthrough = True

    def __init__(self) -> None:
        super().__init__()
        self.prepare()
        self.set_in_place(True)
        self.set_passthrough(self.passthrough)

    def begin(self) -> None:
        """The element is started."""

    def agree(self, caps: Any) -> None:
        """Pictures of ``caps`` will come."""

    def handle(self, buffer: Any) -> Any:
        """A picture. What comes back is passed on to GStreamer: None that all is well."""

    def end(self) -> None:
        """The element is stopped."""

    def do_start(self) -> bool:
        return self.guarded(self.begin, False) is None

    def do_set_caps(self, caps: Any, _same: Any) -> bool:
        return self.guarded(lambda: self.agree(caps), False) is None

    def do_stop(self) -> bool:
        return WHY_NOT is not None or self.guarded(self.end, False) is None

    def do_transform_ip(self, buffer: Any) -> Any:
        flow = self.guarded(lambda: self.handle(buffer), Gst.FlowReturn.ERROR)
        return Gst.FlowReturn.OK if flow is None else flow


if WHY_NOT is not None:
    # Also said here: gst-inspect-1.0 starts no element.
    sys.stderr.write(f"nasion: {WHY_NOT}\n")
