"""From a URI or a path to the source it names."""

from pathlib import Path
from typing import Callable, Dict, NamedTuple, Optional, Tuple

from nasion.errors import InputError, NasionError
from nasion.paths import expanded
from nasion.redaction import hide_password
from nasion.settings import DepthSettings, Mode
from nasion.sources import pairs, rgbd
from nasion.sources.demo.scene import CALIBRATIONS
from nasion.sources.demo.source import DemoSource
from nasion.sources.eyes import EyesSource
from nasion.sources.frame import Clock, Source
from nasion.sources.mcap import McapSource
from nasion.sources.paced import PacedSource
from nasion.sources.pictures import ENDINGS
from nasion.sources.rgbd import RgbdSource
from nasion.sources.sbs import SideBySideSource
from nasion.sources.uri import ENDING_SCHEMES, FORMS, SourceUri, parse_uri
from nasion.sources.zed import options as zed
from nasion.sources.zed.source import ZedSource


class _Needs(NamedTuple):
    """What every kind of source is opened with."""

    depth: DepthSettings
    mode: Optional[Mode]
    clock: Clock
    on_event: Callable[[str], None]


def open_source(
    uri: str,
    *,
    depth: DepthSettings,
    clock: Clock,
    mode: Optional[Mode] = None,
    on_event: Callable[[str], None] = lambda _: None,
) -> Source:
    """Open what ``uri`` names; a plain path is recognised by its content.

    ``mode``: with `live` a recording is played at its own pace; with `every-frame` `demo:` is not paced; None leaves
    each source as it is by nature.

    ``on_event`` gets lines for people, from any thread; where depth is matched here, also of eyes that do not fit (see
    `EyesSource`). Raises InputError, DependencyError, HardwareError: one clear line.
    """
    try:
        source = _opened(uri, _Needs(depth, mode, clock, on_event))
    except NasionError as error:
        raise type(error)(str(error).replace(uri, hide_password(uri))) from None
    if not isinstance(source, (RgbdSource, ZedSource)):
        source = EyesSource(source, on_event)
    return PacedSource(source, clock) if mode == "live" and not source.live else source


def _opened(uri: str, needs: _Needs) -> Source:
    parsed = _parsed(uri)
    scheme = parsed.scheme or _recognised(parsed)
    open_kind, options = _KINDS[scheme]
    parsed.require_options(options)
    return open_kind(parsed, needs)


def _parsed(uri: str) -> SourceUri:
    # A path that is there is that path, whatever colons and question marks are in it.
    if uri and Path(uri).exists():
        return SourceUri(uri, None, uri, {})
    return parse_uri(uri)


def _recognised(parsed: SourceUri) -> str:
    """The scheme that a plain path should have had."""
    path = _path(parsed)
    if path.is_dir():
        stems = [entry.stem for entry in path.iterdir()]
        if any((rgbd.split_name(stem) or ("", ""))[1] == "depth" for stem in stems):
            return "rgbd"
        if any(pairs.split_name(stem) for stem in stems):
            return "pairs"
        raise InputError(
            f"{path} is a folder without frames; expected 000_left.jpg and 000_right.jpg, "
            "left_00.png and right_00.png, or 000000_left.png and 000000_depth.npy"
        )
    if not path.exists():
        raise InputError(f"{path} does not exist; expected a file, a folder, or {', '.join(FORMS.values())}")
    ending = path.suffix.lower()
    if ending in ENDINGS:
        raise InputError(f"{path} is a still picture; find the person in it with: nasion locate {path}")
    return ENDING_SCHEMES.get(ending, "sbs")


def _path(parsed: SourceUri) -> Path:
    if not parsed.target:
        raise InputError(f"{parsed.text} names no file; expected {FORMS.get(parsed.scheme or '', 'a path')}")
    return expanded(parsed.target)


def _demo(parsed: SourceUri, needs: _Needs) -> Source:
    if parsed.target:
        raise InputError(
            f"{parsed.text}: the demo takes no path, only options; did you mean demo:?size={parsed.target}?"
        )
    height = parsed.choice("size", CALIBRATIONS, default=min(CALIBRATIONS))
    loop = parsed.flag("loop")
    return DemoSource(
        parsed.text,
        height,
        needs.depth,
        needs.clock,
        paced=needs.mode != "every-frame",
        frames=parsed.count("frames"),
        loop=loop is not False,
    )


def _pairs(parsed: SourceUri, needs: _Needs) -> Source:
    return pairs.PairsSource(parsed.text, _path(parsed), needs.depth, needs.clock)


def _rgbd(parsed: SourceUri, needs: _Needs) -> Source:
    return RgbdSource(
        parsed.text,
        _path(parsed),
        needs.depth,
        needs.clock,
        depth_scale=parsed.number("depth_scale", 1.0, 100_000.0),
        on_event=needs.on_event,
    )


def _sbs(parsed: SourceUri, needs: _Needs) -> Source:
    calibration = parsed.options.get("calibration")
    return SideBySideSource(
        parsed.text,
        _path(parsed),
        needs.depth,
        needs.clock,
        rectified=parsed.flag("rectified"),
        calibration=None if calibration is None else expanded(calibration),
    )


def _mcap(parsed: SourceUri, needs: _Needs) -> Source:
    return McapSource(parsed.text, _path(parsed), needs.depth, needs.clock, parsed.options.get("camera"))


def _zed(parsed: SourceUri, needs: _Needs) -> Source:
    return ZedSource(zed.camera_request(parsed), needs.depth, needs.clock, needs.on_event)


def _svo(parsed: SourceUri, needs: _Needs) -> Source:
    return ZedSource(zed.svo_request(parsed, _path(parsed)), needs.depth, needs.clock, needs.on_event)


def _zed_stream(parsed: SourceUri, needs: _Needs) -> Source:
    return ZedSource(zed.stream_request(parsed), needs.depth, needs.clock, needs.on_event)


_KINDS: Dict[str, Tuple[Callable[[SourceUri, _Needs], Source], Tuple[str, ...]]] = {
    "demo": (_demo, ("size", "frames", "loop")),
    "pairs": (_pairs, ()),
    "rgbd": (_rgbd, ("depth_scale",)),
    "sbs": (_sbs, ("rectified", "calibration")),
    "mcap": (_mcap, ("camera",)),
    "zed": (_zed, zed.CAMERA_OPTIONS),
    "svo": (_svo, zed.SVO_OPTIONS),
    "zed-stream": (_zed_stream, zed.STREAM_OPTIONS),
}
