"""The program says whether it is well, and whoever asks hears the truth, whatever the file holds."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.health import ENVIRONMENT, MAX_AGE_S, PERIOD_NS, Health, HealthFile, Work, judge
from nasion.mqtt.boot import read_boot_id

from tests.program import Command

SECOND = 1_000_000_000
BOOT = read_boot_id()


@pytest.fixture
def nasion(nasion: Command) -> Command:
    def run(*arguments: object) -> Tuple[int, str, str]:
        return nasion("health", *arguments)

    return run


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "health.json"


@pytest.fixture
def told() -> List[str]:
    return []


@pytest.fixture
def program(path: Path, told: List[str]) -> HealthFile:
    return HealthFile(path, on_event=told.append)


def asked(path: Path, at_s: float, boot_id: Optional[str] = BOOT) -> Health:
    return judge(path, now_ns=int(at_s * SECOND), boot_id=boot_id)


def write(path: Path, **changed: Any) -> None:
    """A state that is well at second 1, but for what is ``changed``."""
    path.write_text(json.dumps({"boot_id": BOOT, "at_ns": SECOND, "cameras": {"cam0": SECOND}, **changed}))


class TestWhatItSays:
    def test_before_it_is_ready_there_is_no_file(self, path: Path) -> None:
        health = asked(path, 1)
        assert (health.live, health.ready, health.fresh) == (False, False, False)
        assert "still starting" in health.detail

    def test_it_is_live_and_ready_before_its_first_frame(self, program: HealthFile, path: Path) -> None:
        program.look(lambda: {"cam0": Work(0)}, SECOND)
        health = asked(path, 1)
        assert (health.live, health.ready, health.fresh, health.healthy) == (True, True, False, False)
        assert health.detail == "cam0: no frame yet"

    def test_with_frames_it_is_well(self, program: HealthFile, path: Path) -> None:
        program.look(lambda: {"cam0": Work(3)}, SECOND)
        health = asked(path, 1.25)
        assert health.healthy
        assert health.cameras == {"cam0": 0.25}
        assert health.detail == "cam0: last frame 0.2 s ago"

    def test_without_new_frames_it_is_no_longer_fresh(self, program: HealthFile, path: Path) -> None:
        for second in range(1, 10):
            program.look(lambda: {"cam0": Work(3)}, second * SECOND)
        health = asked(path, 9)
        assert (health.live, health.ready, health.fresh) == (True, True, False)
        assert health.detail == "cam0: last frame 8.0 s ago"

    def test_one_camera_that_is_silent_is_enough(self, program: HealthFile, path: Path) -> None:
        for second in range(1, 10):
            program.look(lambda: {"front": Work(second), "rear": Work(1)}, second * SECOND)  # noqa: B023
        health = asked(path, 9)
        assert not health.healthy
        assert health.detail == "rear: last frame 8.0 s ago"

    def test_a_program_that_stands_still_is_not_live(self, program: HealthFile, path: Path) -> None:
        program.look(lambda: {"cam0": Work(3)}, SECOND)
        health = asked(path, 1.1 + MAX_AGE_S)
        assert (health.live, health.fresh) == (False, False)
        assert health.detail == f"the program stands still, for {MAX_AGE_S + 0.1:.1f} s now"


class TestWhatIsDue:
    """The limit follows --every and the source's rate."""

    def wells(self, program: HealthFile, path: Path, work: Callable[[float], Work], seconds: int) -> List[bool]:
        """Whether it was well at each half second from 1 to ``seconds`` after the start."""
        found = []
        for half in range(2 * seconds):
            now_s = 1 + half / 2
            program.look(lambda: {"cam0": work(now_s - 1)}, int(now_s * SECOND))  # noqa: B023
            found.append(asked(path, now_s).healthy)
        return found[2:]

    def test_of_each_400th_frame_the_ones_between_are_no_fault(self, program: HealthFile, path: Path) -> None:
        def work(at_s: float) -> Work:
            frames = 1 + int(at_s * 30)
            return Work(1 + (frames - 1) // 400, frames, every=400, period_s=1 / 30)

        assert all(self.wells(program, path, work, 60))

    def test_a_frame_that_is_due_and_does_not_come_is(self, program: HealthFile, path: Path) -> None:
        def work(at_s: float) -> Work:
            return Work(1, 1 + int(at_s * 30), every=400, period_s=1 / 30)

        found = self.wells(program, path, work, 30)
        # It is due after 400 frames, 13.3 s.
        assert all(found[: 2 * 12])
        assert not any(found[2 * 19 :])

    def test_a_source_that_stops_between_them_is_a_fault(self, program: HealthFile, path: Path) -> None:
        def work(at_s: float) -> Work:
            return Work(1, 1 + int(min(at_s, 3) * 30), every=400, period_s=1 / 30)

        found = self.wells(program, path, work, 20)
        assert all(found[: 2 * 6])
        assert not any(found[2 * 9 :])

    @pytest.mark.parametrize("period_s", [1.0, 5.0, 30.0])
    def test_a_slow_source_has_its_time(self, program: HealthFile, path: Path, period_s: float) -> None:
        def work(at_s: float) -> Work:
            frames = 1 + int(at_s / period_s)
            return Work(frames, frames, period_s=period_s)

        assert all(self.wells(program, path, work, 100))

    def test_a_slow_source_of_which_frames_are_left_out_has_it_too(self, program: HealthFile, path: Path) -> None:
        def work(at_s: float) -> Work:
            frames = 1 + int(at_s)
            return Work(1 + (frames - 1) // 10, frames, every=10, period_s=1.0)

        assert all(self.wells(program, path, work, 60))

    def test_a_recording_that_has_ended_owes_nothing(self, program: HealthFile, path: Path) -> None:
        assert all(self.wells(program, path, lambda at_s: Work(3, 3, done=at_s > 1), 60))


class TestTheFile:
    def test_it_is_written_at_most_twice_a_second(self, program: HealthFile, path: Path) -> None:
        counted: List[int] = []

        def processed() -> Dict[str, Work]:
            counted.append(1)
            return {"cam0": Work(len(counted))}

        for turn in range(100):
            program.look(processed, SECOND + turn * PERIOD_NS // 50)
        assert len(counted) == 2
        assert json.loads(path.read_text())["at_ns"] == SECOND + PERIOD_NS

    def test_what_an_earlier_run_left_is_gone_at_the_start(self, path: Path, told: List[str]) -> None:
        write(path)
        HealthFile(path, on_event=told.append)
        assert not path.exists()
        assert told == []

    def test_it_is_replaced_as_a_whole(self, program: HealthFile, path: Path) -> None:
        program.look(lambda: {"cam0": Work(1)}, SECOND)
        with path.open() as reader:
            program.look(lambda: {"cam0": Work(2)}, 2 * SECOND)
            assert json.load(reader)["at_ns"] == SECOND
        assert [left.name for left in path.parent.iterdir()] == [path.name]

    def test_a_folder_that_is_not_there_is_told_once_and_ends_nothing(self, tmp_path: Path, told: List[str]) -> None:
        program = HealthFile(tmp_path / "nowhere" / "health.json", on_event=told.append)
        for second in range(1, 4):
            program.look(lambda: {"cam0": Work(1)}, second * SECOND)
        assert len(told) == 1
        assert f"cannot be written: No such file or directory; check {ENVIRONMENT}" in told[0]

    def test_none_wanted_none_written(self, tmp_path: Path, told: List[str]) -> None:
        HealthFile(None, on_event=told.append).look(lambda: {"cam0": Work(1)}, SECOND)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize(
        "changed",
        [
            {"boot_id": "another"},
            {"at_ns": "soon"},
            {"at_ns": None},
            {"cameras": []},
            {"cameras": {"cam0": "x"}},
            {"cameras": None},
        ],
    )
    def test_a_state_that_is_none_of_this_boot_is_no_health(self, path: Path, changed: Dict[str, Any]) -> None:
        write(path, **changed)
        health = asked(path, 1)
        assert (health.live, health.ready, health.fresh) == (False, False, False)
        assert "holds no state of this boot" in health.detail

    @given(content=st.binary(max_size=60) | st.text(alphabet='{}[]":,0123456789abeinotu_', max_size=60).map(str.encode))
    def test_whatever_it_holds_there_is_an_answer(self, content: bytes) -> None:
        path = Path(os.environ.get("TMPDIR", "/tmp")) / f"nasion-health-{os.getpid()}"
        try:
            path.write_bytes(content)
            assert not asked(path, 1).healthy
        finally:
            path.unlink()


class TestTheCommand:
    @pytest.fixture
    def well(self, path: Path) -> Path:
        write(path, at_ns=time.monotonic_ns(), cameras={"cam0": time.monotonic_ns()})
        return path

    def test_well_is_0_and_one_line(self, nasion: Command, well: Path) -> None:
        code, out, err = nasion("--file", well, "--max-age", 60)
        assert (code, err) == (0, "")
        assert out.startswith("well: cam0: last frame ")
        assert out.count("\n") == 1

    def test_not_well_is_1_and_one_line(self, nasion: Command, path: Path) -> None:
        code, out, err = nasion("--file", path)
        assert (code, out) == (1, "")
        assert err.startswith("nasion: not well: ")
        assert err.count("\n") == 1

    def test_json_tells_it_all(self, nasion: Command, well: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(ENVIRONMENT, str(well))
        code, out, _ = nasion("--json", "--max-age", 60)
        health = json.loads(out)
        assert code == 0
        assert list(health) == ["healthy", "live", "ready", "fresh", "detail", "cameras"]
        assert all(health[name] for name in ("healthy", "live", "ready", "fresh"))
        assert health["cameras"]["cam0"]["frame_age_s"] >= 0
        code, out, _ = nasion("--json", "--max-age", 0)
        assert (code, json.loads(out)["live"]) == (1, False)

    def test_without_a_file_it_says_how_to_name_one(self, nasion: Command, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv(ENVIRONMENT, raising=False)
        code, _, err = nasion()
        assert code == 2
        assert "--file FILE" in err


class TestWhatAContainerAsks:
    """``python -m nasion.health``: the same answer, without the weight of the command."""

    def ask(self, **environment: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "nasion.health"],
            env={"PYTHONPATH": "plugins", **environment},
            cwd=Path(__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def test_well_is_0(self, path: Path) -> None:
        write(path, at_ns=time.monotonic_ns() + 50 * SECOND, cameras={"cam0": time.monotonic_ns() + 50 * SECOND})
        asked = self.ask(**{ENVIRONMENT: str(path)})
        assert asked.returncode == 0
        assert asked.stdout.startswith("healthy: cam0")

    @pytest.mark.parametrize("environment", [{}, {ENVIRONMENT: "/nowhere/health.json"}])
    def test_anything_else_is_1_with_the_reason(self, environment: Dict[str, str]) -> None:
        asked = self.ask(**environment)
        assert asked.returncode == 1
        assert asked.stdout.startswith("unhealthy: ")

    def test_it_loads_nothing_but_the_standard_library(self) -> None:
        loaded = {line.rpartition("|")[2].strip().partition(".")[0] for line in self.ask().stderr.splitlines()}
        assert "json" in loaded
        assert not loaded & {"numpy", "cv2", "pydantic", "typer", "rich", "gi", "paho", "onnxruntime"}
