"""Topic `stats`: once a second, what came of the frames and where their time went."""

from typing import Dict, List, Optional

from pydantic import Field

from nasion.core.results import EyesFault, EyesFit
from nasion.messages.base import Count, Finite, Message, Stamped
from nasion.messages.status import SourceState

#: The stages of `times_ms`, in a frame's order; what a `person` message knows of them stands in its `latency_ms`.
TIMES = {
    "receive": "from the capture until the frame was handed on",
    "wait": "in queues",
    "preprocess": "crop, scale, convert",
    "network": "from picture to heat map",
    "locate": "from heat map to keypoints",
    "range": "from keypoints and depth to positions",
    "publish": "message, callback, annotated video; only in `stats`, because the message is then under way",
    "total": "all of it, since the capture",
}

#: The ages of `ages_ms`.
AGES = {
    "sent": "of a picture when its message was handed to the broker's connection",
    "acknowledged": "of a picture when the broker had taken its message (with QoS 0: when it was written)",
}


class Spread(Message):
    """How something was spread over the time that a `stats` message is about."""

    count: int = Field(ge=1, description="Values.")
    median: Finite = Field(description="Milliseconds.")
    p95: Finite = Field(description="Milliseconds; 95 of 100 values were no larger.")


class EyesStats(Message):
    """Whether the two pictures that depth is matched in fit each other."""

    fit: EyesFit = Field(
        description="`unknown`: no picture has told yet; `poor`: fewer distances; `misfit`: no distances are given."
    )
    fault: Optional[EyesFault] = Field(
        description="Of a `misfit`: `rows` too far apart, eyes `crossed`, the `same` picture twice, `unrelated` ones."
    )
    rows_px: Optional[Finite] = Field(
        ge=0, description="How far the rows of the two eyes are apart; null where it is not known."
    )


class SourceStats(Message):
    """The camera."""

    state: SourceState = Field(description="As in `status`.")
    lost: Count = Field(description="How often it was lost since the session began.")
    reconnecting: Count = Field(description="How often it was being reconnected since the session began.")
    newest_age_ms: Optional[Finite] = Field(
        description="Age of the newest picture that was spoken of; null before the first."
    )
    counters: Dict[str, Count] = Field(
        default_factory=dict, description="What the camera counts itself since the session began, e.g. `reopened`."
    )
    flags: List[str] = Field(default_factory=list, description="What the camera complains of now, e.g. `low_lighting`.")
    fps: Optional[Finite] = Field(
        default=None, description="Pictures a second by the camera's own count; null where it has none."
    )
    eyes: Optional[EyesStats] = Field(
        default=None, description="Of sources whose depth is matched here; null where the camera gives depth itself."
    )


class StatsMessage(Stamped):
    """Not retained. Counts are since the session began; rates and times are of the `window_s` seconds before `at`.

    Its own age is told like that of a `person` message, by `monotonic_ns` or `at`.
    """

    seq: Count = Field(description="Counts the `stats` messages of a session.")
    uptime_s: Finite = Field(ge=0, description="Since the camera was started.")
    window_s: Finite = Field(gt=0, description="Since the `stats` before this one.")
    fps_in: Finite = Field(ge=0, description="Frames a second that the source gave.")
    fps_out: Finite = Field(ge=0, description="Frames a second that were searched and published.")
    frames_in: Count = Field(description="Frames that the source gave.")
    frames_out: Count = Field(description="Frames that were searched and published.")
    drops: Dict[str, Count] = Field(description="What became of frames that gave no result, or not the whole one.")
    published: Dict[str, Count] = Field(description="What became of `person` messages, pictures and requests.")
    times_ms: Dict[str, Spread] = Field(description="Time of a frame in each stage, and `total` since its capture.")
    ages_ms: Dict[str, Spread] = Field(description="Ages of the pictures on their way out.")
    source: SourceStats
