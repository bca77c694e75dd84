"""pyds is linked although NVIDIA's image holds two of its nine libraries as dangling links only.

The libraries of DeepStream are stand-ins, compiled here, with their names, their needs and the dangling links of the
image for DeepStream 7.1; compiler, linker and the step are the real ones.
"""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Dict, List

import pytest

from tests.containers.engine import REPOSITORY

STEP = REPOSITORY / "docker" / "steps" / "pyds_stubs"
#: As the CMakeLists.txt of pyds 1.2.0 names them.
NINE = [
    *("nvds_osd", "nvds_meta", "nvds_infer", "nvdsgst_meta", "nvbufsurface"),
    *("nvbufsurftransform", "nvdsgst_helper", "nvdsgst_customhelper", "nvds_batch_jpegenc"),
]
DANGLING = ["nvbufsurface", "nvbufsurftransform"]
#: What pyds 1.2.0 calls.
CALLED = [
    *("Create", "Destroy", "Map", "UnMap", "Copy"),
    *("SyncForCpu", "SyncForDevice", "FromFd", "MemSet", "MapEglImage"),
]
FUNCTIONS = [f"NvBufSurface{name}" for name in CALLED]

pytestmark = pytest.mark.skipif(
    not (shutil.which("gcc") and shutil.which("readelf")), reason="no compiler: apt-get install gcc binutils"
)


def compiled(source: str, out: Path, *flags: str) -> None:
    command = ["gcc", "-shared", "-fPIC", "-x", "c", "-", "-x", "none", "-o", str(out), *flags]
    subprocess.run(command, input=source, text=True, check=True)


def dynamic(library: Path, tag: str) -> List[str]:
    told = subprocess.run(["readelf", "-d", str(library)], capture_output=True, text=True, check=True).stdout
    return re.findall(rf"\({tag}\).*\[(.*)\]", told)


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """The folder ``lib`` of DeepStream in the image."""
    folder = tmp_path / "deepstream" / "lib"
    folder.mkdir(parents=True)
    for name in NINE:
        if name in DANGLING:
            (folder / f"lib{name}.so").symlink_to(f"/usr/lib/aarch64-linux-gnu/tegra/lib{name}.so.1.0.0")
        else:
            compiled(f"void {name}_here(void) {{}}\n", folder / f"lib{name}.so", f"-Wl,-soname,lib{name}.so")
    return folder


@pytest.fixture
def bindings(tmp_path: Path) -> Path:
    """What stands for pyds' sources: a C file that calls what pyds calls."""
    folder = tmp_path / "bindings"
    (folder / "src").mkdir(parents=True)
    calls = "".join(f"void {name}(void);\n" for name in FUNCTIONS)
    body = "".join(f"    {name}();\n" for name in FUNCTIONS)
    (folder / "src" / "pyds.cpp").write_text(f"{calls}void pyds(void) {{\n{body}}}\n")
    return folder


def linked(libraries: Path, bindings: Path, out: Path) -> "subprocess.CompletedProcess[str]":
    """As pyds' CMakeLists.txt links it: all nine by their paths, and nothing may be missing."""
    command = ["gcc", "-shared", "-fPIC", "-x", "c", str(bindings / "src/pyds.cpp"), "-x", "none", "-o", str(out)]
    command += ["-Wl,--no-undefined", "-Wl,--no-as-needed", *(str(libraries / f"lib{name}.so") for name in NINE)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def step(libraries: Path, bindings: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([str(STEP), str(libraries), str(bindings)], capture_output=True, text=True, check=False)


def test_without_it_pyds_cannot_be_linked(libraries: Path, bindings: Path, tmp_path: Path) -> None:
    assert linked(libraries, bindings, tmp_path / "pyds.so").returncode != 0


def test_pyds_is_linked_and_looks_for_the_jetsons_own_when_it_runs(
    libraries: Path, bindings: Path, tmp_path: Path
) -> None:
    made = step(libraries, bindings)
    assert made.returncode == 0, made.stderr
    assert [name for name in NINE if f"lib{name}.so is linked against a stand-in" in made.stdout] == DANGLING
    assert linked(libraries, bindings, tmp_path / "pyds.so").returncode == 0
    needed = [name for name in dynamic(tmp_path / "pyds.so", "NEEDED") if name.startswith("libnv")]
    expected: Dict[str, str] = {name: f"lib{name}.so" for name in NINE}
    expected.update({name: f"lib{name}.so.1.0.0" for name in DANGLING})
    assert needed == list(expected.values())


def test_the_name_is_the_one_that_deepstreams_own_libraries_need(
    libraries: Path, bindings: Path, tmp_path: Path
) -> None:
    """Another L4T may count on; what is in the image knows."""
    other = tmp_path / "libnvbufsurface.so.2.0.0"
    compiled("void NvBufSurfaceMap(void) {}\n", other, "-Wl,-soname,libnvbufsurface.so.2.0.0")
    compiled(
        "void NvBufSurfaceMap(void); void meta(void) { NvBufSurfaceMap(); }\n",
        libraries / "libnvds_meta.so",
        "-Wl,--no-as-needed",
        str(other),
    )
    assert step(libraries, bindings).returncode == 0
    assert dynamic(libraries / "libnvbufsurface.so", "SONAME") == ["libnvbufsurface.so.2.0.0"]


def needing(name: str, library: Path) -> None:
    """A library that was linked with one of that name."""
    other = library.parents[2] / name
    compiled("void NvBufSurfaceMap(void) {}\n", other, f"-Wl,-soname,{name}")
    library.parent.mkdir(exist_ok=True)
    compiled("void NvBufSurfaceMap(void); void use(void) { NvBufSurfaceMap(); }\n", library, str(other))
    other.unlink()


def test_an_element_tells_the_name_as_well(libraries: Path, bindings: Path) -> None:
    needing("libnvbufsurface.so.3", libraries / "gst-plugins" / "libnvdsgst_infer.so")
    # Linked with the link that every machine has beside it.
    needing("libnvbufsurface.so", libraries / "gst-plugins" / "libnvdsgst_osd.so")
    made = step(libraries, bindings)
    assert made.returncode == 0, made.stderr
    assert dynamic(libraries / "libnvbufsurface.so", "SONAME") == ["libnvbufsurface.so.3"]


def test_two_names_are_refused(libraries: Path, bindings: Path) -> None:
    for number in (1, 2):
        needing(f"libnvbufsurface.so.{number}", libraries / "gst-plugins" / f"libnvdsgst_{number}.so")
    refused = step(libraries, bindings)
    assert refused.returncode == 1
    assert "(libnvbufsurface.so.1 libnvbufsurface.so.2 ); expected one" in refused.stderr


@pytest.mark.parametrize("absent", ["missing", "empty", "unversioned link"])
def test_what_tells_no_name_gets_l4ts_own_and_that_is_said(libraries: Path, bindings: Path, absent: str) -> None:
    for name in DANGLING:
        library = libraries / f"lib{name}.so"
        library.unlink()
        if absent == "empty":
            library.touch()
        elif absent != "missing":
            library.symlink_to(f"/usr/lib/aarch64-linux-gnu/nvidia/lib{name}.so")
    made = step(libraries, bindings)
    assert made.returncode == 0, made.stderr
    assert made.stdout.count("nothing here tells it") == 2
    for name in DANGLING:
        assert dynamic(libraries / f"lib{name}.so", "SONAME") == [f"lib{name}.so.1.0.0"]


def test_real_libraries_are_left_as_they_are(libraries: Path, bindings: Path) -> None:
    for name in DANGLING:
        (libraries / f"lib{name}.so").unlink()
        compiled("void here(void) {}\n", libraries / f"lib{name}.so")
    before = {path: path.read_bytes() for path in libraries.iterdir()}
    made = step(libraries, bindings)
    assert (made.returncode, made.stdout) == (0, "")
    assert {path: path.read_bytes() for path in libraries.iterdir()} == before


@pytest.mark.parametrize("missing", [name for name in NINE if name not in DANGLING])
def test_another_one_that_is_missing_is_no_jetsons_image(libraries: Path, bindings: Path, missing: str) -> None:
    (libraries / f"lib{missing}.so").unlink()
    refused = step(libraries, bindings)
    assert refused.returncode == 1
    assert f"lib{missing}.so is missing" in refused.stderr


def test_the_stand_ins_stay_in_the_stage_that_builds_pyds() -> None:
    dockerfile = (REPOSITORY / "docker" / "Dockerfile").read_text()
    builds = re.search(r"^FROM \S+ AS (\S+)\n(?:(?!^FROM).*\n)*?.*/steps/pyds ", dockerfile, re.MULTILINE)
    assert builds
    assert re.findall(rf"--from={builds[1]} (\S+)", dockerfile) == ["/opt/venv"]
    assert not re.search(rf"^FROM {builds[1]}\b", dockerfile, re.MULTILINE)
    assert "pyds_stubs" in (REPOSITORY / "docker/steps/pyds").read_text()
