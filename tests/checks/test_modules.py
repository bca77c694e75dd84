"""Modules of the platform: there, missing, another project's, or broken. They are loaded for real, in a process."""

from pathlib import Path
from typing import Callable, Optional

import pytest
from nasion.checks.machine import Imported, ThisMachine
from nasion.checks.matrix import RELEASES, Numbers, written
from nasion.checks.modules import FREE_PYZED, MODULES, Module, check, judge_import, judge_pyds, judge_pyzed
from nasion.sources.zed.sdk import ZedCamera

from tests.checks.made_up import MadeUpMachine, jetson, subject_of
from tests.doubles.pyzed_double import Reality, install

Place = Callable[[str, str], None]
BY_NAME = {module.name: module for module in MODULES}
#: A `pyds` whose structures give the array that stands in the braces.
PYDS = """\
import numpy, os
__version__ = "1.2.0"
def gst_buffer_get_nvds_batch_meta(address): ...
class NvDsInferDims:
    d = property(lambda self: {})
"""


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
    return ThisMachine().imported(module.imported, module.attribute, module.before, module.trial)


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
        place("pyds.py", PYDS.format("numpy.zeros(8)"))
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

    @pytest.mark.parametrize(
        ("array", "said"),
        [
            ("numpy.an_array_of_numpy_1()", "AttributeError: module 'numpy' has no attribute 'an_array_of_numpy_1'"),
            ("os.abort()", "it ends the process"),
        ],
    )
    def test_one_that_loads_and_does_not_fit_numpy_is_found_out(self, place: Place, array: str, said: str) -> None:
        place("pyds.py", PYDS.format(array))
        found = tried(BY_NAME["pyds"])
        assert (found.state, found.version) == ("genuine", "1.2.0")
        assert found.misfit.startswith(said)

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
        assert "scripts/setup openvino" in (verdict.remedy or "")

    def test_a_jetson_is_asked_for_all_but_what_runs_on_processors(self) -> None:
        subject = subject_of(jetson(RELEASES[3]), "zed:")
        verdicts = {module.name: check(subject, module).status for module in MODULES}
        assert verdicts == {"gi": "ok", "pyds": "ok", "pyzed": "ok", "onnxruntime": "skipped", "openvino": "skipped"}

    @pytest.mark.parametrize(
        ("found", "wanted", "misfit", "status"),
        [
            ("1.1.8", (1, 1, 8), "", "ok"),
            ("1.2.0", (1, 1, 8), "", "fail"),
            ("1.1.10", (1, 1, 1), "", "fail"),
            ("1.2.0", None, "", "ok"),
            (None, (1, 1, 8), "", "ok"),
            ("1.2.0", (1, 2, 0), "ImportError: _ARRAY_API\nnot found", "warn"),
            (None, None, "it ends the process", "warn"),
        ],
    )
    def test_pyds_must_be_that_of_the_deepstream_and_its_arrays_those_of_this_numpy(
        self, found: Optional[str], wanted: Optional[Numbers], misfit: str, status: str
    ) -> None:
        verdict = judge_pyds(Imported("genuine", found, misfit=misfit), wanted, "2.2.1")
        assert verdict.status == status
        assert "\n" not in verdict.found
        assert ("do not fit NumPy 2.2.1" in verdict.found) == (status == "warn")

    @pytest.mark.parametrize(
        ("found", "status"),
        [("4.2", "warn"), ("5.0.1", "warn"), ("5.0.2", "ok"), ("5.1", "ok"), ("5.4", "ok"), (None, "ok")],
    )
    def test_a_pyzed_that_holds_the_interpreter_is_a_warning(self, found: Optional[str], status: str) -> None:
        assert judge_pyzed(found).status == status

    def test_the_source_warns_of_the_same_versions(self, monkeypatch: pytest.MonkeyPatch) -> None:
        below = written((*FREE_PYZED[:-1], FREE_PYZED[-1] - 1))
        for version, warned in ((below, True), (written(FREE_PYZED), False)):
            install(monkeypatch, Reality(sdk=version))
            assert (ZedCamera().warning is not None) == warned
            assert (judge_pyzed(version).status == "warn") == warned
