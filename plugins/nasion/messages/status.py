"""Topic `status`: whether anybody publishes, and how the source fares."""

from pydantic import Field
from typing_extensions import Literal

from nasion.messages.base import Finite, Said

ProcessState = Literal["online", "stopped", "offline"]
SourceState = Literal["ok", "reconnecting", "lost"]


class StatusMessage(Said):
    """Retained. The broker itself says `offline` (last will) when the publisher dies."""

    process: ProcessState = Field(description="`online`; `stopped` in order; `offline`: the broker lost the publisher.")
    source: SourceState = Field(description="How the camera fares, beside the process.")
    duplicate: bool = Field(
        default=False,
        description="Whether another program publishes under this camera's name: `person` then comes from both, and "
        "`status` is of the one that spoke last.",
    )
    at: Finite = Field(description="When this was said, seconds since 1970, UTC; of `offline`, when the session began.")
