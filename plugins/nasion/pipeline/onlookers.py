"""Who looks on from outside: the health file, and whoever asks over HTTP."""

import tempfile
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Callable, Mapping, Optional, Type

from nasion.health import Health, HealthFile, Work, health_path, judge
from nasion.messages import StatsMessage
from nasion.metrics import MetricsServer, StatsBoard
from nasion.mqtt.boot import read_boot_id
from nasion.settings import HttpSettings
from nasion.sources.frame import Clock


class Onlookers:
    """To be entered before anything is opened, and told once all is."""

    def __init__(self, settings: HttpSettings, *, clock: Clock, on_event: Callable[[str], None]) -> None:
        """DependencyError, InputError: see `MetricsServer`."""
        self._clock = clock
        self._left = ExitStack()
        path = health_path()
        #: Where `stats` goes besides the broker; None where nobody asks.
        self.stats: Optional[Callable[[StatsMessage], None]] = None
        if settings.port is not None:
            if path is None:
                path = Path(self._left.enter_context(tempfile.TemporaryDirectory(prefix="nasion-"))) / "health.json"
            asked = path
            board = StatsBoard(clock)
            self.stats = board.put
            self._left.enter_context(MetricsServer(settings, board, lambda: self._health(asked), on_event))
        self._file = HealthFile(path, on_event=on_event)

    def __enter__(self) -> "Onlookers":
        return self

    def __exit__(
        self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]
    ) -> None:
        self._left.close()

    def look(self, worked: Callable[[], Mapping[str, Work]]) -> None:
        """To be called often; ``worked``: what each camera has done so far."""
        self._file.look(worked, self._clock.monotonic_ns())

    def _health(self, path: Path) -> Health:
        return judge(path, now_ns=self._clock.monotonic_ns(), boot_id=read_boot_id())
