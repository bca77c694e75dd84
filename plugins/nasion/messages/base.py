"""What every message shares: strict JSON, nothing unknown, who says it and when."""

from typing import ClassVar, FrozenSet, List, Optional

from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import Annotated

#: Version of the payloads; rises when a receiver could misread a message.
SCHEMA_VERSION = 1

Finite = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]
Nanoseconds = Annotated[str, Field(pattern=r"^-?[0-9]{1,19}$", description="Nanoseconds, as a decimal string.")]
Pair = Annotated[List[Finite], Field(min_length=2, max_length=2)]
Triple = Annotated[List[Finite], Field(min_length=3, max_length=3)]
Nine = Annotated[List[Finite], Field(min_length=9, max_length=9)]

ON_MONOTONIC_CLOCK = (
    "The same instant on the publisher's monotonic clock; means something only where `boot_id` is the same."
)
BOOT_ID = "Changes with every boot of the publishing host."


class Message(BaseModel):
    """Common rules of every payload and of its parts."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, populate_by_name=True)

    #: Fields that are left out of the JSON where they are None; every other key is always there.
    left_out_when_none: ClassVar[FrozenSet[str]] = frozenset()

    def to_json(self) -> str:
        """Compact strict JSON."""
        left_out = {name for name in self.left_out_when_none if getattr(self, name) is None}
        return self.model_dump_json(by_alias=True, exclude=left_out or None)


class Said(Message):
    """The head of every JSON payload that a publisher sends."""

    schema_version: int = Field(
        default=SCHEMA_VERSION,
        alias="schema",
        description="Version of this payload.",
        json_schema_extra={"const": SCHEMA_VERSION},
    )
    session: str = Field(description="Changes with every start of the publisher.")
    camera: str = Field(description="The camera's name, as in the topic.")


class Stamped(Said):
    """A head with the instant it was said, on both clocks."""

    left_out_when_none: ClassVar[FrozenSet[str]] = frozenset({"monotonic_ns", "boot_id"})

    at: Finite = Field(description="When this was said, seconds since 1970, UTC.")
    monotonic_ns: Optional[Nanoseconds] = Field(default=None, description=ON_MONOTONIC_CLOCK)
    boot_id: Optional[str] = Field(default=None, description=BOOT_ID)
