"""The faults of a soak: which, when, for how long; drawn from a seed."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Callable

from nasion.mqtt.link import LONGEST_RETRY_S

from tests.faults.soak.camera import BLIND
from tests.faults.soak.scene import Scene

Sleep = Callable[[float], object]


@dataclass(frozen=True)
class Fault:
    """``seconds``: how long it lasts; ``detail``: what the kind takes besides."""

    kind: str
    seconds: float
    detail: str = ""


@dataclass(frozen=True)
class Kind:
    """``seconds``: from, to; ``do`` leaves everything as it was; it returns when the fault was over, monotonic ns."""

    seconds: tuple[float, float]
    do: Callable[[Scene, Fault, Sleep], int]


def _freeze(scene: Scene, fault: Fault, sleep: Sleep) -> int:
    scene.broker.freeze()
    sleep(fault.seconds)
    return scene.broker.thaw()


def _kill(scene: Scene, fault: Fault, sleep: Sleep) -> int:
    scene.broker.kill()
    sleep(fault.seconds)
    return scene.broker.start()


def _restart(scene: Scene, fault: Fault, sleep: Sleep) -> int:
    scene.broker.end()
    sleep(fault.seconds)
    return scene.broker.start()


def _camera(scene: Scene, fault: Fault, sleep: Sleep) -> int:
    scene.program.tell(f"{fault.kind} {fault.detail}".strip())
    sleep(fault.seconds)
    return scene.program.tell("back")


def _slow_receiver(scene: Scene, fault: Fault, sleep: Sleep) -> int:
    pids = [listener.pid for listener in scene.listeners.values()]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    sleep(fault.seconds)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    return time.monotonic_ns()


KINDS: dict[str, Kind] = {
    "freeze": Kind((1.0, 8.0), _freeze),
    "kill": Kind((0.2, 5.0), _kill),
    "restart": Kind((0.2, 5.0), _restart),
    "silent": Kind((1.5, 6.0), _camera),
    "away": Kind((1.0, 6.0), _camera),
    "corrupt": Kind((1.0, 1.0), _camera),
    "blind": Kind((1.0, 4.0), _camera),
    "slow receiver": Kind((1.0, 6.0), _slow_receiver),
}
#: After the longest fault, all who lost the broker are back in this time.
RETURN_S = LONGEST_RETRY_S


def draw(seed: int, every_s: float) -> Iterator[Fault]:
    """Faults without end, each kind as often as any other, none longer than leaves time to recover in ``every_s``."""
    luck = random.Random(seed)
    room_s = max(every_s - RETURN_S, every_s / 4)
    while True:
        for kind in luck.sample(sorted(KINDS), len(KINDS)):
            shortest, longest = KINDS[kind].seconds
            seconds = min(luck.uniform(shortest, longest), room_s)
            detail = {"corrupt": str(luck.randint(1, 20)), "blind": luck.choice(sorted(BLIND))}.get(kind, "")
            yield Fault(kind, round(seconds, 2), detail)


def inflict(scene: Scene, fault: Fault, sleep: Sleep) -> int:
    """Let it happen, and end; when it had, monotonic nanoseconds."""
    return KINDS[fault.kind].do(scene, fault, sleep)
