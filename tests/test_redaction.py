"""No line repeats a password that somebody typed into an address, and lines without one stay as they are."""

import json
from typing import Any, List

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.redaction import hide_password, redacted

from tests.program import Command

SECRET = "Geh3im"
TYPED = [
    f"rtsp://u:{SECRET}@1.2.3.4/x",
    f"RTSP://u:{SECRET}@h",
    f"rtsp://:{SECRET}@h/x",
    f"rtsp://{SECRET}@h/x",
    f"rtsp://u:{SECRET}@x@h/y",
    f"rtsp:u:{SECRET}@h",
    f"rtsp://h/x?user=u&password={SECRET}",
    f"http://h/x?token={SECRET}&x=1",
    f"sbs:http://u:{SECRET}@h/v.avi",
    f"zed-stream:u:{SECRET}@h:30000",
    f"u:{SECRET}@h",
    f"//u:{SECRET}@h/x",
    f"demo:?x=rtsp://u:{SECRET}@h",
    f"tcp://u:{SECRET}@h:1883",
    f"mqtt://u:{SECRET}@h:port",
    f"mqtt://u:{SECRET}/x@h",
]
AROUND = ["{}: unknown kind of source", "configuration c.yaml: mqtt = '{}': no", "({})", 'name="{}"', "--model {}"]
KEPT = [
    "cam0: broker mqtt://robot:***@127.0.0.1:45987: the broker refuses us; we came as 'robot' (mqtt.url)",
    "broker mqtts://robot@h:8883: connected",
    "mqtt://127.0.0.1:1883: connected after 1.2 s; write to a@b.c",
    "cam0: ms (median/p95): receive 0.0/0.1",
    "mail me@example.org: hello",
    "/tmp/a@b/000_left.png: No such file",
    "pairs:/tmp/x: 000_left.png at 12:30:01",
]


@pytest.mark.parametrize("around", AROUND)
@pytest.mark.parametrize("typed", TYPED)
def test_a_line_that_repeats_what_was_typed_does_not_repeat_the_password(typed: str, around: str) -> None:
    line = around.format(typed)
    assert SECRET not in redacted(line)
    assert SECRET not in hide_password(line)
    assert SECRET not in redacted(line.replace("://", ":/")), "as a path"


@pytest.mark.parametrize("line", KEPT)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert redacted(line) == line
    assert redacted(redacted(line)) == line


@given(st.text(alphabet=st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=6))
def test_whatever_the_password_is(password: str) -> None:
    """As long as it is one word."""
    if password in "rtsp://robot:@camera/stream: unknown…" or "***" in password:
        return
    assert password not in redacted(f"rtsp://robot:{password}@camera/stream: unknown")


COMMANDS: List[List[str]] = [
    ["run", "--source", "{}", "--mqtt", "none"],
    ["run", "--source", "demo:", "--mqtt", "{}"],
    ["run", "--source", "demo:", "--mqtt", "none", "--every", "{}"],
    ["run", "--source", "demo:", "--mqtt", "none", "--model", "{}"],
    ["run", "--source", "demo:", "--mqtt", "none", "--save", "{}"],
    ["run", "--config", "{}"],
    ["run", "{}"],
    ["{}"],
    ["check", "--source", "{}", "--mqtt", "none"],
    ["check", "--source", "{}", "--mqtt", "none", "--json"],
    ["check", "--source", "demo:", "--mqtt", "{}", "--json"],
    ["listen", "--mqtt", "{}"],
]


@pytest.mark.parametrize("log", ["text", "json"])
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("typed", [TYPED[0], TYPED[9], f"rtsp://u:{SECRET} x@h", TYPED[13]])
def test_no_command_repeats_it(
    nasion: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Any, typed: str, words: List[str], log: str
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASION_LOG", log)

    code, out, err = nasion(*(word.format(typed) for word in words))

    assert code == 2, err
    assert SECRET not in out + err
    if log == "json":
        assert all(json.loads(line)["said"] for line in err.splitlines())
