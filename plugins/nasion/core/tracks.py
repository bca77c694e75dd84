"""Tracks: the same number for the same person from frame to frame, and a jump gate for each."""

import math
from dataclasses import dataclass
from typing import Dict, List, NamedTuple, Optional, Sequence, Tuple

from nasion.core.gates import JumpGate, Verdict, seconds_between
from nasion.settings import JumpSettings

Bearing = Tuple[float, float]

#: Two heads side by side are at least this far apart, metres: within it a sighting may be the same person.
_HEAD_M = 0.25
#: The robot itself may turn this fast, rad/s, and every bearing with it.
_TURN_RAD_S = 1.0


@dataclass(frozen=True)
class Sighting:
    """One person of one frame: bearing [azimuth, elevation] and its standard deviation, radians; range and its standard
    deviation, metres, None where the depth gave none.
    """

    bearing_rad: Bearing
    bearing_sigma_rad: float
    range_m: Optional[float]
    range_sigma_m: Optional[float]


class Identity(NamedTuple):
    """The track of a sighting, and whether the sighting's range jumped (never for one without a range)."""

    track_id: int
    jumped: bool


@dataclass
class _Track:
    track_id: int
    bearing_rad: Bearing
    seen_ns: int
    gate: JumpGate


class Tracker:
    """Gives track numbers by nearest neighbour in bearing and, where known, range. One per camera.

    A sighting belongs to a track when its bearing is within a person's reach since the track was last seen
    (``max_speed_m_s``, the robot's own turning, noise). The range decides between tracks but does not exclude one: a
    range that contradicts the track is first a ``jump``; only when it still does after ``expires_s`` it is somebody
    else, with a new number. A track unseen for longer than ``expires_s`` ends. Numbers are never used again.
    """

    def __init__(self, settings: JumpSettings, nearest_m: float) -> None:
        """``nearest_m``: taken for the range of who never had one, because bearings change fastest there."""
        self._settings = settings
        self._nearest_m = nearest_m
        self._tracks: Dict[int, _Track] = {}
        self._next_id = 0

    def tune(self, settings: JumpSettings, nearest_m: float) -> None:
        """Other settings from the next frame on, for the tracks that there are too."""
        self._settings = settings
        self._nearest_m = nearest_m
        for track in self._tracks.values():
            gate = JumpGate(settings)
            gate.reference = track.gate.reference
            track.gate = gate

    def update(self, sightings: Sequence[Sighting], t_ns: int) -> List[Identity]:
        """Identities of one frame's ``sightings``, in their order. Call it for every frame, also with nobody in it."""
        self._tracks = {
            track_id: track
            for track_id, track in self._tracks.items()
            if seconds_between(t_ns, track.seen_ns) <= self._settings.expires_s
        }
        tracks = self._assign(sightings, t_ns)
        return [self._identity(sighting, track, t_ns) for sighting, track in zip(sightings, tracks)]

    def _assign(self, sightings: Sequence[Sighting], t_ns: int) -> List[Optional[_Track]]:
        """The track of each sighting, None for who is new; the closest pairs first."""
        pairs = []
        for index, sighting in enumerate(sightings):
            for track in self._tracks.values():
                distance = self._distance(sighting, track, t_ns)
                if distance is not None:
                    pairs.append((distance, index, track.track_id))
        assigned: List[Optional[_Track]] = [None] * len(sightings)
        free = dict(self._tracks)
        for _, index, track_id in sorted(pairs):
            if assigned[index] is None and track_id in free:
                assigned[index] = free.pop(track_id)
        return assigned

    def _distance(self, sighting: Sighting, track: _Track, t_ns: int) -> Optional[float]:
        """How far apart they are, 0 (the same) to 2; None where the bearing is out of reach."""
        elapsed = seconds_between(t_ns, track.seen_ns)
        reference = track.gate.reference
        ranges = [sighting.range_m] if sighting.range_m is not None else []
        if reference is not None:
            ranges.append(reference.range_m)
        reach = self._settings.max_speed_m_s * elapsed + _HEAD_M
        allowed = (
            reach / min(ranges, default=self._nearest_m)
            + _TURN_RAD_S * elapsed
            + self._settings.sigmas * sighting.bearing_sigma_rad
        )
        angle = angle_between(sighting.bearing_rad, track.bearing_rad)
        if angle > allowed:
            return None
        distance = (angle / allowed) ** 2
        if sighting.range_m is not None and reference is not None:
            since = seconds_between(t_ns, reference.t_ns)
            step = abs(sighting.range_m - reference.range_m) / (self._settings.max_speed_m_s * since + _HEAD_M)
            distance += min(step**2, 1.0)
        return distance

    def _identity(self, sighting: Sighting, track: Optional[_Track], t_ns: int) -> Identity:
        """Let the sighting be the track's newest, or begin a new track."""
        if track is None:
            track = self._begin(sighting, t_ns)
        track.bearing_rad, track.seen_ns = sighting.bearing_rad, t_ns
        if sighting.range_m is None or sighting.range_sigma_m is None:
            return Identity(track.track_id, jumped=False)
        verdict = track.gate.judge(sighting.range_m, sighting.range_sigma_m, t_ns)
        if verdict is Verdict.RESTARTED:
            del self._tracks[track.track_id]
            track = self._begin(sighting, t_ns)
            track.gate.judge(sighting.range_m, sighting.range_sigma_m, t_ns)
        return Identity(track.track_id, jumped=verdict is Verdict.JUMP)

    def _begin(self, sighting: Sighting, t_ns: int) -> _Track:
        track = _Track(self._next_id, sighting.bearing_rad, t_ns, JumpGate(self._settings))
        self._tracks[track.track_id] = track
        self._next_id += 1
        return track


def angle_between(a: Bearing, b: Bearing) -> float:
    """Angle between two bearings [azimuth, elevation], radians (haversine formula, exact for small angles)."""
    azimuth, elevation = a[0] - b[0], a[1] - b[1]
    half = math.sin(elevation / 2) ** 2 + math.cos(a[1]) * math.cos(b[1]) * math.sin(azimuth / 2) ** 2
    return 2 * math.asin(math.sqrt(min(half, 1.0)))
