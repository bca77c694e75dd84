"""Topic `person`: who is where, in one processed frame."""

from typing import Any, ClassVar, Dict, FrozenSet, List, Optional

from pydantic import ConfigDict, Field, model_validator
from typing_extensions import Self

from nasion.core.results import FrameReason, PersonReason
from nasion.messages.base import (
    BOOT_ID,
    ON_MONOTONIC_CLOCK,
    Count,
    Finite,
    Message,
    Nanoseconds,
    Nine,
    Pair,
    Said,
    Triple,
)

_POSITION = ("depth_m", "range_m", "position_m", "covariance_m2")


def _either(value: Dict[str, Any], reason: Dict[str, Any]) -> Dict[str, Any]:
    """JSON Schema: an object looks like one or the other."""
    return {"oneOf": [{"properties": value}, {"properties": reason}]}


_NULL, _NOT_NULL = {"type": "null"}, {"not": {"type": "null"}}


class DepthSeen(Message):
    """What the depth patch held, kept also where it was refused."""

    value: Optional[Finite] = Field(description="Depth z in metres; null where the patch gave none.")
    count: Count = Field(description="Depth values that were finite and within the limits.")
    of: Count = Field(description="Depth values looked at.")
    spread: Optional[Finite] = Field(description="Median absolute deviation in metres.")


class PersonEntry(Message):
    """One person of a frame."""

    model_config = ConfigDict(
        json_schema_extra=_either(
            {"valid": {"const": True}, "reason": _NULL, **dict.fromkeys(_POSITION, _NOT_NULL)},
            {"valid": {"const": False}, "reason": _NOT_NULL, **dict.fromkeys(_POSITION, _NULL)},
        )
    )

    track_id: Count = Field(description="The same number for the same person while in view.")
    probability: Finite = Field(ge=0, le=1, description="Height of the heat map's peak.")
    pixel: Pair = Field(description="[u, v] of the point between the eyes, full-resolution left picture.")
    bearing_rad: Pair = Field(description="[azimuth, elevation]: positive to the right and up, camera frame.")
    valid: bool = Field(description="Whether there is a position.")
    reason: Optional[PersonReason] = Field(description="Why there is none; null where valid.")
    depth_m: Optional[Finite] = Field(description="Depth z along the optical axis.")
    range_m: Optional[Finite] = Field(description="Straight-line distance from the camera.")
    position_m: Optional[Triple] = Field(description="[x, y, z] in the frame `frame_id`.")
    covariance_m2: Optional[Nine] = Field(description="3 x 3 covariance of position_m, row-major, m².")
    depth: DepthSeen

    @model_validator(mode="after")
    def _value_or_reason(self) -> Self:
        present = [getattr(self, name) is not None for name in _POSITION]
        if self.valid != all(present) or self.valid != any(present) or self.valid != (self.reason is None):
            raise ValueError("a person has either depth, range, position and covariance, or a reason")
        return self


class PersonMessage(Said):
    """One for each processed frame, also when nobody is there. Not retained.

    A receiver refuses it when it is older than `max_age_ms`: by `monotonic_ns` on the host whose `boot_id` it carries,
    elsewhere by `captured_ns`, which needs clocks kept by NTP or PTP.
    """

    model_config = ConfigDict(
        json_schema_extra=_either(
            {"persons": {"minItems": 1}, "reason": _NULL},
            {"persons": {"maxItems": 0}, "reason": _NOT_NULL},
        )
    )
    left_out_when_none: ClassVar[FrozenSet[str]] = frozenset({"monotonic_ns", "boot_id", "recorded_ns"})

    seq: Count = Field(description="Counts the processed frames of a camera; a gap is a lost message.")
    frame_id: str = Field(description="Coordinate frame of position_m.")
    captured_at: Finite = Field(description="When the picture was taken, seconds since 1970, UTC.")
    captured_ns: Nanoseconds = Field(description="The same in nanoseconds, as a decimal string.")
    monotonic_ns: Optional[Nanoseconds] = Field(default=None, description=ON_MONOTONIC_CLOCK)
    boot_id: Optional[str] = Field(default=None, description=BOOT_ID)
    recorded_ns: Optional[Nanoseconds] = Field(default=None, description="The recording's own time of the frame.")
    published_at: Finite = Field(description="When the message was handed to the broker's client.")
    max_age_ms: Finite = Field(gt=0, description="A receiver refuses the message when it is older than this.")
    persons: List[PersonEntry] = Field(description="Strongest first; empty where nobody is there.")
    reason: Optional[FrameReason] = Field(description="Why nobody is listed; null when somebody is.")
    latency_ms: Dict[str, Finite] = Field(description="Time spent in each stage, and `total` since capture.")

    @model_validator(mode="after")
    def _someone_or_reason(self) -> Self:
        if bool(self.persons) == (self.reason is not None):
            raise ValueError("a frame lists persons, or gives a reason")
        return self

    @model_validator(mode="after")
    def _stamp_with_its_boot(self) -> Self:
        if (self.monotonic_ns is None) != (self.boot_id is None):
            raise ValueError("monotonic_ns and boot_id stand together or not at all")
        return self

    def stamped(self, monotonic_ns: int, boot_id: Optional[str]) -> Self:
        """The same message with the monotonic stamp of its capture; itself where the boot has no id."""
        if boot_id is None:
            return self
        return self.model_copy(update={"monotonic_ns": str(monotonic_ns), "boot_id": boot_id})
