"""All receivers judge alike: the corpus of stories, and very many messages that luck has damaged.

Python, ROS 2 (on a double of rclpy) and `nasion listen` share one judge, which each is asked through its own way in;
C++ has its own, built with sanitizers, which end it where anything is undefined.
"""

import json
import random
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict, Iterator, List, Optional, Tuple

import pytest
from nasion.core.results import FrameReason, PersonReason
from nasion.mqtt import judge
from nasion.mqtt.judge import CODES, Gate, Now, nearest
from nasion.mqtt.receiver import Accepted, Judges
from nasion.settings import MqttSettings

from tests.docs.copied import RECEIVERS, make, python, ros
from tests.docs.doubles import double_of_ros

CORPUS = RECEIVERS / "conformance" / "corpus.jsonl"
SANITIZED = ["-std=c++17", "-g", "-O1", "-Wall", "-Wextra", "-Werror"]
SANITIZED += ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]

Story = Dict[str, Any]
#: Code, position of the nearest person, and whether it was silent just before.
Outcome = Tuple[str, Optional[List[float]], bool]


def stories() -> List[Story]:
    return [json.loads(line) for line in CORPUS.read_text(encoding="ascii").splitlines()]


def arrivals(story: Story) -> Iterator[Tuple[str, bool, bytes, Now]]:
    for step in story["steps"]:
        once = step["text"].encode() if "text" in step else make.base64.b64decode(step["base64"])
        now = Now(*(int(step[clock]) for clock in ("utc_ns", "monotonic_ns", "boottime_ns")))
        yield step["topic"], step["retained"], once * step["times"], now


def expected(story: Story) -> List[Outcome]:
    return [(step["code"], step["position_m"], step["silent"]) for step in story["steps"]]


def new_gate(story: Story) -> Gate:
    limits = {"max_age_ms": story["max_age_ms"], "silent_ms": story["silent_ms"]}
    return Gate(story["prefix"], story["camera"], boot_id=story["boot_id"], **limits)


def place_of(message: Optional[Dict[str, Any]]) -> Optional[List[float]]:
    person = None if message is None else nearest(message)
    return None if person is None else list(person["position_m"])


def by_python(story: Story, _: pytest.MonkeyPatch) -> List[Outcome]:
    said: List[str] = []
    gate = new_gate(story)
    receiver = python.Receiver(gate, said.append)
    outcomes = []
    for topic, retained, payload, now in arrivals(story):
        silent = gate.silent(now)
        verdict = receiver.hear(topic, retained, payload, now)
        outcomes.append((verdict.code, place_of(verdict.message), silent))
    assert len(said) == len(outcomes)
    assert all(line.isprintable() for line in said)
    return outcomes


def by_ros(story: Story, monkeypatch: pytest.MonkeyPatch) -> List[Outcome]:
    """What it publishes is the position."""
    seen = double_of_ros(monkeypatch, {key: story[key] for key in ("prefix", "camera", "max_age_ms", "silent_ms")})
    monkeypatch.setattr(ros, "read_boot_id", lambda: story["boot_id"])
    monkeypatch.setattr(ros, "subscribe", lambda *_: None)
    node = ros.make_node()
    outcomes = []
    for topic, retained, payload, now in arrivals(story):
        silent = node.gate.silent(now)
        del seen.poses[:]
        verdict = node.hear(topic, retained, payload, now)
        places = [
            [pose.pose.pose.position.x, pose.pose.pose.position.y, pose.pose.pose.position.z] for pose in seen.poses
        ]
        outcomes.append((verdict.code, places[0] if places else None, silent))
    return outcomes


def by_listen(story: Story, _: pytest.MonkeyPatch) -> List[Outcome]:
    """It has another measure of silence, for the eye: that is left out."""
    judges = Judges(story["prefix"], story["camera"], max_age_ms=story["max_age_ms"], boot_id=story["boot_id"])
    outcomes: List[Outcome] = []
    for (topic, retained, payload, now), wanted in zip(arrivals(story), expected(story)):
        silent = wanted[2]
        heard = judges.hear(topic, retained, payload, now)
        if isinstance(heard, Accepted):
            located = [person for person in heard.message.persons if person.range_m is not None]
            first = min(located, key=lambda person: person.range_m or 0.0, default=None)
            outcomes.append(("accepted", first.position_m if first else None, silent))
        else:
            outcomes.append((getattr(heard, "cause", "status"), None, silent))
    return outcomes


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The C++ judge with a main that reads stories; skipped where compiler, sanitizers or library are missing."""
    compiler = shutil.which("g++")
    if compiler is None:
        pytest.skip("g++ is not installed: the C++ judge is not built")
    program = str(tmp_path_factory.mktemp("judge") / "judge_corpus")
    probe = "#include <nlohmann/json.hpp>\nint main() {}\n"
    probing = [compiler, "-fsanitize=address,undefined", "-x", "c++", "-std=c++17", "-o", program, "-"]
    if subprocess.run(probing, input=probe, text=True, capture_output=True, check=False).returncode:
        pytest.skip("nlohmann-json3-dev or the sanitizers are not installed: the C++ judge is not built")
    source = str(RECEIVERS / "conformance" / "judge_corpus.cpp")
    subprocess.run([compiler, *SANITIZED, f"-I{RECEIVERS}", source, "-o", program], check=True)
    return program


def by_cpp(program: str, told: List[Story]) -> List[Outcome]:
    """Of all stories, one after the other."""
    text = "".join(json.dumps(story) + "\n" for story in told)
    ended = subprocess.run([program], input=text, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    return [(code, place, silent) for code, place, silent in map(json.loads, ended.stdout.splitlines())]


@pytest.mark.parametrize("by", [by_python, by_ros, by_listen])
@pytest.mark.parametrize("story", stories(), ids=lambda story: story["name"])
def test_the_corpus(story: Story, by: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    outcomes = by(story, monkeypatch)
    wrong = [
        (number, step["name"], outcome, wanted)
        for number, (step, outcome, wanted) in enumerate(zip(story["steps"], outcomes, expected(story)))
        if outcome != wanted
    ]
    assert wrong == []
    assert len(outcomes) == len(story["steps"])


def test_the_corpus_in_cpp(compiled: str) -> None:
    told = stories()
    outcomes = by_cpp(compiled, told)
    wanted = [outcome for story in told for outcome in expected(story)]
    named = [(story["name"], number) for story in told for number in range(len(story["steps"]))]
    assert [fault for fault in zip(named, outcomes, wanted) if fault[1] != fault[2]] == []
    assert len(outcomes) == len(wanted)


def test_the_corpus_is_what_its_script_writes() -> None:
    assert make.corpus() == CORPUS.read_text(encoding="ascii")


def test_the_corpus_has_every_verdict() -> None:
    assert {code for story in stories() for code, _, _ in expected(story)} == set(CODES) - {"error"}


# One list


def test_the_readme_lists_the_verdicts() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", (RECEIVERS / "README.md").read_text(), re.M)
    assert rows == list(CODES.items())


@pytest.mark.parametrize(
    "said",
    [
        f"own limit is {judge.MAX_AGE_MS:g} ms (`--max-age-ms`, {judge.LIMITS_MS[0]:g} to {judge.LIMITS_MS[1]:g})",
        f"printed after {judge.SILENT_MS:g} ms without an accepted message (`--silent-ms`, {judge.LIMITS_MS[0]:g} to",
        f"not below {judge.LEAST_SILENT_MS:g} ms, nor above {judge.MOST_SILENT:g} times your own",
        f"slower than {1e3 / judge.SILENT_MS:g} frames a second",
        f"rises by {1e6 / judge.DRIFT:g} ppm while messages come",
        f"pauses count up to {judge.FLOWING_NS / 1e9:g} s",
        f"ahead by more than {judge.TOLERANCE_MS:g} ms",
        f"while the wall clocks agree to {judge.TOLERANCE_MS:g} ms",
    ],
)
def test_the_readme_says_the_judges_numbers(said: str) -> None:
    assert said in " ".join((RECEIVERS / "README.md").read_text().split())


def test_the_copied_judge_is_ours() -> None:
    assert (RECEIVERS / "nasion_judge.py").read_bytes() == Path(judge.__file__).read_bytes()


def test_cpp_has_the_same_codes_limits_and_reasons() -> None:
    text = (RECEIVERS / "nasion_judge.hpp").read_text()
    assert set(re.findall(r'Refusal\("(\w+)"', text)) | {"accepted", "error"} == set(CODES)
    values = dict(re.findall(r"\b(k\w+) = ([\w.+-]+)[,;]", text))
    for name, ours in (
        ("kSchema", judge.SCHEMA),
        ("kMaxAgeMs", judge.MAX_AGE_MS),
        ("kSilentMs", judge.SILENT_MS),
        ("kLeastLimitMs", judge.LIMITS_MS[0]),
        ("kMostLimitMs", judge.LIMITS_MS[1]),
        ("kLeastSilentMs", judge.LEAST_SILENT_MS),
        ("kMostSilent", judge.MOST_SILENT),
        ("kMaxBytes", judge.MAX_BYTES),
        ("kMaxNesting", judge.MAX_NESTING),
        ("kMaxTextBytes", judge.MAX_TEXT_BYTES),
        ("kMaxNumber", judge.MAX_NUMBER),
        ("kMaxWallNs", judge.MAX_WALL_NS),
        ("kMaxMonotonicNs", judge.MAX_MONOTONIC_NS),
        ("kToleranceMs", judge.TOLERANCE_MS),
        ("kSameHostToleranceMs", judge.SAME_HOST_TOLERANCE_MS),
        ("kDrift", judge.DRIFT),
        ("kFlowingNs", judge.FLOWING_NS),
        ("kLearnNs", judge.LEARN_NS),
        ("kSuspendedNs", judge.SUSPENDED_NS),
        ("kMinRangeM", judge.MIN_RANGE_M),
        ("kMaxRangeM", judge.MAX_RANGE_M),
        ("kToleranceM", judge.TOLERANCE_M),
        ("kToleranceShare", judge.TOLERANCE_SHARE),
        ("kMaxMountM", judge.MAX_MOUNT_M),
        ("kMaxVarianceM2", judge.MAX_VARIANCE_M2),
    ):
        assert float(values[name]) == ours, name
    for name, reasons in (("kFrameReasons", FrameReason), ("kPersonReasons", PersonReason)):
        found = re.search(rf"{name} = {{(.*?)}};", text, re.S)
        assert found is not None
        assert set(re.findall(r'"(\w+)"', found[1])) == {reason.value for reason in reasons}


def test_the_judge_knows_all_reasons_and_the_publishers_own_limit() -> None:
    assert set(judge.FRAME_REASONS) == {reason.value for reason in FrameReason}
    assert set(judge.PERSON_REASONS) == {reason.value for reason in PersonReason}
    assert MqttSettings().max_age_ms == judge.MAX_AGE_MS


# Luck

FUZZED = 100_000
STEPS = 200
#: What stands in place of any value.
ODD: List[Any] = [None, True, False, 0, -1, 1, 2**53, 2**63, 2**64, -(2**63), 1e308, 1e-320, 0.1, "", "x", "1", "\x00"]
ODD += [[], {}, [[]], [0.0] * 3, [1.0] * 9, {"valid": True}, "\u009b", "é" * 128, "😀", "-5", "9" * 19, 200.0, 1e15]
PIECES = [
    b'"',
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\\",
    b"\\u",
    b"\\ud800",
    b"\0",
    b"\xff",
    b"\xc2\x9b",
    b"e999",
    b"-",
]
PIECES += [b"NaN", b"1" * 25, b"null", b"//", b"\xef\xbb\xbf", b"\xed\xa0\x80", b" ", b"\t", b'"seq":1,', b"." * 3]


def damaged_value(luck: random.Random, value: Any) -> Any:
    """The value with something in it replaced, left out or doubled."""
    if isinstance(value, dict) and value and luck.random() < 0.9:
        key = luck.choice(list(value))
        if luck.random() < 0.1:
            return {name: kept for name, kept in value.items() if name != key}
        return {**value, key: damaged_value(luck, value[key])}
    if isinstance(value, list) and value and luck.random() < 0.9:
        place = luck.randrange(len(value))
        return [*value[:place], damaged_value(luck, value[place]), *value[place + luck.randint(0, 1) :]]
    if isinstance(value, float) and luck.random() < 0.5:
        return value * luck.choice([1.005, 1.015, 1.03, -1.0, 1e3])
    return luck.choice(ODD)


def damaged_bytes(luck: random.Random, payload: bytes) -> bytes:
    pieces = bytearray(payload)
    for _ in range(luck.randint(1, 3)):
        place = luck.randrange(len(pieces) + 1)
        put = luck.choice(PIECES) if luck.random() < 0.6 else bytes(luck.choices(range(256), k=luck.randint(0, 3)))
        pieces[place : place + luck.randint(0, 3)] = put
    return bytes(pieces)


def lucky_story(luck: random.Random) -> Story:
    """A stream that luck delays, damages, repeats and takes from one host to the other."""
    story = make.Story("", own=luck.random() < 0.5, ahead_ms=luck.choice([0.0, 0.0, 30.0, -30.0, 5000.0, -300.0]))
    last: Any = b"{}"
    for _ in range(STEPS):
        story.wait(luck.choice([0.0, 1.0, 33.0, 50.0, 100.0, 300.0]), luck.choice([0.0] * 50 + [100.0, 5000.0]))
        somebody = [make.person(luck.uniform(-2, 2), luck.uniform(-1, 1), luck.uniform(0.5, 9))] * luck.randint(0, 2)
        told = story.message(luck.choice([2.0, 10.0, 60.0, 190.0, 230.0, 5000.0, -20.0, -100.0]), persons=somebody)
        told["reason"] = None if somebody else luck.choice(["no_face", "frozen"])
        kind = luck.random()
        if kind < 0.05:
            told = {**told, "session": "s2"}
        elif kind < 0.15:
            told = {**told, "seq": max(0, told["seq"] + luck.randint(-3, 3))}
        payload: Any = told
        if 0.2 < kind < 0.5:
            payload = damaged_value(luck, told)
        elif 0.5 < kind < 0.7:
            payload = damaged_bytes(luck, make.compact(told).encode())
        elif 0.7 < kind < 0.72:
            payload = last
        if not isinstance(payload, (dict, bytes)):
            payload = json.dumps(payload)
        last = payload
        story.hear(payload, "?", topic=make.TOPIC, retained=luck.random() < 0.01)
    told_story: Story = story.told
    return told_story


def test_luck_finds_no_exception_no_undefined_behaviour_and_no_difference(compiled: str) -> None:
    luck = random.Random(17)
    counts: Dict[str, int] = {}
    for _ in range(FUZZED // STEPS // 20):
        told = [lucky_story(luck) for _ in range(20)]
        ours: List[Outcome] = []
        for story in told:
            gate = new_gate(story)
            for topic, retained, payload, now in arrivals(story):
                silent = gate.silent(now)
                verdict = gate.judge(topic, retained, payload, now)
                ours.append((verdict.code, place_of(verdict.message), silent))
                counts[verdict.code] = counts.get(verdict.code, 0) + 1
        theirs = by_cpp(compiled, told)
        assert len(theirs) == len(ours)
        steps = [step for story in told for step in story["steps"]]
        assert [fault for fault in zip(steps, ours, theirs) if fault[1] != fault[2]] == []
    assert sum(counts.values()) == FUZZED
    assert "error" not in counts
    # Luck went everywhere.
    assert set(counts) >= set(CODES) - {"error", "other_topic", "too_large", "other_camera"}, counts
