"""What of one camera can be set while it runs: asked for over MQTT, judged by the settings' own rules, put in force."""

import threading
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Set, Union

from pydantic import ValidationError

from nasion.core.gates import Hysteresis
from nasion.errors import InputError
from nasion.events import Event
from nasion.messages import SETTABLE, SetMessage, StateMessage, read_set
from nasion.messages.keys import Origin, Value
from nasion.settings import DepthSettings, ImageSettings, JumpSettings, RunSettings
from nasion.sources.frame import Clock

#: A request has some ten bytes; what is longer is not read.
MAX_BYTES = 1024
#: So many different refusals are told; all are counted and answered.
_TOLD = 20


@dataclass(frozen=True)
class InForce:
    """What the steps of one frame go by. ``threshold``: what the heat map is searched down to."""

    threshold: float
    max_persons: int
    depth: DepthSettings
    jump: JumpSettings
    image: ImageSettings


class Controls:
    """The settings of one camera as they are now. Any thread may ask; the steps read ``in_force`` once a frame."""

    def __init__(
        self,
        camera: str,
        settings: RunSettings,
        *,
        threshold: float,
        session: str,
        clock: Clock,
        on_event: Callable[[str], None],
        on_change: Callable[[str, Value], None] = lambda _key, _value: None,
    ) -> None:
        """``threshold``: the model's own; ``on_change``: called with what was set, once it is in force."""
        self._camera = camera
        self._opened_with = settings
        self._model_threshold = threshold
        self._session = session
        self._clock = clock
        self._on_event = on_event
        self._on_change = on_change
        self._lock = threading.Lock()
        self._origins: Dict[str, Origin] = dict.fromkeys(SETTABLE, "configuration")
        self._told: Set[str] = set()
        self._put(settings)

    def take_up(self, kept: Mapping[str, Value], file: str) -> None:
        """What an earlier run was set to, before anything runs. InputError where it does not fit (any more)."""
        allowed = {key: value for key, value in kept.items() if key in SETTABLE and self._may(key)}
        changed = _changed(self.settings, allowed, self._opened_with)
        if isinstance(changed, str):
            raise InputError(f"remote.persist {file}: {self._camera}: {changed}; delete it there, or the whole file")
        self._put(changed)
        self._origins.update(dict.fromkeys(allowed, "kept"))
        for key, value in kept.items():
            left_out = "" if key in allowed else ", but remote.allow does not let it be set: left out"
            self._say(f"{key} = {value}, kept in {file}{left_out}")

    def ask(self, key: str, payload: bytes, *, retained: bool) -> StateMessage:
        """Put in force what ``set/<key>`` asks for; the answer says whether it is."""
        with self._lock:
            asked = _read(key, payload, retained)
            if isinstance(asked, str):
                return self._refuse(key, asked, None)
            refusal = self._refusal(key)
            changed = refusal or _changed(self.settings, {key: asked.value}, self._opened_with)
            if isinstance(changed, str):
                return self._refuse(key, changed, asked.id)
            before = self.value(key)
            self._put(changed)
            self._origins[key] = "set"
            answer = self._state(key, None, asked.id)
        if asked.value != before:
            self._say(f"{key} = {asked.value}, set over MQTT; it was {before}")
        self._on_change(key, asked.value)
        return answer

    def states(self) -> List[StateMessage]:
        """Of every key what is in force, as it is said at the start of a connection."""
        with self._lock:
            return [self._state(key, self._without_effect(key), None) for key in SETTABLE]

    def value(self, key: str) -> Optional[Value]:
        """What is in force; None of a key that has nothing in force."""
        if key not in SETTABLE or self._without_effect(key):
            return None
        if key == "threshold":
            return self.in_force.threshold
        found: Any = self.settings
        for step in SETTABLE[key].place.split("."):
            found = getattr(found, step)
        value: Value = found
        return value

    def _put(self, settings: RunSettings) -> None:
        threshold = self._model_threshold if settings.threshold is None else settings.threshold
        #: As at the start, but for what was set.
        self.settings = settings
        #: Replaced as a whole, never changed: who has it has one state of things.
        self.in_force = InForce(
            threshold=Hysteresis(settings.hysteresis, threshold).threshold,
            max_persons=settings.max_persons,
            depth=settings.depth,
            jump=settings.jump,
            image=settings.image,
        )

    def _may(self, key: str) -> bool:
        allow = self._opened_with.remote.allow
        return allow is None or key in allow

    def _without_effect(self, key: str) -> Optional[str]:
        """Why a key changes nothing in this run; None where it does."""
        if key == "threshold" and self._opened_with.hysteresis.enabled:
            return "hysteresis is enabled, and its two thresholds hold; expected hysteresis.enabled: false"
        return None

    def _refusal(self, key: str) -> Optional[str]:
        if not self._may(key):
            allow = ", ".join(self._opened_with.remote.allow or ()) or "none"
            return f"remote.allow does not let it be set; expected one of: {allow}"
        return self._without_effect(key)

    def _refuse(self, key: str, reason: str, request: Optional[str]) -> StateMessage:
        if len(self._told) < _TOLD and f"{key[:40]}: {reason}" not in self._told:
            self._told.add(f"{key[:40]}: {reason}")
            self._say(f"set/{key[:40]} is not obeyed: {reason}")
        return self._state(key, reason, request)

    def _state(self, key: str, reason: Optional[str], request: Optional[str]) -> StateMessage:
        value = self.value(key)
        return StateMessage(
            session=self._session,
            camera=self._camera,
            at=self._clock.utc_ns() / 1e9,
            key=key,
            value=value,
            origin=None if value is None else self._origins[key],
            accepted=reason is None,
            reason=reason,
            id=request,
        )

    def _say(self, text: str) -> None:
        self._on_event(Event(self._camera, text))


def _read(key: str, payload: bytes, retained: bool) -> Union[SetMessage, str]:
    if retained:
        return "it was retained, and what was asked long ago is ignored; expected without the retain flag"
    if len(payload) > MAX_BYTES:
        return f"{len(payload)} bytes; expected at most {MAX_BYTES}"
    return read_set(key, payload)


def _changed(settings: RunSettings, values: Mapping[str, Value], opened_with: RunSettings) -> Union[RunSettings, str]:
    """``settings`` with these values, or in one line why they cannot be had."""
    tree = settings.model_dump()
    for key, value in values.items():
        *parents, name = SETTABLE[key].place.split(".")
        node = tree
        for parent in parents:
            node = node[parent]
        node[name] = value
    try:
        changed = RunSettings.model_validate(tree)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
        return f"{'.'.join(map(str, fault['loc']))}: {fault['msg'].replace('Value error, ', '', 1)}"
    # The source marks what lies outside of its limits, and what it has marked is no distance any more.
    near_m, far_m = opened_with.depth.near_m, opened_with.depth.far_m
    if changed.depth.near_m < near_m:
        return f"the source was opened with depth.near_m {near_m:g}; expected no less"
    if changed.depth.far_m > far_m:
        return f"the source was opened with depth.far_m {far_m:g}; expected no more"
    return changed
