"""Ctrl-C and SIGTERM, at whatever moment they come."""

import signal
import subprocess
import sys
import threading

import pytest
from nasion.cli.signals import stopping_signals

from tests.program import attended

#: Nothing waits this long when all is well.
PATIENCE_S = 30.0

INSIDE_THE_EVENTS_LOCK = """
import os, sys
from nasion.cli.signals import stopping_signals

with stopping_signals() as stop:
    # Event.wait and Event.set hold this lock for an instant; here the instant is long.
    with stop._cond:
        os.kill(os.getpid(), int(sys.argv[1]))
        for _ in range(1000):
            pass
    print(stop.wait(20))
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_in_the_middle_of_waiting_does_not_stop_the_program_for_ever(number: signal.Signals) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", INSIDE_THE_EVENTS_LOCK, str(int(number))],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )

    assert (ended.returncode, ended.stdout) == (0, "True\n"), ended.stderr


def test_a_second_signal_ends_the_program_at_once() -> None:
    program = (
        "import signal, time\nfrom nasion.cli.signals import stopping_signals\n"
        "with stopping_signals() as stop:\n"
        "    print('ready', flush=True)\n    stop.wait()\n    print('asked to stop', flush=True)\n    time.sleep(60)\n"
    )
    with attended(subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "asked to stop\n"
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == -signal.SIGINT


def test_a_hangup_that_nohup_has_switched_off_stays_so() -> None:
    program = (
        "import os, signal\nfrom nasion.cli.signals import stopping_signals\n"
        "with stopping_signals() as stop:\n    os.kill(os.getpid(), signal.SIGHUP)\n    print(stop.wait(0.2))\n"
    )
    ended = subprocess.run(["nohup", sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stdout) == (0, "False\n"), ended.stderr


def test_afterwards_everything_is_as_it_was() -> None:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    handlers = [signal.getsignal(number) for number in numbers]
    threads = threading.active_count()

    with stopping_signals() as stop:
        assert not stop.is_set()

    assert [signal.getsignal(number) for number in numbers] == handlers
    assert threading.active_count() == threads
    assert signal.set_wakeup_fd(-1) == -1
