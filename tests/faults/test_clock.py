"""The wall clock is set while it runs, as NTP does: on one host nothing happens; another host refuses what it must."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Callable

import pytest
from nasion.mqtt.boot import read_boot_id
from nasion.mqtt.judge import Gate, Now, read_now
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.faults.soak.stage import Broker
from tests.faults.soak.witness import Witness

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="needs gcc to make a wall clock that can be set")
HOUR_S = 3600


@pytest.mark.parametrize("step_s", [HOUR_S, -HOUR_S])
def test_a_step_of_an_hour(
    program: Callable[..., Any],
    broker: Broker,
    witness: Witness,
    until: Any,
    tmp_path: Path,
    compiled: Path,
    step_s: int,
) -> None:
    step = tmp_path / "step"
    step.write_text("0")
    payloads: list[tuple[bytes, Now]] = []
    hearer = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
    hearer.on_message = lambda _c, _d, message: payloads.append((bytes(message.payload), read_now()))
    hearer.connect("127.0.0.1", broker.port)
    hearer.subscribe("nasion/cam0/person")
    hearer.loop_start()
    run = program(
        broker.url,
        mqtt={"max_age_ms": 5000},
        environment={"LD_PRELOAD": str(compiled), "WALL_CLOCK_STEP": str(step)},
    )
    until(lambda: len(witness.persons) > 3)
    before = witness.persons[-1]
    step.write_text(str(step_s))
    until(lambda: abs(witness.persons[-1].published_at - before.published_at) > HOUR_S / 2)
    stepped = len(payloads)
    until(lambda: len(payloads) > stepped + 5)
    assert run.stop() == 0
    hearer.disconnect()
    hearer.loop_stop()

    # Of one host: by the monotonic clock, which nobody sets.
    assert [said.source for said in witness.statuses if said.source != "ok"] == []
    ages = [seen.age_ms for seen in witness.persons]
    assert min(ages) >= 0
    assert max(ages) < HOUR_S * 1000
    assert run.summary["cameras"]["cam0"]["published"]["stale"] <= 1
    captured = [seen.captured_ns for seen in witness.persons]
    assert captured == sorted(captured)
    # Of another host, whose clock was not set: refused, and called by its name.
    payload, now = payloads[-1]
    for boot_id, code in ((read_boot_id(), "accepted"), ("another boot", "future" if step_s > 0 else "stale")):
        gate = Gate(max_age_ms=5000.0, boot_id=boot_id)
        assert gate.judge("nasion/cam0/person", False, payload, now).code == code
