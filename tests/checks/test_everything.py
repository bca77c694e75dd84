"""All checks together: their order, and that none ends the others."""

from pathlib import Path
from typing import Any, List

import pytest
from nasion.checks.everything import one, plan, verdicts
from nasion.checks.machine import Imported
from nasion.checks.matrix import RELEASES
from nasion.checks.subject import Subject
from nasion.checks.verdict import Verdict, exit_code, ok
from nasion.errors import HardwareError
from nasion.sources.clock import SystemClock
from nasion.tensorrt.engine_facts import EngineFacts

from tests.checks.made_up import MadeUpMachine, jetson, subject_of
from tests.doubles.pyzed_double import Reality, install

LAPTOP = {"gi": Imported("genuine", "3.42"), "onnxruntime": Imported("genuine", "1.32")}


def test_on_a_laptop_everything_is_in_order_or_not_needed() -> None:
    found = list(verdicts(subject_of(MadeUpMachine(modules=LAPTOP), "demo:")))
    assert {verdict.status for verdict in found} == {"ok", "skipped"}
    assert exit_code(found) == 0


def test_on_a_jetson_with_a_zed_everything_is_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, Reality(clock=SystemClock()))
    machine = jetson(RELEASES[3], engines_are_in=tmp_path, engine=EngineFacts("10.3.0", [], [], {}, []))
    missing = list(verdicts(subject_of(machine, "zed:")))
    assert [verdict.name for verdict in missing if verdict.status == "warn"] == ["engine file"]
    assert exit_code(missing) == 0
    [told] = [verdict for verdict in missing if verdict.name == "engine file"]
    engine = Path(told.found.partition(" is missing")[0])
    engine.parent.mkdir(parents=True)
    engine.write_bytes(b"engine")
    found = list(verdicts(subject_of(machine, "zed:", save=str(tmp_path / "walk.avi"))))
    skipped = {verdict.name for verdict in found if verdict.status == "skipped"}
    assert skipped == {"onnxruntime", "openvino", "broker", "eyes cam0"}
    assert {verdict.status for verdict in found if verdict.name not in skipped} == {"ok"}


def test_every_verdict_bears_the_name_that_its_check_has() -> None:
    subject = subject_of(MadeUpMachine(modules=LAPTOP), "demo:", "demo:")
    names = [name for name, _ in plan(subject)]
    assert [verdict.name for verdict in verdicts(subject)] == names
    assert len(set(names)) == len(names)


def test_each_failure_and_warning_has_a_remedy_and_each_name_its_verdict() -> None:
    """A bare Jetson container without driver, modules, model, broker and source."""
    machine = jetson(
        RELEASES[3], lacking=["nvinfer"], gpu_is=None, cuda_is=(), tensorrt_is=None, modules={}, can_write=False
    )
    settings = {"engine": "deepstream", "model": "/nowhere.onnx", "save": "/nowhere/walk.avi"}
    subject = subject_of(machine, "zed:", "/nowhere", mqtt={"url": "mqtt://broker.invalid"}, **settings)
    found = list(verdicts(subject))
    bad = [verdict for verdict in found if verdict.status in ("warn", "fail")]
    assert [verdict.name for verdict in bad if verdict.status == "fail"] == [
        "engine",
        "GPU",
        "CUDA",
        "TensorRT",
        "gi",
        "pyds",
        "pyzed",
        "model",
        "engine file",
        "broker",
        "source cam0",
        "source cam1",
        "save",
    ]
    assert all(verdict.remedy for verdict in bad)
    assert exit_code(found) == 2


class TestGuard:
    def broken(self, error: Exception) -> List[Verdict]:
        def check(_: Subject) -> Verdict:
            raise error

        subject = subject_of(MadeUpMachine())
        return [one(name, checked, subject) for name, checked in (("x", check), ("y", lambda _: ok("y", "there")))]

    def test_a_mistake_in_a_check_is_a_failure_of_its_name_and_the_next_goes_on(self) -> None:
        broken, next_one = self.broken(ZeroDivisionError("division\nby zero"))
        assert (broken.name, broken.status, broken.exit_code) == ("x", "fail", 1)
        assert broken.found == "the check itself failed: ZeroDivisionError: division by zero"
        assert broken.remedy
        assert next_one.status == "ok"

    def test_an_error_of_a_run_keeps_its_kind(self) -> None:
        broken, _ = self.broken(HardwareError("no GPU; plug one in"))
        assert (broken.found, broken.remedy, broken.exit_code) == ("no GPU", "plug one in", 4)

    def test_a_machine_that_fails_at_every_question_still_gets_all_verdicts(self) -> None:
        class Mad(MadeUpMachine):
            def __getattribute__(self, name: str) -> Any:
                raise RuntimeError(f"no {name}")

        subject = subject_of(Mad(), "demo:")
        found = list(verdicts(subject))
        assert [verdict.name for verdict in found] == [name for name, _ in plan(subject)]
        assert exit_code(found) == 1
