"""The process of a soak: the real application on a camera that fails on command.

    python -m tests.faults.soak.program SETTINGS

SETTINGS is the configuration in JSON. Commands for the camera come on stdin, one a line; when stdin ends, the run is
asked to. Stdout has one JSON object a line: each command when it was done, and at the end what it came to.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from dataclasses import asdict
from typing import Any

from nasion.cli.output import tell
from nasion.cli.signals import stopping_signals
from nasion.errors import NasionError
from nasion.pipeline import app
from nasion.settings import RunSettings
from nasion.sources.clock import SystemClock
from nasion.sources.open import open_source

from tests.faults.soak.camera import FaultyCamera


def say(**what: Any) -> None:
    """One line on stdout."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def main() -> None:
    """Run until SIGTERM, or the end of stdin."""
    settings = RunSettings.model_validate_json(sys.argv[1])
    clock = SystemClock()
    cameras: list[FaultyCamera] = []

    def opener(uri: str, **how: Any) -> FaultyCamera:
        cameras.append(FaultyCamera(open_source(uri, **how), clock))
        return cameras[-1]

    def obey() -> None:
        for line in sys.stdin:
            for camera in cameras:
                camera.obey(line.strip())
            say(did=line.strip(), at_ns=clock.monotonic_ns())
        os.kill(os.getpid(), signal.SIGTERM)

    with stopping_signals() as stop:
        threading.Thread(target=obey, name="commands", daemon=True).start()
        try:
            summary = app.run(settings, clock=clock, on_event=tell, stop=stop, opener=opener)
        except NasionError as error:
            tell(str(error))
            sys.exit(error.exit_code)
    say(cameras={name: asdict(camera) for name, camera in summary.cameras.items()}, seconds=summary.seconds)
    # The thread of the commands may be waiting in stdin, which Python would wait for.
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
