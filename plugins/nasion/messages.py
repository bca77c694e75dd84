"""What goes over MQTT, defined once; JSON Schema is generated from these classes.

A message is strict JSON: NaN and infinities are refused, unknown fields too. Times are UTC; `captured_ns` is a decimal
string because JSON readers keep only 53 bits of a number.
"""

from typing import Dict, List, Optional

from pydantic import BaseModel, ConfigDict, Field, model_validator
from typing_extensions import Annotated, Literal, Self

from nasion.core.results import FrameReason, PersonReason

#: Version of the payloads; rises when a receiver could misread a message.
SCHEMA_VERSION = 1

Finite = Annotated[float, Field(allow_inf_nan=False)]
Nanoseconds = Annotated[str, Field(pattern=r"^-?[0-9]{1,19}$", description="Nanoseconds, as a decimal string.")]
Pair = Annotated[List[Finite], Field(min_length=2, max_length=2)]
Triple = Annotated[List[Finite], Field(min_length=3, max_length=3)]
Nine = Annotated[List[Finite], Field(min_length=9, max_length=9)]


class Message(BaseModel):
    """Common rules of every payload."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    def to_json(self) -> str:
        """Compact strict JSON."""
        return self.model_dump_json()


class DepthSeen(Message):
    """What the depth patch held, kept also where it was refused."""

    value: Optional[Finite] = Field(description="Depth z in metres; null where the patch gave none.")
    count: int = Field(ge=0, description="Depth values that were finite and within the limits.")
    of: int = Field(ge=0, description="Depth values looked at.")
    spread: Optional[Finite] = Field(description="Median absolute deviation in metres.")


class PersonEntry(Message):
    """One person of a frame."""

    track_id: int = Field(ge=0, description="The same number for the same person while in view.")
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
        values = (self.depth_m, self.range_m, self.position_m, self.covariance_m2)
        present = [value is not None for value in values]
        if self.valid != all(present) or self.valid != any(present) or self.valid != (self.reason is None):
            raise ValueError("a person has either depth, range, position and covariance, or a reason")
        return self


class PersonMessage(Message):
    """Topic `person`: one for each processed frame, also when nobody is there."""

    schema_version: int = Field(default=SCHEMA_VERSION, alias="schema", description="Version of this payload.")
    session: str = Field(description="Changes with every start of the publisher.")
    seq: int = Field(ge=0, description="Counts the processed frames of a camera; a gap is a lost message.")
    camera: str
    frame_id: str = Field(description="Coordinate frame of position_m.")
    captured_at: Finite = Field(description="When the picture was taken, seconds since 1970, UTC.")
    captured_ns: Nanoseconds
    recorded_ns: Optional[Nanoseconds] = Field(default=None, description="The recording's own time of the frame.")
    published_at: Finite = Field(description="When the message was handed to the broker's client.")
    max_age_ms: Finite = Field(gt=0, description="A receiver refuses the message when it is older than this.")
    persons: List[PersonEntry]
    reason: Optional[FrameReason] = Field(description="Why nobody is listed; null when somebody is.")
    latency_ms: Dict[str, Finite] = Field(description="Time spent in each stage, and `total` since capture.")

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    def to_json(self) -> str:
        """Compact strict JSON; `recorded_ns` only where there is one."""
        left_out = {"recorded_ns"} if self.recorded_ns is None else None
        return self.model_dump_json(by_alias=True, exclude=left_out)

    @model_validator(mode="after")
    def _someone_or_reason(self) -> Self:
        if bool(self.persons) == (self.reason is not None):
            raise ValueError("a frame lists persons, or gives a reason")
        return self


class StatusMessage(Message):
    """Topic `status`, retained; the broker itself says `offline` (last will) when the publisher dies."""

    schema_version: int = Field(default=SCHEMA_VERSION, alias="schema")
    session: str
    camera: str
    process: Literal["online", "stopped", "offline"]
    source: Literal["ok", "reconnecting", "lost"]
    at: Finite = Field(description="When this was said, seconds since 1970, UTC; of `offline`, when the session began.")

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    def to_json(self) -> str:
        """Compact strict JSON."""
        return self.model_dump_json(by_alias=True)
