"""Results to the `person` message: a plain mapping, every number as it was computed."""

from typing import Mapping, Optional, Sequence

from nasion.core.results import Located, Person
from nasion.messages import DepthSeen, PersonEntry, PersonMessage


def person_message(
    located: Located,
    persons: Sequence[Person],
    *,
    session: str,
    seq: int,
    camera: str,
    frame_id: str,
    captured_ns: int,
    recorded_ns: Optional[int],
    published_at_ns: int,
    max_age_ms: float,
    latency_ms: Mapping[str, float],
) -> PersonMessage:
    """The message of one processed frame.

    ``persons`` are those of ``located``, in its order; without any, ``located.reason`` says why (also where there was
    no heat map: ``Located((), reason, None)``). Times are UTC nanoseconds. ValueError: persons that are not those of
    ``located``, or a number that is not finite.
    """
    if len(persons) != len(located.keypoints):
        raise ValueError(f"{len(located.keypoints)} keypoints were located, but {len(persons)} persons are given")
    return PersonMessage(
        session=session,
        seq=seq,
        camera=camera,
        frame_id=frame_id,
        captured_at=captured_ns / 1e9,
        captured_ns=str(captured_ns),
        recorded_ns=None if recorded_ns is None else str(recorded_ns),
        published_at=published_at_ns / 1e9,
        max_age_ms=max_age_ms,
        persons=[_entry(person) for person in persons],
        reason=located.reason,
        latency_ms=dict(latency_ms),
    )


def _entry(person: Person) -> PersonEntry:
    position, keypoint = person.position, person.keypoint
    return PersonEntry(
        track_id=person.track_id,
        probability=keypoint.probability,
        pixel=[keypoint.u, keypoint.v],
        bearing_rad=list(person.bearing_rad),
        valid=position is not None,
        reason=person.reason,
        depth_m=position.depth_m if position else None,
        range_m=position.range_m if position else None,
        position_m=list(position.xyz) if position else None,
        covariance_m2=list(position.covariance) if position else None,
        depth=DepthSeen(
            value=person.depth.value, count=person.depth.count, of=person.depth.of, spread=person.depth.spread
        ),
    )
