"""One camera from its source to its messages: the parts put together, watched and taken apart."""

from typing import Callable, List, Optional

from nasion.core.gates import Hysteresis
from nasion.core.ranging import Ranger
from nasion.core.results import FrameReason
from nasion.core.ring import FrameRing
from nasion.errors import InputError, NasionError
from nasion.events import Event
from nasion.health import Work
from nasion.messages import PersonMessage
from nasion.mqtt.publishing import Publisher
from nasion.pipeline.controls import Controls
from nasion.pipeline.engine import Engine
from nasion.pipeline.episodes import Counts, Episodes
from nasion.pipeline.feeder import IN_FLIGHT, Feeder
from nasion.pipeline.flow import Flow
from nasion.pipeline.outlet import Outlet
from nasion.pipeline.pictures import Pictures
from nasion.pipeline.slip import Slip
from nasion.pipeline.steps import Steps
from nasion.pipeline.summary import CameraSummary, percentiles
from nasion.pipeline.watchdog import Progress
from nasion.settings import CameraSettings, RunSettings
from nasion.show.video import AnnotatedVideo
from nasion.sources.frame import Clock, Frame, Source, SourceHealth, Stamp, Watched

#: A source that gives nothing for this long is silent; it is reported again each time this has passed.
SILENCE_NS = 800_000_000
#: Pictures and depth kept at most: more than can be on their way, so that only what went wrong is pushed out.
_FRAMES_KEPT = IN_FLIGHT + 3
#: Slips are light.
_SLIPS_KEPT = 64
#: How long a feeder that is stuck in its source is waited for, seconds.
_JOIN_S = 1.0


class CameraLine:
    """Everything that belongs to one camera of a run."""

    def __init__(
        self,
        camera: CameraSettings,
        settings: RunSettings,
        *,
        source: Source,
        engine: Engine,
        session: str,
        publisher: Publisher,
        controls: Controls,
        video: Optional[AnnotatedVideo],
        clock: Clock,
        on_message: Callable[[PersonMessage], None],
        on_event: Callable[[str], None],
        on_failure: Callable[[BaseException], None],
    ) -> None:
        """InputError where the view does not fit the source's pictures."""
        left = source.calibration.left
        try:
            geometry = engine.geometry(settings.view, left.width, left.height)
        except ValueError as error:
            raise InputError(f"{camera.source}: {error}") from None
        live = (settings.mode or ("live" if source.live else "every-frame")) == "live"
        now = controls.in_force
        self.name = camera.name
        self._source = source
        self._clock = clock
        self._publisher = publisher
        self._video = video
        self._flow = Flow()
        self._pictures = Pictures(
            camera.name, lambda: controls.in_force.image, publisher, geometry=geometry, on_failure=on_failure
        )
        self._outlet = Outlet(
            camera,
            session=session,
            max_age_ms=settings.mqtt.max_age_ms,
            clock=clock,
            publisher=publisher,
            on_message=on_message,
            video=video,
            pictures=self._pictures,
            geometry=geometry,
        )
        frames: FrameRing[Frame] = FrameRing(_FRAMES_KEPT)
        slips: FrameRing[Slip] = FrameRing(_SLIPS_KEPT)
        self._steps = Steps(
            metadata=engine.model.metadata,
            geometry=geometry,
            hysteresis=Hysteresis(settings.hysteresis, now.threshold),
            ranger=Ranger(source.calibration, now.depth, now.jump, camera.mount),
            in_force=lambda: controls.in_force,
            limit=settings.frames,
            read_ahead=not live and not source.live,
            frames=frames,
            slips=slips,
            flow=self._flow,
            outlet=self._outlet,
            clock=clock,
        )
        self._graph = engine.graph(
            camera.name,
            geometry=geometry,
            live=live,
            fps=source.fps / settings.every,
            steps=self._steps,
            flow=self._flow,
            clock=clock,
            on_failure=on_failure,
        )
        self._feeder = Feeder(
            camera.name,
            source=source,
            live=live,
            every=settings.every,
            # A recording may hold pictures that stand still: its times are no claim about now.
            frozen_ns=int(settings.frozen_ms * 1e6) if source.live else 0,
            limit=settings.frames,
            frames=frames,
            slips=slips,
            flow=self._flow,
            graph=self._graph,
            outlet=self._outlet,
            clock=clock,
            on_event=on_event,
            on_failure=on_failure,
        )
        self._every = settings.every
        self._on_event = on_event
        self._on_failure = on_failure
        self._episodes = Episodes(settings.mqtt.max_age_ms, _quicker(settings, engine))
        self._done = False
        self._silent_since: Optional[int] = None
        self._silence_told = False

    def start(self) -> None:
        """Begin to connect, to process, to read."""
        self._publisher.start()
        self._graph.start()
        self._feeder.start()

    def finish(self) -> None:
        """Read no more; see `watch` for the end."""
        self._feeder.finish()
        if isinstance(self._source, Watched):
            self._source.interrupt()

    def watch(self) -> bool:
        """To be called often: reports a silent or lost source; True once everything is through."""
        self._done = self._done or self._graph.check()
        if not self._done:
            self._look_after_source()
        return self._done

    def tell(self, now_ns: int) -> None:
        """To be called often: says what a run must tell, once an episode."""
        self._say(self._episodes.look(self._counts, self._publisher.connected, now_ns))

    def tell_at_the_end(self, now_ns: int) -> None:
        """The run is over."""
        self._say(self._episodes.end(self._counts(), now_ns))

    def progress(self) -> Progress:
        """For the watchdog."""
        return Progress(
            self.name,
            inside=self._flow.on_the_way,
            lost=self._flow.drops.get("lost", 0),
            processed=self._flow.processed,
            running=self._steps.running,
        )

    def work(self) -> Work:
        """For those who ask whether it is well."""
        return Work(
            processed=self._flow.processed,
            frames=self._flow.frames,
            every=self._every,
            period_s=1 / self._source.fps if self._source.live and self._source.fps > 0 else 0.0,
            done=self._done,
        )

    def fail(self) -> None:
        """Say that the program is about to end without order."""
        self._publisher.stop(failed=True)

    def health(self) -> Optional[SourceHealth]:
        """What the camera says of itself; None where it says nothing."""
        return self._source.health if isinstance(self._source, Watched) else None

    def close(self) -> None:
        """Let go of everything; also of a line that was never started, or is stuck. Failures go to ``on_failure``."""
        self.finish()
        self._graph.stop()
        if self._feeder.ident is None:
            self._source.close()
        else:
            self._feeder.join(_JOIN_S)
        self._flow.broken_off()
        self._pictures.stop()
        self._publisher.stop()
        try:
            if self._video is not None:
                self._video.close()
                self._say([f"video: wrote {path}" for path in self._video.written])
                self._video = None
        except NasionError as error:
            self._on_failure(error)

    def summary(self) -> CameraSummary:
        """What the camera came to so far."""
        health = self.health()
        return CameraSummary(
            frames=self._flow.frames,
            processed=self._flow.processed,
            drops=self._flow.drops,
            published=self._publisher.counters(),
            latency_ms=percentiles(self._outlet.spent_ms()),
            source=health.counters if health else {},
        )

    def _counts(self) -> Counts:
        return Counts(
            frames=self._flow.frames,
            processed=self._flow.processed,
            drops=self._flow.drops,
            published=self._publisher.counters(),
            persons=self._outlet.persons(),
            connected=self._publisher.connected,
        )

    def _say(self, lines: List[str]) -> None:
        for line in lines:
            self._on_event(Event(self.name, line))

    def _tell_silence(self) -> None:
        """Once when it begins and once when it is over, as the source itself says nothing of it."""
        silent = self._silent_since is not None
        if silent != self._silence_told:
            self._silence_told = silent
            text = f"gives no frame for {SILENCE_NS / 1e9:g} s now" if silent else "gives frames again"
            self._say([f"the source {text}"])

    def _look_after_source(self) -> None:
        """`no_frame` once a second while a live source gives nothing; the status says so until it does.

        A camera that knows of its own troubles says itself whether it is lost or coming back.
        """
        reading_since, now = self._feeder.reading_since, self._clock.monotonic_ns()
        if not self._source.live or reading_since is None:
            return
        if self._silent_since is not None and reading_since > self._silent_since:
            self._silent_since = None
        last = reading_since if self._silent_since is None else self._silent_since
        silent = now - last >= SILENCE_NS
        if silent:
            self._silent_since = now
        health = self.health()
        if health is not None and health.state != "ok":
            self._publisher.source_state(health.state)
        else:
            self._publisher.source_state("ok" if self._silent_since is None else "lost")
            self._tell_silence()
        if silent:
            self._outlet.nobody(FrameReason.NO_FRAME, Stamp(self._clock.utc_ns(), now), None)


def _quicker(settings: RunSettings, engine: Engine) -> List[str]:
    """What would make the network faster than it is."""
    view = [] if settings.view == "centre" else ["--view centre"]
    on_cpu = engine.name != "deepstream" and engine.model.metadata.precision != "int8"
    return [*view, "--precision int8"] if on_cpu else view
