"""What a run must tell while it runs: once when an episode begins, and once when it is over. Counts and time come in.

A robot that hears nothing looks like one with nobody in front of it. Every rule therefore watches a share of what is
counted; it begins at one share and ends at a lower one, so that a share in between tells nothing anew.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Callable, Deque, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from nasion.core.results import PersonReason

#: So often the counts are looked at.
PERIOD_NS = 1_000_000_000
#: A broker that has not taken us by then is told, with what follows of it; why it does not, the connection has told.
NO_BROKER_NS = 10_000_000_000

_PERSON_REMEDIES = {
    "no_depth": "the depth is not known where they are; look at the calibration, the lenses and the light",
    "ambiguous": "what is seen there repeats itself, as stripes or tiles do, and several distances fit alike",
    "too_near": "they are nearer than depth.near_m, or the unit of the depth is wrong",
    "too_far": "they are farther than depth.far_m, or the unit of the depth is wrong",
    "unpaired": "the depth of these very frames is not there",
    "jump": "their distances jump by more than jump.max_speed_m_s allows; look at the calibration",
}


@dataclass(frozen=True)
class Counts:
    """Of one camera, since the start. ``persons``: by reason, "" for those with a position.

    ``connected``: whether the broker has us now; None where no broker is wanted.
    """

    frames: int = 0
    processed: int = 0
    drops: Mapping[str, int] = field(default_factory=dict)
    published: Mapping[str, int] = field(default_factory=dict)
    persons: Mapping[str, int] = field(default_factory=dict)
    connected: Optional[bool] = None


class Span(NamedTuple):
    """What happened between two looks."""

    before: Counts
    now: Counts
    seconds: float

    def published(self, name: str) -> int:
        return self.now.published.get(name, 0) - self.before.published.get(name, 0)

    def dropped(self, cause: str) -> int:
        return self.now.drops.get(cause, 0) - self.before.drops.get(cause, 0)

    def persons(self) -> Dict[str, int]:
        """Persons by reason; those that did not come are left out."""
        grown = {reason: count - self.before.persons.get(reason, 0) for reason, count in self.now.persons.items()}
        return {reason: count for reason, count in grown.items() if count}


class Rule(NamedTuple):
    """``part`` of ``whole`` is a fault. ``least``: of fewer nothing is said; ``broker``: counts only while it has us.

    ``tell`` and ``over`` get the span, part and whole; ``over``'s span is the whole episode.
    """

    window_s: float
    least: int
    begins: float
    ends: float
    broker: bool
    part: Callable[[Span], int]
    whole: Callable[[Span], int]
    tell: Callable[[Span, int, int], str]
    over: Callable[[Span, int, int], str]


def rules(max_age_ms: float, quicker: Sequence[str]) -> List[Rule]:
    """All of them. The texts say what happens and what helps; ``quicker``: what makes the network so."""
    faster = ", ".join([*quicker, "a faster machine"])
    return [
        Rule(
            window_s=5,
            least=3,
            begins=0.5,
            ends=0.1,
            broker=True,
            part=lambda span: span.published("stale"),
            whole=lambda span: span.published("offered"),
            tell=lambda _, part, whole: (
                f"{part} of the last {whole} messages were not sent: they were older than mqtt.max_age_ms "
                f"({max_age_ms:g} ms) before they were ready; take {faster}, or allow more in mqtt.max_age_ms"
            ),
            over=lambda span, part, whole: (
                f"messages are fresh again; in {span.seconds:.0f} s {part} of {whole} were not sent, being too old"
            ),
        ),
        Rule(
            window_s=5,
            least=5,
            begins=0.75,
            ends=0.5,
            broker=True,
            part=lambda span: span.published("replaced"),
            whole=lambda span: span.published("offered"),
            tell=lambda span, part, whole: (
                f"{part} of the last {whole} messages gave way to newer ones: the broker acknowledged "
                f"{span.published('acknowledged')} in {span.seconds:.0f} s; look at the broker and the network, "
                "or set mqtt.qos to 0"
            ),
            over=lambda span, part, whole: (
                f"the broker keeps up again; in {span.seconds:.0f} s {part} of {whole} messages gave way to newer ones"
            ),
        ),
        Rule(
            window_s=10,
            least=10,
            begins=0.5,
            ends=0.25,
            broker=False,
            part=lambda span: span.dropped("queue"),
            whole=lambda span: span.now.frames - span.before.frames - span.dropped("every"),
            tell=lambda _, part, whole: (
                f"{part} of the last {whole} frames were overtaken by newer ones: the machine is too slow for them; "
                f"take {faster}, or --every 2"
            ),
            over=lambda span, part, whole: (
                f"the machine keeps up again; in {span.seconds:.0f} s {part} of {whole} frames were overtaken"
            ),
        ),
        Rule(
            window_s=2,
            least=3,
            begins=0.5,
            ends=0.1,
            broker=False,
            part=lambda span: span.dropped("frozen"),
            whole=lambda span: span.now.frames - span.before.frames,
            tell=lambda _, part, whole: (
                f"the source repeats its picture: {part} of the last {whole} frames are the same to the bit; look at "
                "the camera; where a picture may stand still, set frozen_ms to 0"
            ),
            over=lambda span, part, whole: (
                f"the source gives new pictures again; in {span.seconds:.0f} s {part} of {whole} frames were the same"
            ),
        ),
        Rule(
            window_s=5,
            least=3,
            begins=0.5,
            ends=0.1,
            broker=False,
            part=lambda span: span.dropped("no_tensor"),
            whole=lambda span: span.now.processed - span.before.processed,
            tell=lambda _, part, whole: (
                f"the network gave no heat map for {part} of the last {whole} frames; look at the model and the engine"
            ),
            over=lambda span, part, whole: (
                f"the network gives heat maps again; in {span.seconds:.0f} s {part} of {whole} frames had none"
            ),
        ),
        Rule(
            window_s=30,
            least=10,
            begins=1.0,
            ends=0.9,
            broker=False,
            part=lambda span: sum(count for reason, count in _asked(span).items() if reason),
            whole=lambda span: sum(_asked(span).values()),
            tell=_no_position,
            over=lambda span, part, whole: (
                f"persons have positions again; in {span.seconds:.0f} s {part} of {whole} had none"
            ),
        ),
    ]


def _asked(span: Span) -> Dict[str, int]:
    """Persons by reason, without those whose depth was not looked at: of eyes that do not fit the source has told."""
    reasons = span.persons()
    reasons.pop(PersonReason.EYES_DO_NOT_FIT.value, None)
    return reasons


def _no_position(span: Span, _part: int, whole: int) -> str:
    reasons = sorted(_asked(span).items(), key=lambda item: -item[1])
    counts = ", ".join(f"{reason} {count}" for reason, count in reasons)
    remedy = _PERSON_REMEDIES.get(reasons[0][0])
    return f"none of the last {whole} persons had a position ({counts})" + (f": {remedy}" if remedy else "")


class Episodes:
    """The episodes of one camera."""

    def __init__(self, max_age_ms: float, quicker: Sequence[str] = ()) -> None:
        """``quicker``: what would make the network faster, e.g. a smaller view."""
        self._watched = [_Watched(rule) for rule in rules(max_age_ms, quicker)]
        self._began_ns: Optional[int] = None
        self._looked_ns = 0
        self._had_broker = False

    def look(self, counts: Callable[[], Counts], connected: Optional[bool], now_ns: int) -> List[str]:
        """To be called often; what is to be told now. ``counts`` is asked for when it is due."""
        if self._began_ns is None:
            self._began_ns = self._looked_ns = now_ns
        connects = bool(connected) and not self._had_broker
        due = now_ns - self._looked_ns >= PERIOD_NS
        if not due and not connects and now_ns != self._began_ns:
            return []
        self._had_broker = self._had_broker or bool(connected)
        if due:
            self._looked_ns = now_ns
        now = counts()
        said = [line for watched in self._watched for line in watched.look(now, now_ns)]
        return [*said, *self._no_broker(now, now_ns)]

    def end(self, now: Counts, now_ns: int) -> List[str]:
        """What is still to be told of a run that was too short for it to be told before."""
        return [line for watched in self._watched for line in watched.end(now, now_ns)]

    def _no_broker(self, now: Counts, now_ns: int) -> List[str]:
        if self._had_broker or now.connected is not False or self._began_ns is None:
            return []
        if now_ns - self._began_ns < NO_BROKER_NS:
            return []
        self._had_broker = True
        return ["no broker so far: robots hear nothing until it is there; --mqtt none runs without one"]


class _Watched:
    """One rule, and whether its episode is on."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._looks: Deque[Tuple[int, Counts]] = deque()
        self._begun: Optional[Tuple[int, Counts]] = None

    def look(self, now: Counts, now_ns: int) -> List[str]:
        if self._rule.broker and not now.connected:
            # What is not sent meanwhile, the connection tells.
            self._looks.clear()
            return []
        self._looks.append((now_ns, now))
        window_ns = int(self._rule.window_s * 1e9)
        while len(self._looks) > 2 and now_ns - self._looks[1][0] >= window_ns:
            self._looks.popleft()
        full = now_ns - self._looks[0][0] >= window_ns
        return self._judge(now, now_ns) if full else []

    def end(self, now: Counts, now_ns: int) -> List[str]:
        if not self._looks or self._begun is not None:
            return []
        return self._judge(now, now_ns)

    def _judge(self, now: Counts, now_ns: int) -> List[str]:
        rule = self._rule
        span = _span(self._looks[0], now, now_ns)
        part, whole = rule.part(span), rule.whole(span)
        if whole < rule.least:
            return []
        if self._begun is None and part >= rule.begins * whole:
            self._begun = self._looks[0]
            return [rule.tell(span, part, whole)]
        if self._begun is not None and part <= rule.ends * whole:
            episode, self._begun = _span(self._begun, now, now_ns), None
            return [rule.over(episode, rule.part(episode), rule.whole(episode))]
        return []


def _span(since: Tuple[int, Counts], now: Counts, now_ns: int) -> Span:
    since_ns, before = since
    return Span(before, now, (now_ns - since_ns) / 1e9)


class Damage:
    """Frames of a recording that cannot be decoded: one line when they begin, one when it is over.

    It is over after ``GOOD`` readable frames in a row.
    """

    GOOD = 30

    def __init__(self) -> None:
        self._corrupt = 0
        self._good = 0
        self._why = ""

    def corrupt(self, why: str) -> List[str]:
        """One that was skipped."""
        self._corrupt += 1
        self._good, self._why = 0, why
        return [f"corrupt frame skipped: {why}"] if self._corrupt == 1 else []

    def readable(self) -> List[str]:
        """One that was not."""
        self._good += 1
        return self.end() if self._good == self.GOOD else []

    def end(self) -> List[str]:
        """Nothing more comes."""
        corrupt, self._corrupt = self._corrupt, 0
        return [f"{corrupt} corrupt frames skipped, the last: {self._why}"] if corrupt > 1 else []
