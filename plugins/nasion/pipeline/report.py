"""What a camera says of itself: `info` when it starts, `stats` once a second. Time is an argument."""

from typing import Callable, Dict, Mapping, Optional, Sequence

from nasion import __version__
from nasion.core.results import EyesVerdict
from nasion.core.views import INPUT_SIZES
from nasion.messages import (
    AGES,
    TIMES,
    UNITS,
    CalibrationInfo,
    EyesStats,
    InfoMessage,
    Limits,
    ModelInfo,
    Size,
    SourceStats,
    Spread,
    StatsMessage,
)
from nasion.mqtt.publishing import Publisher
from nasion.pipeline.engine import ModelFile
from nasion.pipeline.flow import DROPS
from nasion.pipeline.summary import CameraSummary, percentiles
from nasion.settings import CameraSettings, RunSettings
from nasion.sources.frame import Source, SourceHealth, Stamp

PERIOD_NS = 1_000_000_000


def info_message(
    camera: CameraSettings,
    settings: RunSettings,
    *,
    source: Source,
    model: ModelFile,
    session: str,
    stamp: Stamp,
    boot_id: Optional[str],
    engine: str = "onnxruntime",
) -> InfoMessage:
    """The birth certificate of a session, said at ``stamp``."""
    left, about = source.calibration.left, model.metadata
    height, width = INPUT_SIZES[settings.view]
    return InfoMessage(
        session=session,
        camera=camera.name,
        at=stamp.utc_ns / 1e9,
        **_monotonic(stamp, boot_id),
        version=__version__,
        engine=engine,
        model=ModelInfo(
            name=about.name,
            version=about.version,
            digest=model.digest,
            precision=about.precision,
            keypoint=about.keypoint,
        ),
        view=settings.view,
        frame=Size(width=left.width, height=left.height),
        network_input=Size(width=width, height=height),
        calibration=CalibrationInfo(
            fx=left.fx, fy=left.fy, cx=left.cx, cy=left.cy, baseline_m=source.calibration.baseline_m
        ),
        frame_id=camera.frame_id,
        live=source.live,
        fps=source.fps,
        limits=Limits(
            near_m=settings.depth.near_m,
            far_m=settings.depth.far_m,
            threshold=about.threshold if settings.threshold is None else settings.threshold,
            max_persons=settings.max_persons,
        ),
        units=UNITS,
        max_age_ms=settings.mqtt.max_age_ms,
    )


def stats_message(
    camera: str,
    *,
    session: str,
    seq: int,
    stamp: Stamp,
    boot_id: Optional[str],
    uptime_s: float,
    window_s: float,
    before: CameraSummary,
    now: CameraSummary,
    lately: Mapping[str, Sequence[float]],
    source: SourceStats,
) -> StatsMessage:
    """What happened in the ``window_s`` seconds (> 0) from ``before`` to ``now``, said at ``stamp``.

    ``lately``: milliseconds that came in that time, by the names of TIMES and AGES; others are left out.
    """
    spreads = {
        name: Spread(count=len(lately[name]), median=value.median, p95=value.p95)
        for name, value in percentiles(lately).items()
    }
    return StatsMessage(
        session=session,
        camera=camera,
        at=stamp.utc_ns / 1e9,
        **_monotonic(stamp, boot_id),
        seq=seq,
        uptime_s=uptime_s,
        window_s=window_s,
        fps_in=(now.frames - before.frames) / window_s,
        fps_out=(now.processed - before.processed) / window_s,
        frames_in=now.frames,
        frames_out=now.processed,
        drops={cause: now.drops.get(cause, 0) for cause in DROPS},
        published=now.published,
        times_ms={stage: spreads[stage] for stage in TIMES if stage in spreads},
        ages_ms={age: spreads[age] for age in AGES if age in spreads},
        source=source,
    )


class Reporter:
    """Hands a camera's `stats` to its publisher, and to ``also``, once a second."""

    def __init__(
        self,
        camera: str,
        summary: Callable[[], CameraSummary],
        health: Callable[[], Optional[SourceHealth]],
        publisher: Publisher,
        *,
        session: str,
        boot_id: Optional[str],
        also: Optional[Callable[[StatsMessage], None]] = None,
    ) -> None:
        self._camera = camera
        self._summary = summary
        self._health = health
        self._publisher = publisher
        self._also = also
        self._session = session
        self._boot_id = boot_id
        self._began_ns: Optional[int] = None
        self._last_ns = 0
        self._seq = 0
        self._before = CameraSummary(0, 0, {}, {}, {})

    def look(self, stamp: Stamp) -> None:
        """To be called often; ``stamp`` is now. The first call begins the first second."""
        if not self._publisher.wanted and self._also is None:
            return
        if self._began_ns is None:
            self._began_ns = self._last_ns = stamp.monotonic_ns
        window_ns = stamp.monotonic_ns - self._last_ns
        if window_ns < PERIOD_NS:
            return
        now = self._summary()
        message = stats_message(
            self._camera,
            session=self._session,
            seq=self._seq,
            stamp=stamp,
            boot_id=self._boot_id,
            uptime_s=(stamp.monotonic_ns - self._began_ns) / 1e9,
            window_s=window_ns / 1e9,
            before=self._before,
            now=now,
            lately=self._publisher.lately.take(),
            source=self._source_stats(),
        )
        self._publisher.stats(message)
        if self._also is not None:
            self._also(message)
        self._before, self._last_ns = now, stamp.monotonic_ns
        self._seq += 1

    def _source_stats(self) -> SourceStats:
        seen, health = self._publisher.source_stats(), self._health()
        if health is None:
            return seen
        return seen.model_copy(
            update={
                "counters": health.counters,
                "flags": list(health.flags),
                "fps": health.fps,
                "eyes": _eyes(health.eyes),
            },
        )


def _eyes(verdict: Optional[EyesVerdict]) -> Optional[EyesStats]:
    if verdict is None:
        return None
    return EyesStats(fit=verdict.fit, fault=verdict.fault, rows_px=verdict.rows_px)


def _monotonic(stamp: Stamp, boot_id: Optional[str]) -> Dict[str, Optional[str]]:
    """The monotonic stamp with its boot, or neither."""
    return {"monotonic_ns": None if boot_id is None else str(stamp.monotonic_ns), "boot_id": boot_id}
