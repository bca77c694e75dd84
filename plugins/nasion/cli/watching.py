"""Shows what a receiver hears: a live screen on a terminal, otherwise a line for each camera twice a second."""

import sys
import threading
from typing import Callable, List, Sequence, Tuple

from rich.console import RenderableType
from rich.live import Live

from nasion.cli.output import READER_GONE, Lines, give_up_stdout
from nasion.mqtt.board import Board, CameraRow
from nasion.show.screens import Steady
from nasion.show.table import heard_now, row_line
from nasion.sources.frame import Clock

#: A screen is redrawn this often, lines are written this often.
SCREEN_S = 0.125
LINES_S = 0.5

Screen = Callable[[Sequence[CameraRow]], RenderableType]


def on_terminal() -> bool:
    """Whether what is shown is a live screen."""
    return sys.stdout.isatty()


def wait(*, stop: threading.Event, over: Callable[[], bool]) -> None:
    """Show nothing until it is ``over``, or ``stop`` is set."""
    while not stop.wait(SCREEN_S) and not over():
        pass


def watch(board: Board, screen: Screen, *, clock: Clock, stop: threading.Event, over: Callable[[], bool]) -> None:
    """Show ``board`` until it is ``over``, or ``stop`` is set; this sets it when the reader of stdout has gone."""
    if on_terminal():
        # Where stderr is no terminal, what is told belongs there and not above the screen.
        steady = Steady()
        steady.shown = screen(board.rows(clock.monotonic_ns()))
        try:
            with Live(
                steady, auto_refresh=False, redirect_stderr=sys.stderr.isatty(), vertical_overflow="crop"
            ) as live:
                while not stop.wait(SCREEN_S) and not over():
                    steady.shown = screen(board.rows(clock.monotonic_ns()))
                    live.refresh()
        except OSError as error:
            if error.errno not in READER_GONE:
                raise
            # The terminal was closed.
            stop.set()
            give_up_stdout()
        return
    lines = Lines()
    written: List[Tuple[int, bool]] = []
    while not stop.wait(LINES_S) and not over():
        rows = board.rows(clock.monotonic_ns())
        # A line that says nothing new would only hide the silence; that it begins is said once.
        heard = [(row.accepted, heard_now(row)) for row in rows]
        if heard != written:
            written = heard
            lines.write(*map(row_line, rows))
        if not lines.wanted:
            stop.set()
