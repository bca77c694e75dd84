"""Whether what is installed goes together, on machines that are made up."""

from typing import Any, Callable, Dict

import pytest
from nasion.checks import versions
from nasion.checks.matrix import L4T_FILE, RELEASES, Release
from nasion.checks.subject import DEEPSTREAM_FILE, Subject
from nasion.checks.verdict import Verdict
from nasion.checks.versions import ZED_FILE
from nasion.errors import DependencyError, HardwareError
from nasion.tensorrt.versions import Version

from tests.checks.made_up import MadeUpMachine, jetson, subject_of

Check = Callable[[Subject], Verdict]
CHECKS: Dict[str, Check] = {
    "Python": versions.python,
    "GStreamer": versions.gstreamer,
    "engine": versions.engine,
    "L4T": versions.l4t,
    "GPU": versions.gpu,
    "CUDA": versions.cuda,
    "TensorRT": versions.tensorrt,
    "DeepStream": versions.deepstream,
    "ZED SDK": versions.zed_sdk,
}
XAVIER, JETPACK_6 = RELEASES[0], RELEASES[3]


def told(machine: MadeUpMachine, *sources: str, **settings: Any) -> Dict[str, Verdict]:
    subject = subject_of(machine, *sources, **settings)
    verdicts = {name: check(subject) for name, check in CHECKS.items()}
    assert all(verdict.name == name for name, verdict in verdicts.items())
    return verdicts


@pytest.mark.parametrize("row", RELEASES, ids=lambda row: row.jetpack)
def test_a_jetson_with_all_that_goes_with_its_jetpack_is_in_order(row: Release) -> None:
    assert {verdict.status for verdict in told(jetson(row), "zed:").values()} == {"ok"}


def test_on_a_laptop_only_what_the_cpu_engine_needs_is_asked_for() -> None:
    found = told(MadeUpMachine(), "demo:")
    assert {name for name, verdict in found.items() if verdict.status == "ok"} == {"Python", "GStreamer", "engine"}
    assert {name for name, verdict in found.items() if verdict.status == "skipped"} == set(found) - {
        "Python",
        "GStreamer",
        "engine",
    }
    assert found["engine"].found.startswith("onnxruntime")


@pytest.mark.parametrize(
    ("name", "status", "code", "otherwise"),
    [
        ("Python", "fail", 3, {"python_is": (3, 7, 9)}),
        ("GStreamer", "fail", 3, {"gstreamer_is": (1, 14, 5)}),
        ("Python", "warn", 0, {"python_is": (3, 8, 10)}),
        ("GStreamer", "warn", 0, {"gstreamer_is": (1, 24, 2)}),
        ("CUDA", "warn", 0, {"cuda_is": (12, 2)}),
        ("TensorRT", "warn", 0, {"tensorrt_is": Version(10, 13, 0)}),
    ],
)
def test_what_does_not_go_with_the_jetpack_is_said(
    name: str, status: str, code: int, otherwise: Dict[str, Any]
) -> None:
    found = told(jetson(JETPACK_6, **otherwise), "zed:")
    assert (found[name].status, found[name].exit_code) == (status, code)
    assert found[name].remedy
    assert {verdict.status for other, verdict in found.items() if other != name} == {"ok"}


def test_the_jetpacks_versions_are_no_matter_to_the_cpu_engine() -> None:
    found = told(jetson(JETPACK_6, python_is=(3, 11, 2), gstreamer_is=(1, 24, 2)), engine="onnxruntime")
    assert (found["Python"].status, found["GStreamer"].status) == ("ok", "ok")


def test_without_a_gpu_deepstream_cannot_be() -> None:
    subject = subject_of(jetson(JETPACK_6, gpu_is=None, cuda_is=()))
    for check in (versions.gpu, versions.cuda):
        with pytest.raises(HardwareError, match="--runtime nvidia"):
            check(subject)


def test_a_tensorrt_whose_trtexec_is_not_known_is_refused() -> None:
    with pytest.raises(DependencyError, match=r"11\.0\.0"):
        versions.tensorrt(subject_of(jetson(JETPACK_6, tensorrt_is=Version(11, 0, 0))))


class TestEngine:
    def test_a_jetson_that_falls_back_to_the_cpu_is_warned(self) -> None:
        verdict = versions.engine(subject_of(jetson(JETPACK_6, lacking=["the GStreamer element nvinfer"])))
        assert verdict.status == "warn"
        assert "deepstream needs the GStreamer element nvinfer" in verdict.found
        assert "--engine onnxruntime" in (verdict.remedy or "")

    def test_whom_it_was_said_to_is_not_warned(self) -> None:
        verdict = versions.engine(subject_of(jetson(JETPACK_6, lacking=["nvinfer"]), engine="onnxruntime"))
        assert (verdict.status, verdict.found) == ("ok", "onnxruntime, as asked for")

    def test_deepstream_asked_for_where_it_is_not_is_a_missing_dependency(self) -> None:
        subject = subject_of(MadeUpMachine(), engine="deepstream")
        verdict = versions.engine(subject)
        assert (verdict.status, verdict.exit_code) == ("fail", 3)
        assert "pyds" in verdict.found
        assert subject.deepstream, "what it lacks is asked for one by one"

    def test_where_not_even_gstreamer_loads_the_rest_is_still_told(self) -> None:
        class NoGStreamer(MadeUpMachine):
            def missing_for_deepstream(self) -> Any:
                raise DependencyError("GStreamer for Python cannot be loaded; install it")

        subject = subject_of(NoGStreamer())
        assert (versions.engine(subject).status, subject.deepstream) == ("fail", False)


class TestL4t:
    def test_one_that_is_only_reported_to_work_is_a_warning(self) -> None:
        machine = jetson(XAVIER)
        machine.files[L4T_FILE] = "# R35 (release), REVISION: 6.0, GCID: 1"
        found = told(machine, "zed:")
        assert found["L4T"].status == "warn"
        assert "35.4 or 35.5" in (found["L4T"].remedy or "")
        assert found["DeepStream"].status == "ok"

    def test_one_that_is_not_in_the_table_is_a_warning_and_leaves_the_rest_uncompared(self) -> None:
        machine = jetson(XAVIER)
        machine.files[L4T_FILE] = "# R35 (release), REVISION: 2.1, GCID: 1"
        found = told(machine, "zed:")
        assert found["L4T"].status == "warn"
        assert "35.4" in (found["L4T"].remedy or "")
        assert {verdict.status for name, verdict in found.items() if name != "L4T"} == {"ok"}

    def test_a_container_that_does_not_know_its_host_says_how_to_tell_it(self) -> None:
        machine = jetson(JETPACK_6)
        del machine.files[L4T_FILE]
        verdict = told(machine)["L4T"]
        assert verdict.status == "warn"
        assert f"-v {L4T_FILE}:{L4T_FILE}:ro" in (verdict.remedy or "")

    def test_a_computer_with_deepstream_is_no_jetson(self) -> None:
        machine = jetson(JETPACK_6, arch="x86_64", tensorrt_is=Version(10, 3, 0), python_is=(3, 12, 3))
        del machine.files[L4T_FILE]
        found = told(machine)
        assert (found["L4T"].status, found["Python"].status, found["DeepStream"].status) == ("skipped", "ok", "ok")


class TestDeepStream:
    def with_file(self, text: str, row: Release = JETPACK_6) -> Verdict:
        machine = jetson(row)
        machine.files[DEEPSTREAM_FILE] = text
        return told(machine)["DeepStream"]

    def test_that_of_another_jetpack_is_a_failure_with_the_right_ones_name(self) -> None:
        verdict = self.with_file("Version: 8.0")
        assert (verdict.status, verdict.exit_code) == ("fail", 3)
        assert "8.0, but JetPack 6.1/6.2 goes with 7.1" in verdict.found
        assert "DeepStream 7.1" in (verdict.remedy or "")

    def test_both_that_go_with_jetpack_7_2_are_right(self) -> None:
        assert self.with_file("Version: 9.2", RELEASES[-1]).status == "ok"

    def test_none_is_a_missing_dependency(self) -> None:
        assert (self.with_file("").status, self.with_file("").exit_code) == ("fail", 3)

    def test_one_that_the_table_does_not_know_is_a_warning_where_no_jetpack_is_told(self) -> None:
        assert versions.judge_deepstream((5, 1), None).status == "warn"
        assert versions.judge_deepstream((6, 4), None).status == "ok"


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ('set(PACKAGE_VERSION "5.4.1")', "ok"),
        ('set(PACKAGE_VERSION "4.0.8")', "ok"),
        ('set(PACKAGE_VERSION "3.8.2")', "warn"),
        ("", "warn"),
    ],
)
def test_the_zed_sdk(text: str, status: str) -> None:
    machine = jetson(JETPACK_6)
    machine.files[ZED_FILE] = text
    assert told(machine, "svo:walk.svo2")["ZED SDK"].status == status
    assert told(machine, "walk.svo2")["ZED SDK"].status == status
    assert told(machine, "sbs:walk.avi")["ZED SDK"].status == "skipped"
