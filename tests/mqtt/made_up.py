"""Messages that say nothing in particular."""

from nasion.messages import SourceStats, StatsMessage
from nasion.mqtt.publishing import COUNTERS
from nasion.pipeline.flow import DROPS


def reported(seq: int) -> StatsMessage:
    """Stats of a second in which nothing happened."""
    return StatsMessage(
        session="s1",
        camera="cam0",
        at=1.0,
        seq=seq,
        uptime_s=1.0,
        window_s=1.0,
        fps_in=0.0,
        fps_out=0.0,
        frames_in=0,
        frames_out=0,
        drops=dict.fromkeys(DROPS, 0),
        published=dict.fromkeys(COUNTERS, 0),
        times_ms={},
        ages_ms={},
        source=SourceStats(state="ok", lost=0, reconnecting=0, newest_age_ms=None),
    )
