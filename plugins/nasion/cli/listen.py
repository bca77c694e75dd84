"""``nasion listen``: what arrives over the broker, judged as a robot should judge it."""

import secrets
from collections import Counter
from typing import Any, Dict, Mapping, Optional, Sequence, Set

import typer
from pydantic import ValidationError
from rich.console import RenderableType
from typing_extensions import Annotated

from nasion.cli.flags import help_of
from nasion.cli.output import MessageLines, tell
from nasion.cli.signals import stopping_signals
from nasion.cli.watching import on_terminal, wait, watch
from nasion.errors import InputError
from nasion.events import Event
from nasion.messages import StatusMessage
from nasion.mqtt.board import Board, CameraRow
from nasion.mqtt.judge import LIMITS_MS, MAX_AGE_MS
from nasion.mqtt.receiver import Accepted, Heard, Receiver, Refused
from nasion.redaction import hide_password
from nasion.settings import MqttSettings, checked_name
from nasion.show.screens import cameras_table
from nasion.sources.clock import SystemClock

#: A stream that is refused message by message is spoken of this often.
REPORT_NS = 5_000_000_000
#: The flags, and the settings they are.
FLAGS = {
    "url": "--mqtt",
    "prefix": "--prefix",
    "username": "--username",
    "password_file": "--password-file",
    "ca_file": "--ca-file",
    "cert_file": "--cert-file",
    "key_file": "--key-file",
    "insecure": "--insecure",
    "max_age_ms": "--max-age-ms",
}


def _setting(field: str, metavar: Optional[str] = None) -> Any:
    return typer.Option(FLAGS[field], metavar=metavar, help=help_of(MqttSettings, field))


def listen(
    mqtt: Annotated[Optional[str], _setting("url", "URL")] = None,
    prefix: Annotated[Optional[str], _setting("prefix", "P")] = None,
    username: Annotated[Optional[str], _setting("username", "NAME")] = None,
    password_file: Annotated[Optional[str], _setting("password_file", "FILE")] = None,
    ca_file: Annotated[Optional[str], _setting("ca_file", "PEM")] = None,
    cert_file: Annotated[Optional[str], _setting("cert_file", "PEM")] = None,
    key_file: Annotated[Optional[str], _setting("key_file", "PEM")] = None,
    insecure: Annotated[bool, _setting("insecure")] = False,
    max_age_ms: Annotated[
        Optional[float],
        typer.Option(
            FLAGS["max_age_ms"],
            metavar="MS",
            help=f"Refuse what is older, whatever its sender says. Default: {MAX_AGE_MS:g}.",
        ),
    ] = None,
    camera: Annotated[Optional[str], typer.Option(metavar="NAME", help="Only this camera. Default: all.")] = None,
    seconds: Annotated[Optional[float], typer.Option(metavar="S", min=0, help="End after this time.")] = None,
    json: Annotated[
        bool, typer.Option("--json", help="One accepted `person` message a line on stdout, and nothing else.")
    ] = False,
) -> None:
    """Show what the cameras say over MQTT. What is too old to act upon is refused, and that is said."""
    settings = _settings(
        {
            "url": mqtt,
            "prefix": prefix,
            "username": username,
            "password_file": password_file,
            "ca_file": ca_file,
            "cert_file": cert_file,
            "key_file": key_file,
            "insecure": insecure,
            "max_age_ms": _limit(max_age_ms),
        }
    )
    _check_camera(camera)
    clock = SystemClock()
    end_ns = None if seconds is None else clock.monotonic_ns() + int(seconds * 1e9)
    board, report, duplicates = Board(), RefusalReport(), DuplicateReport()
    with stopping_signals() as stop:
        lines = MessageLines(json=True, clock=clock, stop=stop) if json else None

        def on_heard(heard: Heard) -> None:
            now_ns = clock.monotonic_ns()
            board.hear(heard, now_ns)
            if lines is not None and isinstance(heard, Accepted):
                lines(heard.message)
            if isinstance(heard, StatusMessage):
                duplicates.hear(heard)
            if isinstance(heard, Refused) and (json or not on_terminal()):
                report.hear(heard, now_ns)

        def over() -> bool:
            return end_ns is not None and clock.monotonic_ns() >= end_ns

        receiver = Receiver(
            settings,
            client_id=client_id(),
            on_heard=on_heard,
            on_event=tell,
            camera=camera,
        )
        receiver.start()
        try:
            if json:
                wait(stop=stop, over=over)
            else:
                watch(board, screen, clock=clock, stop=stop, over=over)
        finally:
            receiver.stop()
    tell(f"heard: {outcome(receiver.counters())}")


def screen(rows: Sequence[CameraRow]) -> RenderableType:
    """What is shown on a terminal."""
    return cameras_table(rows) if rows else "nothing heard yet"


def client_id() -> str:
    """A name at the broker that nobody else has: it lets one client have a name, and takes 23 signs of it for sure."""
    return f"listen-{secrets.token_hex(8)}"


def outcome(counts: Mapping[str, int]) -> str:
    """What came of all messages, by the codes of their verdicts."""
    refused = {code: count for code, count in counts.items() if code != "accepted"}
    causes = ", ".join(f"{count} {code}" for code, count in sorted(refused.items()))
    return f"{counts['accepted']} accepted, {sum(refused.values())} refused" + (f": {causes}" if causes else "")


class RefusalReport:
    """Tells of refusals: of a camera's first one at once, then of how many there were since."""

    def __init__(self) -> None:
        self._told_ns: Dict[str, int] = {}
        self._untold: Counter[str] = Counter()

    def hear(self, refused: Refused, now_ns: int) -> None:
        """Note a refusal at ``now_ns`` (monotonic), and tell of it when its time has come."""
        camera = refused.camera
        self._untold[camera] += 1
        if camera in self._told_ns and now_ns - self._told_ns[camera] < REPORT_NS:
            return
        tell(Event(camera, f"refused {self._untold.pop(camera)}: {refused.cause}, {refused.detail}"))
        self._told_ns[camera] = now_ns


class DuplicateReport:
    """Tells of a camera's name under which two programs publish, once until it is over."""

    def __init__(self) -> None:
        self._told: Set[str] = set()

    def hear(self, status: StatusMessage) -> None:
        """Note what a camera says of itself, and tell of it where it is new."""
        if not status.duplicate:
            self._told.discard(status.camera)
        elif status.camera not in self._told:
            self._told.add(status.camera)
            tell(Event(status.camera, "duplicate camera: two programs publish under this name, and both are shown"))


def _settings(given: Dict[str, Any]) -> MqttSettings:
    try:
        return MqttSettings.model_validate({key: value for key, value in given.items() if value is not None})
    except ValidationError as error:
        fault = error.errors()[0]
        said = hide_password(fault["msg"].replace("Value error, ", "", 1))
        raise InputError(f"{FLAGS[str(fault['loc'][0])]}: {said}") from None


def _limit(max_age_ms: Optional[float]) -> float:
    least, most = LIMITS_MS
    if max_age_ms is not None and not least <= max_age_ms <= most:
        raise InputError(f"{FLAGS['max_age_ms']}: {max_age_ms:g}; expected milliseconds from {least:g} to {most:g}")
    return MAX_AGE_MS if max_age_ms is None else max_age_ms


def _check_camera(name: Optional[str]) -> None:
    try:
        if name is not None:
            checked_name(name)
    except ValueError as error:
        raise InputError(f"--camera: {error}") from None
