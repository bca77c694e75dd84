"""A whole scene: broker, witness, program and receivers, opened and closed together."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from signal import SIGINT
from typing import Any

from typing_extensions import Self

from tests.faults.soak.account import Account, settle
from tests.faults.soak.stage import Broker, Listener, Program, listeners, wait_for
from tests.faults.soak.witness import Seen, Witness

#: After a fault, and before the next one, this many fresh messages are awaited.
FRESH = 5


class Scene:
    """``with Scene(...)``: everything runs and messages flow. ``settings``: those of the run but cameras and broker."""

    def __init__(
        self,
        folder: Path,
        *,
        source: str,
        settings: dict[str, Any],
        say: Callable[[str], None],
        receivers: bool = True,
        mqtt: dict[str, Any] | None = None,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._opened = ExitStack()
        try:
            self.broker = Broker()
            self._opened.callback(self.broker.close)
            self.witness = Witness(self.broker.port)
            self.witness.start()
            self._opened.callback(self.witness.end)
            self.broker.remember()
            told = {
                "cameras": [{"source": source}],
                "engine": "onnxruntime",
                "mqtt": {"url": self.broker.url, **(mqtt or {})},
                **settings,
            }
            self.program = Program(told, folder / "program.log")
            self._opened.callback(self.program.stop)
            self.listeners: dict[str, Listener] = {}
            if receivers:
                self.listeners = listeners(self.broker, folder, say)
                for listener in self.listeners.values():
                    self._opened.callback(listener.end, SIGINT)
            wait_for(lambda: len(self.witness.persons) >= FRESH or not self.program.running, "messages to flow")
            if not self.program.running:
                raise RuntimeError(f"the program ended at once; see {self.program.log}")
        except BaseException:
            self._opened.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._opened.close()

    def fresh_after(self, at_ns: int) -> Seen | None:
        """The first message that arrived fresh and was captured after ``at_ns``."""
        for seen in reversed_until(self.witness.persons, at_ns):
            if seen.captured_ns >= at_ns and seen.fresh:
                return seen
        return None

    def wait_fresh(self, at_ns: int) -> float:
        """Wait for it; seconds from ``at_ns`` to its arrival."""
        wait_for(lambda: self.fresh_after(at_ns) or not self.program.running, "a fresh message")
        seen = self.fresh_after(at_ns)
        if seen is None:
            raise RuntimeError(f"the program ended; see {self.program.log}")
        return (seen.at_ns - at_ns) / 1e9

    def accepted_after(self, at_ns: int) -> dict[str, float | None]:
        """For each receiver, seconds from ``at_ns`` to what it accepted first after it."""
        found: dict[str, float | None] = {}
        for name, listener in self.listeners.items():
            later = next((at for at, _ in list(listener.accepted) if at >= at_ns), None)
            found[name] = None if later is None else (later - at_ns) / 1e9
        return found

    def wait_accepted(self, at_ns: int, patience_s: float = 10.0) -> dict[str, float | None]:
        """Wait until every receiver accepts again, though not for ever; see `accepted_after`."""
        deadline = time.monotonic() + patience_s
        while None in self.accepted_after(at_ns).values() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self.accepted_after(at_ns)

    def end(self) -> tuple[int, Account | None, dict[str, Any]]:
        """Stop the program, and settle: its exit code, the account, its summary of the camera."""
        code = self.program.stop()
        if self.program.summary is None:
            return code, None, {}
        camera: dict[str, Any] = self.program.summary["cameras"]["cam0"]
        counters = camera["published"]
        # What the broker took last is handed on in a moment.
        deadline = time.monotonic() + 5
        while not (self.witness.statuses and self.witness.statuses[-1].process == "stopped"):
            if time.monotonic() > deadline:
                break
            time.sleep(0.01)
        account = settle((seen.seq for seen in list(self.witness.persons)), counters, self.broker.kills)
        return code, account, camera


def reversed_until(persons: list[Seen], at_ns: int) -> list[Seen]:
    """Those that arrived since ``at_ns``, in their order, without looking at all that came before."""
    start = len(persons)
    while start and persons[start - 1].at_ns >= at_ns:
        start -= 1
    return persons[start:]
