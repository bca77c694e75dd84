"""A broker that refuses us is asked ever more seldom, is never called connected, and learns no more than it should."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

from tests.faults.soak.stage import Broker


def test_refused_credentials_are_said_once_and_asked_ever_more_seldom(nasion: Any, until: Any, tmp_path: Path) -> None:
    passwords, log = tmp_path / "passwords", tmp_path / "broker.log"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "robot", "right"], check=True)
    options = ["allow_anonymous false", f"password_file {passwords}", f"log_dest file {log}", "log_timestamp false"]
    guarded = Broker([*options, "connection_messages true", "log_type all"])

    def attempts() -> int:
        return len(re.findall(r"Sending CONNACK to .* \(0, 135\)", log.read_text()))

    try:
        run = nasion("run", "--source", "demo:", "--mqtt", f"mqtt://robot:a-wrong-one@127.0.0.1:{guarded.port}")
        until(lambda: "the broker refuses us" in run.said())
        at = []
        for count in range(1, 4):
            until(lambda count=count: attempts() >= count)
            at.append(time.monotonic())
        assert run.end(signal.SIGTERM) == 0
    finally:
        guarded.close()
    said = run.said()
    assert said.count("the broker refuses us: Not authorized") == 1
    assert "a-wrong-one" not in said
    assert "connected" not in said.replace("disconnected", "")
    # Pauses of 2 and 4 s, which a busy machine only makes longer.
    assert at[2] - at[1] > 2.5
