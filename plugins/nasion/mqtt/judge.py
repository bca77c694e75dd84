"""Whether a robot may act upon a `person` message. One file to copy: needs Python 3.8 and nothing else, and no broker.

    gate = Gate("nasion", "cam0", boot_id=read_boot_id())
    verdict = gate.judge(topic, retained, payload, read_now())     # never raises
    if verdict.code == "accepted": person = nearest(verdict.message)
    if gate.silent(read_now()): stop()

CODES lists what a verdict can be. How old a message is, is told

- on the host that sent it (`boot_id`) by the monotonic clock, which nobody sets; what was there before the host was
  suspended is older by the time it slept;
- on another host by two clocks, and the older age counts. By the wall clocks: at most TOLERANCE_MS wrong where NTP or
  PTP keeps them so. And against the quickest message of the session so far, by this host's clock since its boot and the
  sender's monotonic clock, so that what is held up on its way is old however the wall clocks stand. The quickest may
  rise by 1 in DRIFT, as clocks drift, while messages come. By it a sender whose wall clock is ahead is known, and
  stays refused while messages are held up. LEARN_NS of flowing messages come before the first is accepted.

So an accepted picture is never older than the limit + TOLERANCE_MS while the wall clocks agree to TOLERANCE_MS, and,
however they stand, never older than the limit + the least delay on the way + what the drift allows.
"""

import json
import math
import os
import re
import time
from collections import Counter
from typing import Any, Callable, Dict, List, NamedTuple, NoReturn, Optional, Sequence, Tuple, Union

SCHEMA = 1
#: The robot's own limits, and what Gate takes for either. A sender's `max_age_ms` only shortens the first.
MAX_AGE_MS = 200.0
SILENT_MS = 250.0
LIMITS_MS = (1.0, 60_000.0)
#: A sender's `max_gap_ms` takes the place of the second, but not below the one and not above so many times the robot's.
LEAST_SILENT_MS = 100.0
MOST_SILENT = 4.0

MAX_BYTES = 65_536
MAX_NESTING = 16
MAX_TEXT_BYTES = 256
MAX_NUMBER = 1e15
MAX_COUNT = 2**53 - 1
#: Before the year 2038, as in ROS 2, and up for less than 31 years.
MAX_WALL_NS = (2**31 - 1) * 10**9
MAX_MONOTONIC_NS = 10**18

TOLERANCE_MS = 50.0
#: On one host there is one clock; a stamp may still be that far off, since two clocks cannot be read at once.
SAME_HOST_TOLERANCE_MS = 5.0
#: Two clocks that are not set drift apart by at most 1 in so many: 500 ppm.
DRIFT = 2000
#: A pause counts as flowing, for the drift and for learning, up to this.
FLOWING_NS = 100_000_000
LEARN_NS = 500_000_000
#: A clock since boot that gains so much on the monotonic one: the host was suspended.
SUSPENDED_NS = 10_000_000

MIN_RANGE_M = 0.05
MAX_RANGE_M = 200.0
#: Lengths that say the same may differ by 1 cm and 1 %; a camera sits so far from its robot's origin at most.
TOLERANCE_M = 0.01
TOLERANCE_SHARE = 0.01
MAX_MOUNT_M = 10.0
MAX_VARIANCE_M2 = 1e6
OPTICAL_FRAME = "_optical_frame"

FRAME_REASONS = ("no_face", "low_probability", "no_tensor", "corrupt_frame", "no_frame", "frozen")
PERSON_REASONS = ("no_depth", "ambiguous", "too_near", "too_far", "jump", "unpaired", "eyes_do_not_fit")

#: Every verdict, in the order in which they are looked for, but for the first.
CODES: Dict[str, str] = {
    "accepted": "May be acted upon.",
    "other_topic": "On another topic than `<prefix>/<camera>/person` of the camera asked for.",
    "retained": "Kept by the broker from before.",
    "too_large": f"More than {MAX_BYTES} bytes.",
    "not_json": "Not strict JSON in UTF-8: also a key twice, a number that is none or overflows, "
    f"over {MAX_NESTING} levels.",
    "other_schema": f"A `schema` other than {SCHEMA}: get the receivers that came with the publisher.",
    "malformed": "A key is missing, or its value is not of its kind or out of bounds.",
    "unknown_reason": "A `reason` that is not known here, so that nobody knows what it would ask of the robot.",
    "other_camera": "`camera` is not that of the topic.",
    "impossible": "A position that cannot be: range, depth, bearing and position contradict each other, "
    f"it lies behind the camera or beyond {MIN_RANGE_M:g} to {MAX_RANGE_M:g} m, or the covariance is not symmetric and "
    "positive definite.",
    "other_session": "Another session than the one that is heard, which has not been silent yet.",
    "repeated": "Its `seq` is not above that of the last one that was heard of the session.",
    "future": f"The clocks disagree: it, or the quickest of its session, was captured more than {TOLERANCE_MS:g} ms "
    f"from now; on one host {SAME_HOST_TOLERANCE_MS:g} ms.",
    "stale": "Older on arrival than the robot's limit, or than `max_age_ms` where that is less.",
    "learning": f"From another host, whose clock is being learned: the first {LEARN_NS / 1e9:g} s of a session.",
    "error": "The receiver itself failed: never seen, and counted all the same.",
}

Message = Dict[str, Any]


class Now(NamedTuple):
    """An instant on three clocks of this host, nanoseconds: wall, monotonic, and since boot with suspensions."""

    utc_ns: int
    monotonic_ns: int
    boottime_ns: int


class Verdict(NamedTuple):
    """``message``: only where ``code`` is `accepted`; ``age_ms``: where it could be told; ``detail``: for people."""

    code: str
    message: Optional[Message] = None
    age_ms: Optional[float] = None
    detail: str = ""


class Gate:
    """Judges what arrives for one camera. Pure: time is an argument. `counts` holds how often each code was given."""

    def __init__(
        self,
        prefix: str = "nasion",
        camera: str = "cam0",
        *,
        max_age_ms: float = MAX_AGE_MS,
        silent_ms: float = SILENT_MS,
        boot_id: Optional[str] = None,
    ) -> None:
        """``max_age_ms``, ``silent_ms``: the robot's limits, LIMITS_MS, else ValueError; ``boot_id``: this host's."""
        for name, value in (("max_age_ms", max_age_ms), ("silent_ms", silent_ms)):
            if not LIMITS_MS[0] <= value <= LIMITS_MS[1]:
                raise ValueError(f"{name}: {value!r}; expected {LIMITS_MS[0]:g} to {LIMITS_MS[1]:g}")
        self.topic, self.camera = f"{prefix}/{camera}/person", camera
        self.max_age_ms, self.boot_id = max_age_ms, boot_id
        self.silent_ms = self._own_silent_ms = silent_ms
        self.counts: Counter = Counter()  # type: ignore[type-arg]
        self.missed = self.sessions = 0
        self._accepted_ns: Optional[int] = None
        self._session: Optional[Tuple[str, Optional[str]]] = None
        self._held_ns = 0
        self._greeted = False
        self._seq = -1
        self._clock = _SendersClock()
        self._asleep_ns: Optional[int] = None
        self._woke_ns = self._slept_ns = 0

    @property
    def refused(self) -> Dict[str, int]:
        """How often each refusal was given."""
        return {code: count for code, count in sorted(self.counts.items()) if code != "accepted"}

    def judge(self, topic: str, retained: bool, payload: bytes, now: Now) -> Verdict:
        """The verdict on what arrived ``now``. Whatever fails is a verdict too."""
        try:
            verdict = self._judge(topic, retained, payload, now)
        except _Refusal as refusal:
            verdict = Verdict(refusal.code, age_ms=refusal.age_ms, detail=refusal.detail)
        except Exception as error:
            verdict = Verdict("error", detail=f"{type(error).__name__} in the receiver")
        self.counts[verdict.code] += 1
        return verdict

    def silent_s(self, now: Now) -> float:
        """Seconds since the last accepted message, suspensions included; infinite before the first."""
        return math.inf if self._accepted_ns is None else (now.boottime_ns - self._accepted_ns) / 1e9

    def silent(self, now: Now) -> bool:
        """Whether the robot must stop: nothing was accepted for `silent_ms`."""
        return self.silent_s(now) * 1e3 > self.silent_ms

    def _judge(self, topic: str, retained: bool, payload: bytes, now: Now) -> Verdict:
        self._note_suspension(now)
        if topic != self.topic:
            raise _Refusal("other_topic", f"expected {self.topic}")
        if retained:
            raise _Refusal("retained", "the broker kept it")
        message = read_message(payload, self.camera)
        self._take_turn(message, now)
        if message["seq"] <= self._seq:
            raise _Refusal("repeated", f"seq {message['seq']} after {self._seq}")
        own = self.boot_id is not None and message.get("boot_id") == self.boot_id
        age_ns, quickest_ns = (self._age_here_ns(message, now), 0) if own else self._age_afar_ns(message, now)
        limit_ms, age_ms = min(message["max_age_ms"], self.max_age_ms), age_ns / 1e6
        if age_ns > limit_ms * 1e6:
            also = f", {quickest_ns / 1e6:.0f} ms the quickest: late, or the hosts' clocks disagree"
            also = also if quickest_ns > limit_ms * 1e6 else ""
            raise _Refusal("stale", f"{age_ms:.0f} ms old, the limit is {limit_ms:.0f} ms{also}", age_ms)
        if self._seq >= 0:
            self.missed += message["seq"] - self._seq - 1
        self._seq, self._held_ns = message["seq"], now.boottime_ns
        if not own and self._clock.learned_ns < LEARN_NS:
            raise _Refusal("learning", "the clock of another host is being learned", age_ms)
        self.sessions += not self._greeted
        self._greeted, self._accepted_ns = True, now.boottime_ns
        self.silent_ms = self._silent_ms(message.get("max_gap_ms"))
        return Verdict("accepted", message, age_ms)

    def _take_turn(self, message: Message, now: Now) -> None:
        """One session at a time. The next may begin when the robot has stopped, and all of the last one is stale."""
        session = (message["session"], message.get("boot_id"))
        if session == self._session:
            return
        if self._session is not None:
            wait_ms = max(self.silent_ms, self.max_age_ms)
            if now.boottime_ns - self._held_ns <= wait_ms * 1e6:
                raise _Refusal("other_session", f"session {session[0]}, while {self._session[0]} is heard")
        self._session, self._held_ns, self._seq, self._greeted = session, now.boottime_ns, -1, False
        self._clock = _SendersClock()

    def _silent_ms(self, max_gap_ms: Optional[float]) -> float:
        own_ms = self._own_silent_ms
        if max_gap_ms is None:
            return own_ms
        return min(max(float(max_gap_ms), min(LEAST_SILENT_MS, own_ms)), MOST_SILENT * own_ms)

    def _note_suspension(self, now: Now) -> None:
        asleep_ns = now.boottime_ns - now.monotonic_ns
        if self._asleep_ns is not None and asleep_ns - self._asleep_ns > SUSPENDED_NS:
            # Of two suspensions soon after each other, what is old may have seen both.
            before_ns = self._slept_ns if now.monotonic_ns - self._woke_ns < LIMITS_MS[1] * 1e6 else 0
            self._woke_ns, self._slept_ns = now.monotonic_ns, before_ns + asleep_ns - self._asleep_ns
        self._asleep_ns = asleep_ns

    def _age_here_ns(self, message: Message, now: Now) -> int:
        stamp_ns = int(message["monotonic_ns"])
        age_ns = now.monotonic_ns - stamp_ns + (self._slept_ns if stamp_ns <= self._woke_ns else 0)
        if age_ns < -SAME_HOST_TOLERANCE_MS * 1e6:
            raise _Refusal("future", f"captured {-age_ns / 1e6:.0f} ms from now", age_ns / 1e6)
        return age_ns

    def _age_afar_ns(self, message: Message, now: Now) -> Tuple[int, int]:
        """The age, and by the wall clocks that of the quickest message of the session."""
        wall_ns = now.utc_ns - int(message["captured_ns"])
        stamp_ns = int(message["captured_ns"] if message.get("monotonic_ns") is None else message["monotonic_ns"])
        held_up_ns = self._clock.hear(now.boottime_ns, stamp_ns)
        # What the quickest message's age would be by the wall clocks as both stand now: no age is less than nothing.
        quickest_ns = wall_ns - held_up_ns
        if quickest_ns < -TOLERANCE_MS * 1e6:
            detail = f"the quickest was captured {-quickest_ns / 1e6:.0f} ms from now; the hosts' clocks disagree"
            raise _Refusal("future", detail, wall_ns / 1e6)
        return max(wall_ns, held_up_ns), quickest_ns


class _SendersClock:
    """How another host's clock stands to ours, as its quickest message tells it."""

    def __init__(self) -> None:
        self.learned_ns = 0
        self._least_ns: Optional[int] = None
        self._heard_ns = 0

    def hear(self, boottime_ns: int, stamp_ns: int) -> int:
        """By how much a message was slower than the quickest, nanoseconds."""
        apart_ns = boottime_ns - stamp_ns
        if self._least_ns is None:
            self._least_ns = apart_ns
        else:
            flowed_ns = min(max(boottime_ns - self._heard_ns, 0), FLOWING_NS)
            self.learned_ns = min(self.learned_ns + flowed_ns, LEARN_NS)
            self._least_ns = min(self._least_ns + flowed_ns // DRIFT, apart_ns)
        self._heard_ns = boottime_ns
        return apart_ns - self._least_ns


class _Refusal(Exception):  # noqa: N818  It is a verdict, no error.
    def __init__(self, code: str, detail: str, age_ms: Optional[float] = None) -> None:
        super().__init__(code)
        self.code, self.detail, self.age_ms = code, detail, age_ms


def read_message(payload: bytes, camera: str) -> Message:
    """The message of ``camera``, checked against the contract, as a dictionary; keys that are not known are kept."""
    if len(payload) > MAX_BYTES:
        raise _Refusal("too_large", f"{len(payload)} bytes; expected at most {MAX_BYTES}")
    message = _strict_json(payload)
    if not isinstance(message, dict) or not _is_integer(message.get("schema")):
        raise _Refusal("malformed", "expected an object with an integer `schema`")
    if message["schema"] != SCHEMA:
        raise _Refusal("other_schema", f"schema {message['schema']}; this receiver reads {SCHEMA}")
    _check_kinds(message, _MESSAGE, "")
    persons: List[Message] = message["persons"]
    for person in persons:
        _check_kinds(person, _PERSON, "persons.")
        _check_kinds(person["depth"], _DEPTH, "persons.depth.")
        given = [person[key] is not None for key in _POSITION]
        if not person["valid"] == all(given) == any(given) == (person["reason"] is None):
            raise _Refusal("malformed", "a person has either a position or a reason")
    if bool(persons) != (message["reason"] is None):
        raise _Refusal("malformed", "a frame lists persons, or gives a reason")
    if (message.get("monotonic_ns") is None) != (message.get("boot_id") is None):
        raise _Refusal("malformed", "monotonic_ns and boot_id stand together or not at all")
    for reason, known in ((message["reason"], FRAME_REASONS), *((one["reason"], PERSON_REASONS) for one in persons)):
        if reason is not None and reason not in known:
            raise _Refusal("unknown_reason", f"reason {reason[:32]!r}; expected one of {', '.join(known)}")
    if message["camera"] != camera:
        raise _Refusal("other_camera", f"camera {message['camera']!r} on the topic of {camera!r}")
    for person in persons:
        if person["valid"]:
            _check_position(person, message["frame_id"].endswith(OPTICAL_FRAME))
    return message


def nearest(message: Message) -> Optional[Message]:
    """The person with the least range; None where nobody has a position: see `reason`, and those of the persons."""
    located = [person for person in message["persons"] if person["valid"]]
    return min(located, key=lambda person: float(person["range_m"]), default=None)


def read_boot_id(path: Union[str, "os.PathLike[str]"] = "/proc/sys/kernel/random/boot_id") -> Optional[str]:
    """The kernel's id of this boot, the same in all containers of the host; None where it cannot be told."""
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            return file.read().strip() or None
    except OSError:
        return None


def read_now() -> Now:
    """This instant. Where there is no clock that counts suspensions, the monotonic one stands for it."""
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return Now(time.time_ns(), time.monotonic_ns(), time.clock_gettime_ns(clock))


# JSON, stricter than json


def _strict_json(payload: bytes) -> Any:
    try:
        text = payload.decode("utf-8")
        value = json.loads(
            text,
            parse_constant=_no_number,
            parse_float=_finite,
            parse_int=_integer,
            object_pairs_hook=_once_each,
        )
        if "\\u" in text:
            # Halves of a character, which UTF-8 does not know.
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError) as error:
        raise _Refusal("not_json", " ".join(str(error).split())[:120]) from None
    if _deeper(value, MAX_NESTING):
        raise _Refusal("not_json", f"more than {MAX_NESTING} levels")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError("a number is too large")
    return value


def _integer(digits: str) -> Any:
    """An int where 64 bits hold it, as in other languages; else a float."""
    value = int(digits) if len(digits) <= 20 else MAX_BYTES**9
    return value if -(2**63) <= value < 2**64 else _finite(digits)


def _once_each(pairs: Sequence[Tuple[str, Any]]) -> Message:
    whole = dict(pairs)
    if len(whole) != len(pairs):
        raise ValueError("a key stands twice")
    return whole


def _deeper(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return False
    inside = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_deeper(one, levels - 1) for one in inside)


# Kinds of values


def _is_integer(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_count(value: Any) -> bool:
    return _is_integer(value) and 0 <= value <= MAX_COUNT


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= MAX_NUMBER


def _is_above_0(value: Any) -> bool:
    return _is_number(value) and value > 0


def _is_share(value: Any) -> bool:
    return _is_number(value) and 0 <= value <= 1


def _is_text(value: Any) -> bool:
    """Without control characters, which a terminal or a log would obey."""
    if not isinstance(value, str) or re.search("[\x00-\x1f\x7f-\x9f]", value):
        return False
    return 0 < len(value.encode("utf-8")) <= MAX_TEXT_BYTES


def _is_nanoseconds(most: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and bool(re.fullmatch("[0-9]{1,19}", value)) and int(value) <= most


def _are_numbers(count: int) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and len(value) == count and all(map(_is_number, value))


def _or_null(kind: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: value is None or kind(value)


_Kinds = Dict[str, Callable[[Any], bool]]

#: Keys that may be missing.
_OPTIONAL = {"monotonic_ns", "boot_id", "recorded_ns", "max_gap_ms"}
_MESSAGE: _Kinds = {
    "session": _is_text,
    "camera": _is_text,
    "seq": _is_count,
    "frame_id": _is_text,
    "captured_at": _is_number,
    "captured_ns": _is_nanoseconds(MAX_WALL_NS),
    "monotonic_ns": _or_null(_is_nanoseconds(MAX_MONOTONIC_NS)),
    "boot_id": _or_null(_is_text),
    "recorded_ns": _or_null(lambda value: isinstance(value, str) and bool(re.fullmatch("-?[0-9]{1,19}", value))),
    "published_at": _is_number,
    "max_age_ms": _is_above_0,
    "max_gap_ms": _or_null(_is_above_0),
    "persons": lambda value: isinstance(value, list) and all(isinstance(one, dict) for one in value),
    "reason": _or_null(lambda value: isinstance(value, str)),
    "latency_ms": lambda value: isinstance(value, dict) and all(map(_is_number, value.values())),
}
_POSITION = ("depth_m", "range_m", "position_m", "covariance_m2")
_PERSON: _Kinds = {
    "track_id": _is_count,
    "probability": _is_share,
    "pixel": _are_numbers(2),
    "bearing_rad": _are_numbers(2),
    "valid": lambda value: isinstance(value, bool),
    "reason": _or_null(lambda value: isinstance(value, str)),
    "depth_m": _or_null(_is_number),
    "range_m": _or_null(_is_number),
    "position_m": _or_null(_are_numbers(3)),
    "covariance_m2": _or_null(_are_numbers(9)),
    "depth": lambda value: isinstance(value, dict),
}
_DEPTH: _Kinds = {"value": _or_null(_is_number), "count": _is_count, "of": _is_count, "spread": _or_null(_is_number)}


def _check_kinds(whole: Message, kinds: _Kinds, place: str) -> None:
    for key, kind in kinds.items():
        if key not in whole:
            if key not in _OPTIONAL:
                raise _Refusal("malformed", f"{place}{key} is missing")
        elif not kind(whole[key]):
            raise _Refusal("malformed", f"{place}{key}: {repr(whole[key])[:40]} is not of its kind or out of bounds")


def _check_position(person: Message, optical: bool) -> None:
    """What is said of one place must agree; it must lie before the camera, and how sure it is must be known."""
    depth_m, range_m = float(person["depth_m"]), float(person["range_m"])
    azimuth, elevation = map(float, person["bearing_rad"])
    x, y, z = map(float, person["position_m"])
    near_m = TOLERANCE_M + TOLERANCE_SHARE * range_m
    if not (depth_m > 0 and MIN_RANGE_M <= range_m <= MAX_RANGE_M and max(abs(azimuth), abs(elevation)) < math.pi / 2):
        raise _Refusal("impossible", f"range {range_m:g} m, depth {depth_m:g} m")
    if abs(range_m * math.cos(azimuth) * math.cos(elevation) - depth_m) > near_m:
        raise _Refusal("impossible", f"depth {depth_m:g} m at range {range_m:g} m and this bearing")
    away_m = math.sqrt(x * x + y * y + z * z)
    if abs(away_m - range_m) > (near_m if optical else MAX_MOUNT_M) or (optical and abs(z - depth_m) > near_m):
        raise _Refusal("impossible", f"range {range_m:g} m, position {away_m:g} m away")
    xx, xy, xz, yx, yy, yz, zx, zy, zz = map(float, person["covariance_m2"])
    if max(xx, yy, zz) > MAX_VARIANCE_M2 or any(
        abs(one - other) > 1e-12 + 1e-6 * abs(one) for one, other in ((xy, yx), (xz, zx), (yz, zy))
    ):
        raise _Refusal("impossible", "the covariance is not symmetric, or endless")
    if not _is_positive_definite(xx, xy, xz, yy, yz, zz):
        raise _Refusal("impossible", "the covariance is not positive definite")


def _is_positive_definite(xx: float, xy: float, xz: float, yy: float, yz: float, zz: float) -> bool:
    """By its pivots: determinants lose what is sure across the line of sight in what is unsure along it."""
    if not xx > 0:
        return False
    pivot, rest = yy - xy / xx * xy, yz - xz / xx * xy
    return pivot > 0 and zz - xz / xx * xz - rest / pivot * rest > 0
