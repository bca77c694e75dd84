"""Where records wait for their heat maps from nvinfer, by camera and PTS.

nvstreammux makes new buffers, on which no token travels; what it keeps of each frame is the number of its pad and its
PTS. So `nasionlocate` behind nvinfer says which cameras it awaits, and `nasionsrc` leaves the records of those here.
"""

from dataclasses import dataclass
from threading import Lock
from typing import Dict, Optional, Sequence

from nasion.core.ring import FrameRing
from nasion.elements.records import Camera, Record
from nasion.errors import InputError

#: Frames of a camera kept at most: more than the pools of DeepStream's elements hold.
KEPT = 16


@dataclass
class _Place:
    ring: "FrameRing[Record]"
    camera: Optional[Camera] = None


_places: Dict[str, _Place] = {}
_lock = Lock()


def await_cameras(names: Sequence[str]) -> None:
    """From now on records of these cameras are left here. InputError where somebody awaits one of them already."""
    with _lock:
        for name in names:
            if name in _places or list(names).count(name) > 1:
                raise InputError(f"camera {name!r} is awaited twice; give every nasionsrc its own: camera=NAME")
        _places.update({name: _Place(FrameRing(KEPT)) for name in names})


def await_no_more(names: Sequence[str]) -> None:
    """Forget these cameras and what was left of them."""
    with _lock:
        for name in names:
            _places.pop(name, None)


def leave(record: Record, pts: int) -> None:
    """The record of the picture that goes out with this PTS; nothing happens where nobody awaits its camera.

    InputError where another source has the same name.
    """
    camera = record.camera
    assert camera is not None
    with _lock:
        place = _places.get(camera.about.name)
        if place is None:
            return
        if place.camera is not camera:
            if place.camera is not None and not place.camera.ended:
                raise InputError(
                    f"two cameras are called {camera.about.name!r}; give each nasionsrc its own: camera=NAME"
                )
            place.camera, place.ring = camera, FrameRing(KEPT)
    place.ring.put(pts, record)


def meet(name: str, pts: int) -> Optional[Record]:
    """The record of exactly this camera and PTS; it and older ones are forgotten here.

    None where it is not known, and then nothing is forgotten: a PTS that nobody has left says nothing of others.
    """
    with _lock:
        place = _places.get(name)
    if place is None or place.ring.get(pts) is None:
        return None
    return place.ring.take(pts)
