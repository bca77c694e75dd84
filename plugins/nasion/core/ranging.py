"""Keypoints and depth of one frame to persons: bearing always, position or the reason why there is none."""

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Optional, Tuple

from typing_extensions import Protocol, runtime_checkable

from nasion.core.calibration import Calibration
from nasion.core.depth import reduce_patch
from nasion.core.position import Mount, bearing, bearing_sigma, position, range_sigma
from nasion.core.results import DepthReading, Keypoint, Located, Person, PersonReason, Position
from nasion.core.tracks import Identity, Sighting, Tracker
from nasion.settings import DepthSettings, JumpSettings, MountSettings

if TYPE_CHECKING:
    from nasion.sources.frame import DepthAccessor


@runtime_checkable
class Doubting(Protocol):
    """What a DepthAccessor has besides, that can tell two kinds of unknown."""

    def ambiguous(self, u: float, v: float) -> bool:
        """Whether the depth around pixel (u, v) is unknown because several depths fit alike."""


@runtime_checkable
class Refusing(Protocol):
    """What a DepthAccessor has besides, whose depth may be none at all of this picture."""

    def refused(self) -> Optional[PersonReason]:
        """Why no distance may come of it; None where one may."""


def _nothing(reason: PersonReason) -> DepthReading:
    """Where no depth is looked at."""
    return DepthReading(value=None, reason=reason, count=0, of=0, spread=None)


class _Look(NamedTuple):
    """What one keypoint gives before it is compared with earlier frames."""

    keypoint: Keypoint
    bearing_rad: Tuple[float, float]
    depth: DepthReading
    #: In the optical frame; None where the depth gave none.
    position: Optional[Position]


class Ranger:
    """The persons of one camera, frame after frame; holds their tracks."""

    def __init__(
        self,
        calibration: Calibration,
        depth: DepthSettings,
        jump: JumpSettings,
        mount: Optional[MountSettings] = None,
    ) -> None:
        self._calibration = calibration
        self._depth = depth
        self._mount = Mount(mount) if mount else None
        self._tracker = Tracker(jump, nearest_m=depth.near_m)

    def tune(self, depth: DepthSettings, jump: JumpSettings) -> None:
        """Other limits and another gate from the next frame on; persons keep their numbers and last ranges."""
        self._depth = depth
        self._tracker.tune(jump, nearest_m=depth.near_m)

    def range(self, located: Located, depth: "Optional[DepthAccessor]", t_ns: int) -> Tuple[Person, ...]:
        """Persons of one frame, in the order of ``located.keypoints``.

        ``depth`` is that of the very same grab; None, where it is not known any more, gives ``unpaired``, and depth
        that is refused its reason. ``t_ns`` is when the picture was taken, on one clock for all frames (a recording's
        own time where it has one). Call it for every frame that was searched, also when nobody was found: that is how
        tracks end.
        """
        looks = [self._look(keypoint, depth) for keypoint in located.keypoints]
        identities = self._tracker.update([self._sighting(look) for look in looks], t_ns)
        return tuple(self._person(look, identity) for look, identity in zip(looks, identities))

    def _look(self, keypoint: Keypoint, depth: "Optional[DepthAccessor]") -> _Look:
        refused = depth.refused() if isinstance(depth, Refusing) else None
        if depth is None or refused is not None:
            reading = _nothing(refused or PersonReason.UNPAIRED)
        else:
            reading = self._reading(keypoint, depth)
        place = None
        if reading.value is not None:
            spread = reading.spread or 0.0
            place = position(self._calibration, keypoint, reading.value, spread, self._depth.sigma_disparity_px)
        return _Look(keypoint, bearing(self._calibration.left, keypoint.u, keypoint.v), reading, place)

    def _reading(self, keypoint: Keypoint, depth: "DepthAccessor") -> DepthReading:
        reading = reduce_patch(depth.patch(keypoint.u, keypoint.v, self._depth.patch_px), self._depth)
        # In this order: most readings are values, and to doubt costs another search.
        unknown = reading.reason is PersonReason.NO_DEPTH
        if unknown and isinstance(depth, Doubting) and depth.ambiguous(keypoint.u, keypoint.v):
            return replace(reading, reason=PersonReason.AMBIGUOUS)
        return reading

    def _sighting(self, look: _Look) -> Sighting:
        return Sighting(
            bearing_rad=look.bearing_rad,
            bearing_sigma_rad=bearing_sigma(self._calibration.left, look.keypoint),
            range_m=look.position.range_m if look.position else None,
            range_sigma_m=range_sigma(look.position) if look.position else None,
        )

    def _person(self, look: _Look, identity: Identity) -> Person:
        person = Person(
            track_id=identity.track_id,
            keypoint=look.keypoint,
            bearing_rad=look.bearing_rad,
            depth=look.depth,
            position=None,
            reason=look.depth.reason,
        )
        if look.position is None:
            return person
        if identity.jumped:
            return replace(person, reason=PersonReason.JUMP)
        return replace(person, position=self._mount.to_body(look.position) if self._mount else look.position)
