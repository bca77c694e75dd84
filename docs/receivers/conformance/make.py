#!/usr/bin/env python3
"""Writes corpus.jsonl beside it: stories that every receiver must judge alike. Says by itself what the verdicts are.

    python3 make.py        # the same bytes every time

A line is a story: `name`, the receiver's `prefix`, `camera`, `boot_id`, `max_age_ms` and `silent_ms`, and its `steps`.
A step is an arrival: `name`, the receiver's three clocks in nanoseconds, `topic`, `retained`, the payload as `text` or
`base64`, `times` over; then what must come of it: `silent`, whether the robot must stand still just before, the
verdict's `code`, and `position_m` of the nearest person; null where it is refused or nobody has a position.
"""

import base64
import copy
import json
import math
from pathlib import Path

PREFIX, CAMERA, HERE, ELSEWHERE = "nasion", "cam0", "boot-1", "boot-2"
TOPIC = f"{PREFIX}/{CAMERA}/person"
MS, SECOND = 1_000_000, 1_000_000_000
#: The receiver's clocks when a story begins: up for a day, and an hour of that suspended.
UTC_NS, MONOTONIC_NS, BOOTTIME_NS = 1_700_000_000 * SECOND, 82_800 * SECOND, 86_400 * SECOND
#: The other host's monotonic clock at that instant.
AFAR_NS = 5_000 * SECOND


def person(x=0.0, y=0.0, z=2.0, **changed):
    """A person at a place in the optical frame."""
    range_m = math.sqrt(x * x + y * y + z * z)
    return {
        "track_id": 1,
        "probability": 0.9,
        "pixel": [640.0, 360.0],
        "bearing_rad": [math.atan2(x, z), math.atan2(-y, math.hypot(x, z))],
        "valid": True,
        "reason": None,
        "depth_m": z,
        "range_m": range_m,
        "position_m": [x, y, z],
        "covariance_m2": [1e-4, 0.0, 0.0, 0.0, 1e-4, 0.0, 0.0, 0.0, 4e-4],
        "depth": {"value": z, "count": 25, "of": 25, "spread": 0.003},
        **changed,
    }


def nowhere(reason="jump", **changed):
    """A person whose distance is not known."""
    lacking = dict.fromkeys(("depth_m", "range_m", "position_m", "covariance_m2"))
    return {**person(), "valid": False, "reason": reason, **lacking, **changed}


def compact(whole):
    """As publishers write it."""
    return json.dumps(whole, separators=(",", ":"))


class Story:
    """One receiver and what it hears. ``own``: from its own host; ``ahead_ms``: the sender's wall clock is."""

    def __init__(self, name, own=True, ahead_ms=0.0, **options):
        self.own, self.ahead_ms, self.seq, self.session = own, ahead_ms, -1, "s1"
        self.utc_ns, self.monotonic_ns, self.boottime_ns = UTC_NS, MONOTONIC_NS, BOOTTIME_NS
        self.told = {"name": name, "prefix": PREFIX, "camera": CAMERA, "boot_id": HERE, "max_age_ms": 200.0}
        self.told.update({"silent_ms": 250.0, **options, "steps": []})
        self.silent = True

    def wait(self, ms, suspended_ms=0.0):
        self.utc_ns += round((ms + suspended_ms) * MS)
        self.monotonic_ns += round(ms * MS)
        self.boottime_ns += round((ms + suspended_ms) * MS)
        return self

    def message(self, age_ms=10.0, **changed):
        """The next message; one that is ``None`` is left out. Its picture is ``age_ms`` old now."""
        self.seq += 1
        age_ns = round(age_ms * MS)
        captured_ns = self.utc_ns - age_ns + round(self.ahead_ms * MS)
        afar_ns = AFAR_NS + self.boottime_ns - BOOTTIME_NS
        whole = {
            "schema": 1,
            "session": self.session,
            "camera": CAMERA,
            "seq": self.seq,
            "frame_id": "cam0_left_camera_optical_frame",
            "captured_at": captured_ns / 1e9,
            "captured_ns": str(captured_ns),
            "monotonic_ns": str((self.monotonic_ns if self.own else afar_ns) - age_ns),
            "boot_id": HERE if self.own else ELSEWHERE,
            "published_at": captured_ns / 1e9,
            "max_age_ms": 200.0,
            "persons": [person()],
            "reason": None,
            "latency_ms": {"total": 9.0},
        }
        return {**whole, **changed}

    def hear(self, payload, code, position_m=None, *, topic=TOPIC, retained=False, times=1, silent=None, name=""):
        """``payload``: an object, text or bytes; ``silent``: where it is not what it was before."""
        if isinstance(payload, dict):
            payload = compact(payload)
        told = {"text": payload} if isinstance(payload, str) else {"base64": base64.b64encode(payload).decode()}
        step = {
            "name": name,
            "utc_ns": str(self.utc_ns),
            "monotonic_ns": str(self.monotonic_ns),
            "boottime_ns": str(self.boottime_ns),
            "topic": topic,
            "retained": retained,
            **told,
            "times": times,
            "silent": self.silent if silent is None else silent,
            "code": code,
            "position_m": position_m,
        }
        self.told["steps"].append(step)
        if code == "accepted":
            self.silent = False
        return self

    def good(self, age_ms=10.0, silent=None, **changed):
        return self.hear(self.message(age_ms, **changed), "accepted", [0.0, 0.0, 2.0], silent=silent)

    def learn(self, code="learning", count=6, delay_ms=10.0):
        """The half second of another host's stream before the first message is accepted."""
        for _ in range(count - 1):
            self.hear(self.message(delay_ms), code).wait(100)
        return self


def without(whole, *keys):
    return {key: value for key, value in whole.items() if key not in keys}


def of_person(whole, **changed):
    whole = copy.deepcopy(whole)
    whole["persons"][0].update(changed)
    return whole


def replaced(whole, old, new):
    text = compact(whole)
    assert old in text, old
    return text.replace(old, new, 1)


def kinds():
    """What is no message of the contract: (name, what it makes of a good message, its code)."""
    yield "no_reason_key", lambda m: without({**m, "persons": []}, "reason"), "malformed"
    yield "reason_number", lambda m: {**m, "persons": [], "reason": 7}, "malformed"
    yield "reason_of_another_version", lambda m: {**m, "persons": [], "reason": "hat_on"}, "unknown_reason"
    yield "reason_of_a_person_for_a_frame", lambda m: {**m, "persons": [], "reason": "jump"}, "unknown_reason"
    yield "reason_beside_persons", lambda m: {**m, "reason": "no_face"}, "malformed"
    yield "nobody_without_reason", lambda m: {**m, "persons": []}, "malformed"
    yield "persons_no_list", lambda m: {**m, "persons": {}}, "malformed"
    yield "persons_null", lambda m: {**m, "persons": None}, "malformed"
    yield "persons_not_objects", lambda m: {**m, "persons": [1]}, "malformed"
    for key in without(Story("").message(), "monotonic_ns", "boot_id"):
        yield f"without_{key}", lambda m, key=key: without(m, key), "malformed"
        yield f"null_{key}", lambda m, key=key: {**m, key: None}, "malformed" if key != "reason" else "accepted"
        for value in ([1], True):
            yield f"{key}_{json.dumps(value)}", lambda m, key=key, value=value: {**m, key: value}, "malformed"
    for key in person():
        yield f"person_without_{key}", lambda m, key=key: {**m, "persons": [without(person(), key)]}, "malformed"
    for key in ("depth_m", "range_m", "position_m", "covariance_m2"):
        for name, value in (("null", None), ("text", "2.0"), ("true", True), ("endless", 1e16)):
            yield f"{key}_{name}", lambda m, key=key, value=value: of_person(m, **{key: value}), "malformed"
        yield f"{key}_though_not_valid", lambda m, key=key: {**m, "persons": [nowhere(**{key: 2.0})]}, "malformed"
    yield "not_valid_without_reason", lambda m: {**m, "persons": [nowhere(reason=None)]}, "malformed"
    yield "valid_and_reason", lambda m: of_person(m, reason="too_near"), "malformed"
    yield "valid_text", lambda m: of_person(m, valid="true"), "malformed"
    yield "person_reason_of_another_version", lambda m: {**m, "persons": [nowhere("hat_on")]}, "unknown_reason"
    yield "probability_2", lambda m: of_person(m, probability=2), "malformed"
    yield "position_of_two", lambda m: of_person(m, position_m=[0.0, 2.0]), "malformed"
    yield "covariance_of_eight", lambda m: of_person(m, covariance_m2=[1.0] * 8), "malformed"
    yield "depth_without_count", lambda m: of_person(m, depth=without(person()["depth"], "count")), "malformed"
    yield "depth_count_negative", lambda m: of_person(m, depth={**person()["depth"], "count": -1}), "malformed"
    yield "track_id_float", lambda m: of_person(m, track_id=1.0), "malformed"
    yield "latency_text", lambda m: {**m, "latency_ms": {"total": "9"}}, "malformed"


def numbers():
    """Numbers, times and texts out of bounds."""
    yield "seq_of_300_digits", lambda m: replaced({**m, "seq": -7}, "-7", "9" * 300), "malformed"
    yield "seq_of_400_digits", lambda m: replaced({**m, "seq": -7}, "-7", "9" * 400), "not_json"
    for seq in (-1, -(2**63), -(2**63) - 1, 2**53, 2**63, 2**64 - 1, 2**64, 1.0, 1e18, "1"):
        yield f"seq_{seq!r}", lambda m, seq=seq: {**m, "seq": seq}, "malformed"
    for schema in (0, 2, -1, 2**32 + 1, 2**63, -(2**63)):
        yield f"schema_{schema}", lambda m, schema=schema: {**m, "schema": schema}, "other_schema"
    for schema in (1.0, "1", 2**64, -(2**63) - 1):
        yield f"schema_{schema!r}", lambda m, schema=schema: {**m, "schema": schema}, "malformed"
    for value in (0, -1, 1e300, "200", True):
        yield f"max_age_{value!r}", lambda m, value=value: {**m, "max_age_ms": value}, "malformed"
        yield f"max_gap_{value!r}", lambda m, value=value: {**m, "max_gap_ms": value}, "malformed"
    for key in ("captured_ns", "monotonic_ns"):
        for name, value in (
            ("negative", "-5"),
            ("int64_least", str(-(2**63))),
            ("too_late", "9999999999999999999"),
            ("20_digits", "1" * 20),
            ("number", 5),
            ("newline", "1700000000000000000\n"),
            ("arabic", "".join(chr(0x660 + int(digit)) for digit in "17000")),
            ("float", "1.7e18"),
            ("empty", ""),
        ):
            yield f"{key}_{name}", lambda m, key=key, value=value: {**m, key: value}, "malformed"
    yield "recorded_ns_text", lambda m: {**m, "recorded_ns": "now"}, "malformed"
    yield "stamp_without_boot", lambda m: without(m, "boot_id"), "malformed"
    yield "boot_without_stamp", lambda m: without(m, "monotonic_ns"), "malformed"
    for key in ("session", "frame_id", "camera", "boot_id"):
        for name, value in (
            ("empty", ""),
            ("escape", "\x1b[31m"),
            ("nul", "a\0b"),
            ("c1", "\x9b31m"),
            ("long", "A" * 257),
            ("number", 7),
        ):
            yield f"{key}_{name}", lambda m, key=key, value=value: {**m, key: value}, "malformed"
    yield "camera_other", lambda m: {**m, "camera": "cam1"}, "other_camera"


def texts():
    """What is no strict JSON in UTF-8, or just so."""
    yield "nan", lambda m: replaced(m, "2.0", "NaN"), "not_json"
    yield "infinity", lambda m: replaced(m, "2.0", "-Infinity"), "not_json"
    yield "e400", lambda m: replaced(m, '"range_m":2.0', '"range_m":1e400'), "not_json"
    yield "e_minus_400", lambda m: replaced(m, '"range_m":2.0', '"range_m":1e-400'), "impossible"
    yield "int_of_5000_digits", lambda m: compact(m)[:-1] + ', "x": ' + "9" * 5000 + "}", "not_json"
    yield "int_of_300_digits", lambda m: compact(m)[:-1] + ', "x": ' + "9" * 300 + "}", "accepted"
    yield "key_twice", lambda m: compact(m)[:-1] + ', "seq": 1}', "not_json"
    yield "key_twice_escaped", lambda m: compact(m)[:-1] + ', "s\\u0065q": 1}', "not_json"
    yield "key_twice_far_below", lambda m: compact(m)[:-1] + ', "x": [{"a": 1, "a": 1}]}', "not_json"
    yield "key_of_nothing_known", lambda m: {**m, "\x1b[2J\x1b]0;owned\x07": 1}, "accepted"
    yield "max_gap", lambda m: {**m, "max_gap_ms": 150}, "accepted"
    yield "16_levels", lambda m: compact(m)[:-1] + ', "x": ' + "[" * 15 + "]" * 15 + "}", "accepted"
    yield "17_levels", lambda m: compact(m)[:-1] + ', "x": ' + "[" * 16 + "]" * 16 + "}", "not_json"
    yield "surrogate_alone", lambda m: compact(m)[:-1] + ', "x": ["\\ud800"]}', "not_json"
    yield "surrogate_alone_in_a_key", lambda m: compact(m)[:-1] + ', "\\udc00": 1}', "not_json"
    yield "surrogates_in_pairs", lambda m: compact(m)[:-1] + ', "x": "\\ud83d\\ude00"}', "accepted"
    yield "utf16", lambda m: compact(m).encode("utf-16"), "not_json"
    yield "utf16_without_mark", lambda m: compact(m).encode("utf-16-le"), "not_json"
    yield "utf32", lambda m: compact(m).encode("utf-32"), "not_json"
    yield "byte_order_mark", lambda m: b"\xef\xbb\xbf" + compact(m).encode(), "not_json"
    yield "utf8_bad", lambda m: compact(m).encode().replace(b"cam0", b"ca\xff0", 1), "not_json"
    yield "utf8_overlong", lambda m: compact(m).encode().replace(b"cam0", b"ca\xc0\xaf", 1), "not_json"
    yield "nul_behind", lambda m: compact(m) + "\0", "not_json"
    yield "nul_and_more_behind", lambda m: compact(m) + "\0{}", "not_json"
    yield "something_behind", lambda m: compact(m) + "{}", "not_json"
    yield "cut_off", lambda m: compact(m)[:-1], "not_json"
    yield "comma_behind_the_last", lambda m: compact(m)[:-1] + ",}", "not_json"
    yield "comment", lambda m: compact(m) + " // all is well", "not_json"
    yield "blanks_around", lambda m: " \t\r\n" + compact(m) + " \t\r\n", "accepted"
    yield "other_blanks_around", lambda m: compact(m) + "\u00a0", "not_json"
    for name, text in (
        ("empty", ""),
        ("open", "{"),
        ("word", "none"),
        ("control", '"\x01"'),
        ("plus", "+1"),
        ("01", "01"),
    ):
        yield f"text_{name}", lambda _, text=text: text, "not_json"
    for name, text in (("null", "null"), ("list", "[]"), ("object", "{}"), ("number", "1"), ("text", '"x"')):
        yield f"json_{name}", lambda _, text=text: text, "malformed"


def places():
    """Positions that cannot be."""
    straight = {"range_m": 2.0, "depth_m": 2.0, "position_m": [0.0, 0.0, 2.0]}
    for name, changed in (
        ("range_contradicts", {"range_m": 9.0}),
        ("range_negative", {"range_m": -5.0, "position_m": [0.0, 0.0, -5.0]}),
        ("depth_negative", {"depth_m": -2.0}),
        ("depth_contradicts", {"depth_m": 1.0}),
        ("position_contradicts", {"position_m": [0.0, 0.0, 5.0]}),
        ("position_behind", {"position_m": [0.0, 0.0, -2.0]}),
        ("position_to_the_side", {"position_m": [2.0, 0.0, 0.0]}),
        ("position_nan_like", {"position_m": [1e15, 0.0, 2.0]}),
        ("bearing_contradicts", {"bearing_rad": [1.0, 0.0]}),
        ("bearing_backwards", {"bearing_rad": [math.pi, math.pi]}),
        ("range_0", {**straight, "range_m": 0.0, "depth_m": 0.0, "position_m": [0.0, 0.0, 0.0]}),
        ("range_tiny", {"range_m": 0.04, "depth_m": 0.04, "position_m": [0.0, 0.0, 0.04]}),
        ("range_endless", {"range_m": 201.0, "depth_m": 201.0, "position_m": [0.0, 0.0, 201.0]}),
        ("covariance_0", {"covariance_m2": [0.0] * 9}),
        ("covariance_negative", {"covariance_m2": [-1.0] * 9}),
        ("covariance_singular", {"covariance_m2": [1.0] * 9}),
        ("covariance_not_symmetric", {"covariance_m2": [1.0, 0.5, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]}),
        ("covariance_indefinite", {"covariance_m2": [1.0, 2.0, 0.0, 2.0, 1.0, 0.0, 0.0, 0.0, 1.0]}),
        ("covariance_endless", {"covariance_m2": [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1e7]}),
    ):
        yield name, lambda m, changed=changed: of_person(m, **changed), "impossible"
    yield "second_person_impossible", lambda m: {**m, "persons": [person(), person(range_m=9.0)]}, "impossible"


def stories():
    """All of them."""
    for group in (kinds, numbers, texts, places):
        story = Story(group.__name__).good().wait(50)
        for name, make, code in group():
            position_m = [0.0, 0.0, 2.0] if code == "accepted" else None
            story.hear(make(story.message()), code, position_m, name=name).wait(50)
            # Nothing that was refused spoils what comes after it.
            story.hear(story.message(persons=[], reason="no_face"), "accepted").wait(50)
        yield story

    yield Story("too_large").good().hear("x", "too_large", times=65_537).wait(10).good()
    yield Story("large_enough").good().hear(" ", "not_json", times=65_536).wait(10).good()
    for name, text in (("brackets", "["), ("objects", '{"a":'), ("garbage", "\x1b")):
        yield Story(f"deep_{name}").good().hear(text, "not_json", times=60_000 // len(text)).wait(10).good()
    for topic in (
        "nasion/cam1/person",
        "nasion/cam0/status2",
        "other/cam0/person",
        "nasion/cam0/person/x",
        "",
        "a\x1bb",
    ):
        story = Story(f"topic_{topic!r}").good().wait(50)
        yield story.hear(story.message(), "other_topic", topic=topic).wait(50).good()
    story = Story("retained").good().wait(50)
    yield story.hear(story.message(), "retained", retained=True).wait(50).good()
    story = Story("retained_with_an_endless_age").good().wait(50)
    yield story.hear(story.message(7.2e6, max_age_ms=1e9), "retained", retained=True).wait(50).good()

    # Where somebody is
    story = Story("nearest")
    persons = [person(0.5, 0.25, 3.0), nowhere(), person(0.25, -0.5, 1.5), person(-1.0, 0.0, 4.0)]
    story.hear(story.message(persons=persons), "accepted", [0.25, -0.5, 1.5]).wait(50)
    story.hear(story.message(persons=[nowhere(), nowhere("ambiguous")]), "accepted").wait(50)
    for reason in ("no_face", "low_probability", "no_tensor", "corrupt_frame", "no_frame", "frozen"):
        story.hear(story.message(persons=[], reason=reason), "accepted").wait(50)
    yield story
    for reason in ("no_depth", "ambiguous", "too_near", "too_far", "jump", "unpaired", "eyes_do_not_fit"):
        story = Story(f"a_person_with_{reason}")
        yield story.hear(story.message(persons=[nowhere(reason)]), "accepted")
    story = Story("on_a_robots_mount")
    story.hear(
        story.message(frame_id="base_link", persons=[person(position_m=[2.2, 0.0, 1.5])]), "accepted", [2.2, 0, 1.5]
    )
    far = person(position_m=[12.5, 0.0, 0.0])
    yield story.wait(50).hear(story.message(frame_id="base_link", persons=[far]), "impossible")
    # Sure to 0.1 mm across the line of sight, unsure by 1 m along it, which is far from the optical axis.
    story = Story("unsure_along_the_line_of_sight")
    across, along, x, y, z = 1e-8, 1.0, 0.9, -0.5, 1.0
    slant = [across + x * x * along, x * y * along, x * along, x * y * along, across + y * y * along, y * along]
    unsure = person(x, y, z, covariance_m2=[*slant, x * along, y * along, along])
    yield story.hear(story.message(persons=[unsure]), "accepted", [x, y, z])
    # Whole numbers are numbers, and a place may be told by 1 cm and 1 % wrong.
    story = Story("whole_numbers")
    whole = person(z=2, covariance_m2=[1, 0, 0, 0, 1, 0, 0, 0, 1], probability=1, bearing_rad=[0, 0])
    story.hear(story.message(persons=[whole], max_age_ms=200, captured_at=1), "accepted", [0, 0, 2]).wait(50)
    story.hear(story.message(persons=[person(range_m=2.02)]), "accepted", [0, 0, 2]).wait(50)
    yield story.hear(story.message(persons=[person(range_m=2.05)]), "impossible")

    yield from ages()
    yield from clocks()
    yield from sessions()


def ages():
    """How old it may be, by the clock of one host."""
    story = Story("limit_to_the_nanosecond").good(200.0).wait(50)
    yield (
        story.hear(story.message(200.000001), "stale")
        .wait(1)
        .good(-5.0)
        .wait(1)
        .hear(story.message(-5.000001), "future")
    )
    story = Story("a_sender_shortens").good(99.0, max_age_ms=100.0).wait(50)
    yield story.hear(story.message(101.0, max_age_ms=100.0), "stale")
    story = Story("a_sender_lengthens_nothing").good(199.0, max_age_ms=1e9).wait(50)
    yield story.hear(story.message(201.0, max_age_ms=1e9), "stale").hear(story.message(1e6, max_age_ms=1e9), "stale")
    story = Story("the_robots_own_limit", max_age_ms=50.0).good(49.0).wait(10)
    yield story.hear(story.message(51.0), "stale")
    story = Story("future_40ms").good().wait(50)
    yield story.hear(story.message(-40.0), "future").hear(story.message(-3.6e6), "future").wait(50).good()
    story = Story("wall_clock_means_nothing_on_one_host").good(captured_ns="0").wait(50)
    story.good(captured_ns=str(UTC_NS + 3600 * SECOND)).wait(50)
    yield story.hear(story.message(1e4, captured_ns=str(story.utc_ns)), "stale")
    # A suspension: the monotonic clock stood still, and what is from before it is as old as it lasted.
    story = Story("suspended").good()
    stale = story.message()
    story.wait(20, suspended_ms=3000).hear(stale, "stale", silent=True).wait(50)
    yield story.hear(story.message(55.0), "stale", silent=True).wait(20).good(silent=True).wait(50).good()
    # Two of them: old enough for both.
    story = Story("suspended_twice").good()
    old = story.message()
    story.wait(20, suspended_ms=100).hear("", "not_json").wait(20, suspended_ms=100)
    yield story.hear(old, "stale", silent=False)
    story = Story("silence").good().wait(250).good(silent=False).wait(250.001).good(silent=True)
    yield story.wait(50).hear("", "not_json", silent=False).wait(201).good(silent=True)
    story = Story("a_sender_says_how_long_silence_is").good(max_gap_ms=100).wait(101).good(silent=True, max_gap_ms=1)
    story.wait(99).good(silent=False, max_gap_ms=1e6).wait(999).good(silent=False, max_gap_ms=1e6).wait(1001)
    yield story.good(silent=True).wait(251).good(silent=True)


def clocks():
    """Another host, whose clock is learned, and may be wrong."""
    story = Story("another_host", own=False).learn()
    yield story.good().wait(50).good(150.0).wait(50).hear(story.message(211.0), "stale").wait(50).good()
    story = Story("another_host_without_monotonic_clock", own=False)
    bare = {"monotonic_ns": None, "boot_id": None}
    for _ in range(5):
        story.hear(story.message(**bare), "learning").wait(100)
    story.good(**bare).wait(50).hear(story.message(250.0, **bare), "stale").wait(50).good(**bare)
    # A step of its clock is not told from a hold-up there: what is refused is refused until it has a new session.
    yield story.wait(50).hear(story.message(captured_ns=str(story.utc_ns - 5 * SECOND), **bare), "stale")
    story = Story("a_burst_teaches_nothing", own=False)
    for _ in range(20):
        story.hear(story.message(), "learning").wait(1)
    for _ in range(4):
        story.wait(5000).hear(story.message(), "learning")
    yield story.wait(100).good()
    # Its clock is 5 s ahead, and the network holds everything up for 5 s: nothing old becomes fresh.
    story = Story("ahead_and_stalled", own=False, ahead_ms=5000.0)
    for _ in range(10):
        story.hear(story.message(), "future").wait(100)
    story.wait(5000)
    for age_ms in (5010.0, 4990.0, 4960.0, 5000.0, 5060.0, 5200.0):
        story.hear(story.message(age_ms), "future").wait(10)
    yield story.wait(100).hear(story.message(), "future")
    # Within the tolerance, the hold-up is seen all the same.
    story = Story("ahead_by_49_ms_and_stalled", own=False, ahead_ms=49.0).learn(delay_ms=2.0)
    yield (
        story.good()
        .wait(300)
        .hear(story.message(249.0), "stale", silent=True)
        .hear(story.message(205.0), "stale", silent=True)
    )
    story = Story("behind_by_49_ms", own=False, ahead_ms=-49.0).learn()
    yield story.good(140.0).wait(50).hear(story.message(152.0), "stale")
    story = Story("behind_by_a_second", own=False, ahead_ms=-1000.0).learn("stale", 20)
    # NTP sets it right: that is seen at once.
    story.ahead_ms = 0.0
    yield story.good().wait(50).hear(story.message(215.0), "stale")
    story = Story("ahead_by_a_second", own=False, ahead_ms=1000.0).learn("future", 20)
    story.ahead_ms = 0.0
    yield story.good().wait(50).hear(story.message(215.0), "stale")
    # It steps ahead while it runs: told at once, also of what is held up just then.
    story = Story("steps_ahead", own=False).learn().good()
    story.ahead_ms = 5000.0
    yield story.wait(50).hear(story.message(), "future").wait(50).hear(story.message(5000.0), "future")
    # The receiver's own clock is set wrong and right again.
    story = Story("own_clock_steps", own=False).learn().good().wait(50)
    told = story.message()
    story.utc_ns -= 3600 * SECOND
    story.hear(told, "future").wait(50)
    story.utc_ns += 3600 * SECOND
    yield story.good()
    # What is held up longer than the quickest was is old, though the wall clocks, 45 ms apart, would take it.
    story = Story("held_up", own=False, ahead_ms=45.0).learn().good().wait(50)
    yield story.hear(story.message(240.0), "stale").wait(50).hear(story.message(215.0), "stale").wait(10).good(205.0)


def sessions():
    """Which stream is heard."""
    story = Story("repeated").good().wait(50)
    once = story.message()
    story.hear(once, "accepted", [0, 0, 2]).wait(1).hear(once, "repeated").hear(once, "repeated").wait(1)
    yield story.hear({**once, "seq": 0}, "repeated").wait(50).good()
    story = Story("gaps_are_no_fault").good().wait(50).good(seq=1000).wait(50)
    yield story.hear(story.message(seq=999), "repeated").wait(50).good(seq=2**53 - 1)
    story = Story("another_session_waits_for_silence").good().wait(50)
    for _ in range(4):
        story.hear(story.message(session="s2"), "other_session").wait(50).good().wait(50)
    story.wait(150).hear(story.message(session="s2"), "other_session").wait(50)
    story.wait(1).good(session="s2", seq=0, silent=True).wait(50)
    yield story.hear(story.message(), "other_session").wait(50).good(session="s2", seq=1)
    story = Story("another_session_waits_for_the_age_limit", max_age_ms=1000.0).good().wait(900)
    story.hear(story.message(session="s2"), "other_session", silent=True).wait(101)
    yield story.good(session="s2", silent=True)
    story = Story("another_boot_is_another_session").good().wait(50)
    yield story.hear(story.message(boot_id=ELSEWHERE), "other_session").wait(50).good()
    story = Story("a_restart_on_another_host_is_learned_anew", own=False).learn().good().wait(300)
    story.session, story.silent = "s2", True
    yield story.learn().good(silent=True)
    # Who only says what is old does not keep the others away.
    story = Story("a_stale_session_is_no_session").hear(Story("").message(1000.0, session="s9"), "stale").wait(251)
    yield story.good()


def corpus():
    """The whole file."""
    return "".join(f"{compact(story.told)}\n" for story in stories())


def main():
    (Path(__file__).parent / "corpus.jsonl").write_text(corpus(), encoding="ascii")


if __name__ == "__main__":
    main()
