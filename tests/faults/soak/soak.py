"""The soak: full speed for minutes or hours, with a fault every few seconds; what grew, and what is not explained."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.faults.soak.account import Account
from tests.faults.soak.faults import Fault, draw, inflict
from tests.faults.soak.growth import spread, trend, what_grew
from tests.faults.soak.scene import Scene
from tests.faults.soak.vitals import Vitals, vitals
from tests.faults.soak.witness import Seen

#: A stream may take this long after a fault before its latency counts again, seconds.
SETTLE_S = 2.0
SAMPLE_S = 1.0
#: What a receiver may refuse when the broker, the network or the machine fails.
BY_FAULTS = {"stale", "repeated", "future", "other_session", "learning"}


@dataclass(frozen=True)
class Happened:
    """A fault, in seconds from the beginning; ``fresh_s``: from its end to the first fresh message, None: none came."""

    fault: Fault
    begin_s: float
    end_s: float
    fresh_s: float | None
    accepted_s: dict[str, float | None]


@dataclass
class Soak:
    """What was measured so far; can be told at any time."""

    seed: int
    every_s: float
    begin_ns: int = field(default_factory=time.monotonic_ns)
    happened: list[Happened] = field(default_factory=list)
    samples: list[tuple[float, Vitals]] = field(default_factory=list)

    def now_s(self) -> float:
        return self.since(time.monotonic_ns())

    def since(self, at_ns: int) -> float:
        return (at_ns - self.begin_ns) / 1e9

    def run(self, scene: Scene, seconds: float, stop: threading.Event, say: Callable[[str], None]) -> None:
        """Until the time is over, ``stop`` is set, or the program has ended."""
        self.begin_ns = time.monotonic_ns()
        faults = draw(self.seed, self.every_s)
        sampler = threading.Thread(target=self._sample, args=(scene, seconds, stop, say), daemon=True)
        sampler.start()
        next_s = self.every_s / 2
        while self._goes_on(scene, seconds, stop):
            if self.now_s() < next_s:
                stop.wait(0.05)
                continue
            self._inflict(scene, next(faults), stop)
            next_s = max(next_s + self.every_s, self.now_s())
        sampler.join()

    def _goes_on(self, scene: Scene, seconds: float, stop: threading.Event) -> bool:
        return self.now_s() < seconds and not stop.is_set() and scene.program.running

    def _inflict(self, scene: Scene, fault: Fault, stop: threading.Event) -> None:
        begin_s = self.now_s()
        end_ns = inflict(scene, fault, stop.wait)
        # The camera's stream has only to be there; the receivers must come back from whatever it was.
        patience_ns = end_ns + int(min(self.every_s, 10.0) * 1e9)
        while time.monotonic_ns() < patience_ns and scene.program.running:
            if scene.fresh_after(end_ns) and None not in scene.accepted_after(end_ns).values():
                break
            stop.wait(0.02)
        seen = scene.fresh_after(end_ns)
        fresh_s = None if seen is None else (seen.at_ns - end_ns) / 1e9
        accepted = scene.accepted_after(end_ns)
        self.happened.append(Happened(fault, begin_s, self.since(end_ns), fresh_s, accepted))

    def _sample(self, scene: Scene, seconds: float, stop: threading.Event, say: Callable[[str], None]) -> None:
        while self._goes_on(scene, seconds, stop):
            now = vitals(scene.program.pid)
            if now is not None:
                self.samples.append((self.now_s(), now))
                say(self._progress(scene, seconds, now))
            stop.wait(SAMPLE_S)

    def _progress(self, scene: Scene, seconds: float, now: Vitals) -> str:
        last = scene.witness.persons[-1]
        return (
            f"{self.now_s():.0f} of {seconds:.0f} s, {len(self.happened)} faults, message #{last.seq}, "
            f"age {last.age_ms:.0f} ms, {now.memory_mb:.0f} MB, {now.descriptors} descriptors, {now.threads} threads"
        )

    def calm(self, persons: list[Seen]) -> list[Seen]:
        """Those outside of faults and what follows them."""
        troubled = [(one.begin_s, one.end_s + (one.fresh_s or 0) + SETTLE_S) for one in self.happened]
        return [seen for seen in persons if not any(a <= self.since(seen.at_ns) <= b for a, b in troubled)]

    def report(self, scene: Scene, code: int, account: Account | None, camera: dict[str, Any]) -> dict[str, Any]:
        """Everything for soak.json; ``problems`` is empty where all is well."""
        persons = [seen for seen in list(scene.witness.persons) if seen.at_ns >= self.begin_ns]
        max_age_ms = persons[-1].max_age_ms if persons else 0.0
        calm = self.calm(persons)
        ages = [(self.since(seen.at_ns), seen.age_ms) for seen in calm]
        series = {
            name: [(at, float(getattr(now, name))) for at, now in self.samples]
            for name in ("memory_mb", "descriptors", "threads")
        }
        receivers = {name: listener.figures(max_age_ms) for name, listener in scene.listeners.items()}
        grown = what_grew(series["memory_mb"], series["descriptors"], series["threads"], ages)
        return {
            "seed": self.seed,
            "every_s": self.every_s,
            "seconds": self.samples[-1][0] if self.samples else 0.0,
            "max_age_ms": max_age_ms,
            "problems": [
                *_unwell(code, account, receivers, scene.witness.faults),
                *_positions_without_depth(persons, scene.program.did),
                *self._not_recovered(),
                *grown,
            ],
            "faults": [{**asdict(one.fault), **{k: v for k, v in asdict(one).items() if k != "fault"}}
                       for one in self.happened],
            "account": account and asdict(account),
            "camera": camera,
            "receivers": receivers,
            "delivered": {
                "messages": len(persons),
                "stale": sum(not seen.fresh for seen in persons),
                "repeated_to_the_witness": scene.witness.repeated,
            },
            "trends": {name: _told(values) for name, values in {**series, "age_ms": ages}.items()},
            "age_ms": spread([age for _, age in ages]),
            "latency_ms": stages(calm),
            "samples": [[round(at, 1), round(now.memory_mb, 1), now.descriptors, now.threads]
                        for at, now in self.samples],
            "ages": _thinned([(self.since(seen.at_ns), seen.age_ms) for seen in persons]),
        }  # fmt: skip

    def _not_recovered(self) -> list[str]:
        said = []
        for one in self.happened:
            deaf = [name for name, seconds in one.accepted_s.items() if seconds is None]
            who = "nobody" if one.fresh_s is None else f"not the receiver in {', '.join(deaf)}" if deaf else ""
            if who:
                said.append(f"after {one.fault.kind} at {one.begin_s:.0f} s {who} heard a fresh message")
        return said


def stages(persons: list[Seen]) -> dict[str, dict[str, float]]:
    """Milliseconds in each stage, on the way from the program to the receiver, and in all."""
    found: dict[str, list[float]] = {}
    for seen in persons:
        if seen.reason in ("no_frame", "corrupt_frame"):
            continue
        for stage, spent in seen.latency_ms.items():
            found.setdefault("until the message" if stage == "total" else stage, []).append(spent)
        found.setdefault("on the way", []).append(seen.age_ms - seen.latency_ms["total"])
        found.setdefault("capture to received", []).append(seen.age_ms)
    return {stage: spread(values) for stage, values in found.items()}


def _unwell(code: int, account: Account | None, receivers: dict[str, Any], faults: list[str]) -> list[str]:
    said = []
    if code != 0 or account is None:
        said.append(f"the program ended with {code}{'' if account else ' and said nothing of what it came to'}")
    if account is not None and account.unexplained:
        said.append(f"{account.unexplained} messages are missing, or too many, and no counter says why")
    if account is not None and not account.balanced:
        said.append("the publisher's counters do not add up")
    for name, figures in receivers.items():
        if figures["stale_accepted"]:
            said.append(f"the receiver in {name} accepted {figures['stale_accepted']} stale messages")
        ours = {verdict: count for verdict, count in figures["refused"].items() if verdict not in BY_FAULTS}
        if ours:
            said.append(f"the receiver in {name} refused what no fault explains: {ours}")
    return [*said, *faults[:5]]


def _positions_without_depth(persons: list[Seen], did: list[tuple[int, str]]) -> list[str]:
    """Of frames that were taken while the camera gave no depth; ``did``: its commands, and when they were done."""
    blind = [(at, later) for (at, told), (later, _) in zip(did, did[1:]) if told.startswith("blind")]
    # A frame is stamped a moment before it is given its depth.
    found = [seen for seen in persons if any(at < seen.captured_ns < later - 10**8 for at, later in blind)]
    wrong = sum(seen.positions for seen in found)
    return [f"{wrong} positions come from frames without depth"] if wrong else []


def _told(samples: list[tuple[float, float]]) -> dict[str, float] | None:
    found = trend(samples)
    return None if found is None else {**asdict(found), "growth": found.growth}


def _thinned(ages: list[tuple[float, float]], at_most: int = 20_000) -> list[tuple[float, float]]:
    """Enough for a picture."""
    step = -(-len(ages) // at_most) or 1
    return [(round(at, 2), round(age, 1)) for at, age in ages[::step]]


class Progress:
    """A line that is written over on a terminal; elsewhere one in half a minute."""

    EVERY_S = 30.0

    def __init__(self) -> None:
        self._told = -self.EVERY_S
        self._open = False

    def __call__(self, text: str) -> None:
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\x1b[K{text}")
            self._open = True
        elif time.monotonic() - self._told >= self.EVERY_S:
            self._told = time.monotonic()
            sys.stderr.write(f"{text}\n")
        sys.stderr.flush()

    def close(self) -> None:
        if self._open:
            sys.stderr.write("\n")
