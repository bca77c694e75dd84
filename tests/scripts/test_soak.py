"""The soak in miniature: it runs, tells what it measured, and its arithmetic finds what it is there to find."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.faults.soak.account import settle
from tests.faults.soak.faults import KINDS, draw
from tests.faults.soak.growth import trend, what_grew
from tests.faults.soak.picture import draw_soak
from tests.faults.soak.scenarios import SCENARIOS, TIMES

if TYPE_CHECKING:
    from tests.scripts.conftest import Clone

ROOT = Path(__file__).parents[2]
PATIENCE_S = 240.0
SOAK = [sys.executable, "-m", "tests.faults.soak"]


class TestTheAccount:
    """Every message is heard, or counted as dropped, or was with a broker that died."""

    FATES = ("acknowledged", "replaced", "stale", "unsent", "refused", "lost and heard", "lost", "died with the broker")

    def counters(self, fates: list[str]) -> dict[str, int]:
        count = {name: fates.count(name) for name in ("replaced", "stale", "unsent", "refused")}
        lost = fates.count("lost") + fates.count("lost and heard")
        taken = fates.count("acknowledged") + fates.count("died with the broker")
        sent = taken + lost + count["refused"]
        return {**count, "offered": len(fates), "sent": sent, "acknowledged": taken, "lost": lost}

    def heard(self, fates: list[str]) -> list[int]:
        return [seq for seq, fate in enumerate(fates) if fate in ("acknowledged", "lost and heard")]

    @given(fates=st.lists(st.sampled_from(FATES), max_size=60))
    def test_whatever_befalls_messages_is_explained(self, fates: list[str]) -> None:
        kills = fates.count("died with the broker")
        account = settle(self.heard(fates), self.counters(fates), kills)
        assert (account.unexplained, account.balanced) == (0, True)
        assert account.offered == len(fates)
        assert account.with_the_broker <= kills

    @given(fates=st.lists(st.sampled_from(FATES[:5]), min_size=1, max_size=60), data=st.data())
    def test_a_message_that_vanishes_is_found(self, fates: list[str], data: st.DataObject) -> None:
        heard = self.heard(fates)
        if heard:
            heard.remove(data.draw(st.sampled_from(heard)))
            assert settle(heard, self.counters(fates), 0).unexplained == 1

    def test_what_was_heard_although_it_was_dropped_is_found_too(self) -> None:
        assert settle([0, 1], self.counters(["acknowledged", "stale"]), 0).unexplained == 1
        assert settle([0, 1, 2], self.counters(["acknowledged", "acknowledged"]), 0).unexplained == 1

    def test_books_that_do_not_add_up_are_told(self) -> None:
        counters = self.counters(["acknowledged", "stale"])
        assert not settle([0], {**counters, "sent": 2}, 0).balanced


def line(first: float, last: float, noise: float = 0.0) -> list[tuple[float, float]]:
    luck = random.Random(0)
    return [(at, first + (last - first) * at / 600 + luck.uniform(-noise, noise)) for at in range(601)]


class TestGrowth:
    def test_a_slope_is_told_by_the_hour(self) -> None:
        found = trend(line(100, 160))
        assert found is not None
        assert found.per_hour == pytest.approx(360)

    def test_a_few_samples_tell_nothing(self) -> None:
        assert trend([]) is None
        assert trend([(0, 1), (1, 2), (2, 900)]) is None

    def test_noise_is_no_growth(self) -> None:
        assert what_grew(line(200, 201, 4), line(19, 19, 0.6), line(11, 11), line(60, 62, 50)) == []

    def test_what_comes_before_the_run_is_warm_is_no_growth(self) -> None:
        beginning = [(at, 50.0 + at) for at in range(60)]
        assert what_grew([*beginning, *[(at, 200.0) for at in range(60, 601)]], [], [], []) == []

    @pytest.mark.parametrize(
        ("number", "grown"),
        list(enumerate([line(200, 230, 2), line(19, 30), line(11, 20), line(60, 190, 10)])),
    )
    def test_each_that_grows_is_named(self, number: int, grown: list[tuple[float, float]]) -> None:
        samples = [line(200, 200, 2), line(19, 19), line(11, 11), line(60, 60, 10)]
        samples[number] = grown
        (found,) = what_grew(*samples)
        assert found.startswith(("memory", "descriptors", "threads", "latency")[number])


class TestTheFaults:
    def test_a_seed_draws_the_same_ones_again_and_every_kind_as_often(self) -> None:
        drawn = list(islice(draw(7, 20.0), 3 * len(KINDS)))
        assert drawn == list(islice(draw(7, 20.0), 3 * len(KINDS)))
        assert drawn != list(islice(draw(8, 20.0), 3 * len(KINDS)))
        assert {kind: [fault.kind for fault in drawn].count(kind) for kind in KINDS} == dict.fromkeys(KINDS, 3)

    @pytest.mark.parametrize("every_s", [4.0, 20.0, 60.0])
    def test_each_leaves_time_to_recover(self, every_s: float) -> None:
        assert all(fault.seconds < every_s for fault in islice(draw(1, every_s), 100))


def started(out: Path, model: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [*SOAK, "--out", str(out), "--model", str(model), *arguments]
    return subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)


def test_a_short_soak_keeps_figures_and_a_picture(tmp_path: Path, spot_model: Path) -> None:
    soak = started(tmp_path, spot_model, "--minutes", "0.3", "--every", "5", "--seed", "3")
    _, said = soak.communicate(timeout=PATIENCE_S)
    report = json.loads((tmp_path / "soak.json").read_text())
    assert report["account"]["offered"] > 0
    assert report["account"]["unexplained"] == 0
    assert report["account"]["balanced"] is True
    assert report["faults"]
    assert {told["stale_accepted"] for told in report["receivers"].values()} == {0}
    assert report["trends"]["memory_mb"]["first"] > 0
    # How fast a machine is shows in some of the promises; what was not kept is told by the exit code.
    assert soak.returncode == bool(report["problems"])
    assert said.count("NOT KEPT") == len(report["problems"])
    assert (tmp_path / "soak.png").exists() or "matplotlib is missing" in said


def test_ctrl_c_ends_it_with_what_was_measured(tmp_path: Path, spot_model: Path) -> None:
    soak = started(tmp_path, spot_model, "--minutes", "60")
    assert soak.stderr is not None
    while "faults, message #" not in soak.stderr.readline():
        assert soak.poll() is None
    time.sleep(2.0)
    soak.send_signal(signal.SIGINT)
    _, said = soak.communicate(timeout=PATIENCE_S)
    report = json.loads((tmp_path / "soak.json").read_text())
    assert report["samples"]
    assert report["account"]["unexplained"] == 0
    assert "Traceback" not in said


def test_without_matplotlib_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    said = draw_soak({"samples": [[0, 1, 2, 3]]}, tmp_path / "soak.png")
    assert said is not None
    assert "scripts/setup train" in said
    assert not (tmp_path / "soak.png").exists()


@pytest.mark.parametrize("arguments", [[], ["--scenario", "flood"], ["--minutes", "1", "--scenario", "freeze"]])
def test_it_wants_a_time_or_a_scenario(arguments: list[str]) -> None:
    ended = subprocess.run(
        [*SOAK, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE_S, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("soak: give --minutes N or --scenario freeze|")


def test_every_scenario_says_how_often() -> None:
    assert SCENARIOS.keys() == TIMES.keys()


def test_the_command_sets_up_and_hands_everything_through(clone: Clone) -> None:
    clone.put("scripts/setup", f"#!/bin/bash\necho setup $* >>{clone.calls}\n")
    clone.put(".venv/bin/python", f'#!/bin/bash\necho "$PYTHONPATH" "$@" >>{clone.calls}\nexit 5\n')
    assert clone.run("scripts/soak", "--minutes", "30").returncode == 5
    assert clone.noted_calls() == ["setup cpu,demo", f"{clone.root} -m tests.faults.soak --minutes 30"]
