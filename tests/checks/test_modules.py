"""Modules of the platform: there, missing, another project's, or broken. They are loaded for real, in a process."""

from pathlib import Path
from typing import Callable, Optional

import pytest
from nasion.checks.machine import Imported, ThisMachine
from nasion.checks.matrix import RELEASES, Numbers, written
from nasion.checks.modules import FREE_PYZED, MODULES, Module, check, judge_import, judge_pyds, judge_pyzed
from nasion.sources.zed import sdk
from nasion.sources.zed.sdk import ZedCamera

from tests.checks.made_up import MadeUpMachine, jetson, subject_of
from tests.doubles.pyzed_double import Reality, install

Place = Callable[[str, str], None]
BY_NAME = {module.name: module for module in MODULES}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """``place(file, text)``: a file that Python finds before all others."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    return write


def tried(module: Module) -> Imported:
    return ThisMachine().imported(module.imported, module.attribute, module.before)


class TestLoading:
    @pytest.mark.parametrize("name", ["gi", "onnxruntime"])
    def test_what_is_installed_here_is_genuine_and_says_its_version(self, name: str) -> None:
        pytest.importorskip(name, reason=f"this Python has no {name}")
        found = tried(BY_NAME[name])
        assert found.state == "genuine"
        assert found.version

    @pytest.mark.parametrize("name", ["pyds", "pyzed"])
    def test_what_is_not_installed_is_missing(self, name: str) -> None:
        assert tried(BY_NAME[name]).state == "missing"

    def test_the_right_ones_are_known_by_what_only_they_have(self, place: Place) -> None:
        place("pyds.py", "__version__ = '1.2.0'\ndef gst_buffer_get_nvds_batch_meta(address): ...\n")
        place("pyzed/__init__.py", "")
        place("pyzed/sl.py", "class Camera: ...\n")
        assert tried(BY_NAME["pyds"]) == Imported("genuine", "1.2.0")
        assert tried(BY_NAME["pyzed"]) == Imported("genuine")

    def test_the_unrelated_projects_of_those_names_are_known_for_what_they_are(self, place: Place) -> None:
        place("pyds.py", "class MassFunction(dict): ...\n")
        place("pyzed/__init__.py", "")
        assert tried(BY_NAME["pyds"]).state == "other"
        assert tried(BY_NAME["pyzed"]).state == "other"
        place("pyzed/sl.py", "")
        assert tried(BY_NAME["pyzed"]).state == "other"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("raise ImportError('libnvds_meta.so: cannot open shared object file')", "libnvds_meta.so"),
            ("raise ValueError('numpy.dtype size changed')", "ValueError: numpy.dtype size changed"),
            ("import a_library_it_needs", "a_library_it_needs"),
            ("import os; os.abort()", "it ends the process with code -6"),
            ("import sys; sys.stderr.write('no CUDA'); sys.exit(7)", "it ends the process with code 7: no CUDA"),
        ],
    )
    def test_one_that_does_not_load_says_why_and_takes_nobody_with_it(self, place: Place, text: str, said: str) -> None:
        place("pyds.py", text)
        found = tried(BY_NAME["pyds"])
        assert found.state == "broken"
        assert said in found.detail

    def test_one_that_talks_while_it_loads_is_understood(self, place: Place) -> None:
        place("pyds.py", "print('hello {', end='')\ndef gst_buffer_get_nvds_batch_meta(address): ...\n")
        assert tried(BY_NAME["pyds"]).state == "genuine"

    def test_one_that_never_ends_is_given_up(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("nasion.checks.machine._IMPORT_TIMEOUT_S", 0.5)
        place("pyds.py", "import time; time.sleep(600)")
        assert tried(BY_NAME["pyds"]).detail == "it did not load within 0 s"

    def test_gstreamer_comes_first_then_pyds_then_pyzed(self, place: Place) -> None:
        """The other way round two copies of the same libraries may meet."""
        pytest.importorskip("gi", reason="this Python has no GStreamer")
        place("pyds.py", "import sys\nassert 'gi.repository.Gst' in sys.modules\n")
        place("pyzed/__init__.py", "")
        place("pyzed/sl.py", "import sys\nassert 'pyds' in sys.modules\nclass Camera: ...\n")
        assert tried(BY_NAME["pyzed"]).state == "genuine"


class TestVerdicts:
    @pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
    @pytest.mark.parametrize("state", ["missing", "other", "broken"])
    def test_each_failure_is_a_missing_dependency_with_a_way_to_get_it(self, module: Module, state: str) -> None:
        verdict = judge_import(module, Imported(state, detail="a\n b"))  # type: ignore[arg-type]
        assert (verdict.status, verdict.exit_code) == ("fail", 3)
        assert module.remedy in (verdict.remedy or "")
        assert "\n" not in verdict.found

    def test_another_project_is_to_be_removed_first(self) -> None:
        verdict = judge_import(BY_NAME["pyzed"], Imported("other"))
        assert (verdict.remedy or "").startswith("pip uninstall pyzed, then run get_python_api.py")

    def test_nobody_is_told_to_take_pyds_or_pyzed_from_the_package_index(self) -> None:
        assert "never `pip install pyds`" in BY_NAME["pyds"].remedy
        assert "never `pip install pyzed`" in BY_NAME["pyzed"].remedy

    def test_a_laptop_is_asked_only_for_what_it_needs(self) -> None:
        machine = MadeUpMachine(modules={"gi": Imported("genuine", "3.42"), "onnxruntime": Imported("genuine")})
        verdicts = {module.name: check(subject_of(machine, "demo:"), module).status for module in MODULES}
        assert verdicts == {
            "gi": "ok",
            "pyds": "skipped",
            "pyzed": "skipped",
            "onnxruntime": "ok",
            "openvino": "skipped",
        }
        assert [name for name, _ in machine.loaded] == ["gi", "onnxruntime"]

    def test_openvino_is_asked_for_where_it_is_to_run_the_network(self) -> None:
        verdict = check(subject_of(MadeUpMachine(modules={}), "demo:", engine="openvino"), BY_NAME["openvino"])
        assert verdict.status == "fail"
        assert "nasion[openvino]" in (verdict.remedy or "")

    def test_a_jetson_is_asked_for_all_but_what_runs_on_processors(self) -> None:
        subject = subject_of(jetson(RELEASES[3]), "zed:")
        verdicts = {module.name: check(subject, module).status for module in MODULES}
        assert verdicts == {"gi": "ok", "pyds": "ok", "pyzed": "ok", "onnxruntime": "skipped", "openvino": "skipped"}

    @pytest.mark.parametrize(
        ("found", "wanted", "numpy", "status"),
        [
            ("1.1.8", (1, 1, 8), "1.24.4", "ok"),
            ("1.2.0", (1, 1, 8), "1.24.4", "fail"),
            ("1.1.10", (1, 1, 1), "1.24.4", "fail"),
            ("1.2.0", None, "1.26.0", "ok"),
            (None, (1, 1, 8), "1.24.4", "ok"),
            ("1.2.0", (1, 2, 0), "2.2.1", "warn"),
            (None, None, "2.2.1", "warn"),
        ],
    )
    def test_pyds_must_be_that_of_the_deepstream_and_numpy_that_of_pyds(
        self, found: Optional[str], wanted: Optional[Numbers], numpy: str, status: str
    ) -> None:
        assert judge_pyds(found, wanted, numpy).status == status

    @pytest.mark.parametrize(
        ("found", "status"),
        [("4.2", "warn"), ("5.0.1", "warn"), ("5.0.2", "ok"), ("5.1", "ok"), ("5.4", "ok"), (None, "ok")],
    )
    def test_a_pyzed_that_holds_the_interpreter_is_a_warning(self, found: Optional[str], status: str) -> None:
        assert judge_pyzed(found).status == status

    def test_the_source_warns_of_the_same_versions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        install(monkeypatch, Reality())
        below = written((*FREE_PYZED[:-1], FREE_PYZED[-1] - 1))
        for version, warned in ((below, True), (written(FREE_PYZED), False)):
            monkeypatch.setattr(sdk, "version", lambda _, version=version: version)
            assert (ZedCamera().warning is not None) == warned
            assert (judge_pyzed(version).status == "warn") == warned
