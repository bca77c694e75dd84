"""The build of pyds where the driver's libraries are missing: the step itself, with cmake and g++, on stand-ins.

Stand-ins are DeepStream's folder (nine libraries by the names that pyds links, two of them dangling as in the image),
pyds' sources (its CMakeLists.txt is written here after the real one), and the programs git and pip.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import List

import pytest

from tests.containers.engine import REPOSITORY

STEPS = REPOSITORY / "docker" / "steps"
DRIVERS = ("nvbufsurface", "nvbufsurftransform")
#: In the order in which pyds names them.
NINE = (
    *("nvds_osd", "nvds_meta", "nvds_infer", "nvdsgst_meta", "nvbufsurface", "nvbufsurftransform"),
    *("nvdsgst_helper", "nvdsgst_customhelper", "nvds_batch_jpegenc"),
)
#: NVIDIA's Makefile gives it none.
WITHOUT_SONAME = "nvds_infer"
SONAMES = {name: f"lib{name}.so.1.0.0" for name in DRIVERS}

#: As that of pyds 1.2.0 where it matters: order of its lines, one library after the other by its path, no undefined
#: symbol, a name without `lib`.
CMAKELISTS = """\
cmake_minimum_required(VERSION 3.5 FATAL_ERROR)
if (NOT DEFINED PYTHON_MINOR_VERSION)
        set(PYTHON_MINOR_VERSION 10)
endif()
set(PYTHON_MINVERS_ALLOWED 10)
if(NOT PYTHON_MINOR_VERSION IN_LIST PYTHON_MINVERS_ALLOWED)
        message(FATAL_ERROR "PYTHON_MINOR_VERSION must be one of ${PYTHON_MINVERS_ALLOWED}")
endif()
set(CMAKE_SHARED_LINKER_FLAGS "-Wl,--no-undefined")
project(pyds)
add_library(pyds SHARED src/pyds.cpp)
set_target_properties(pyds PROPERTIES PREFIX "")
function(add_ds_lib libname)
        set(libpath "${DS_PATH}/lib/lib${libname}.so")
        if(NOT EXISTS ${libpath})
                message(FATAL_ERROR "Missing lib${libname}.so at ${libpath}")
        endif()
        add_library(${libname} SHARED IMPORTED)
        set_target_properties(${libname} PROPERTIES IMPORTED_LOCATION ${libpath})
        target_link_libraries(pyds ${libname})
endfunction()
foreach(nvds_lib NINE)
        add_ds_lib(${nvds_lib})
endforeach()
""".replace("NINE", " ".join(NINE))

#: What it calls of each library.
CALLED = {
    **{name: f"{name}_call" for name in NINE},
    "nvbufsurface": "NvBufSurfaceUnMap",
    "nvbufsurftransform": "NvBufSurfTransform",
}

#: Builds as pyds' setup.py does.
PIP = """\
#!/bin/sh
set -e
for folder; do :; done
mkdir "$folder/build"
cd "$folder/build"
cmake "$folder" "-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={out}/" $CMAKE_ARGS
cmake --build .
"""
#: The last argument is the folder; pybind11 is not needed here.
GIT = """\
#!/bin/sh
for folder; do :; done
case $folder in */pybind11) mkdir -p "$folder" ;; *) cp -R {sources}/. "$folder" ;; esac
"""


def compiled(path: Path, source: str, *options: str) -> None:
    command = ["g++", "-x", "c++", "-fPIC", "-shared", "-o", str(path), "-", "-x", "none", *options]
    subprocess.run(command, input=source, text=True, check=True)


def dynamic(path: Path, tag: str) -> List[str]:
    """What the entries ``tag`` of a library's dynamic section say."""
    told = subprocess.run(["readelf", "-dW", str(path)], capture_output=True, text=True, check=True).stdout
    return re.findall(rf"\({tag}\).*\[(.*)\]", told)


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    missing = [name for name in ("cmake", "g++", "gcc", "make", "readelf") if shutil.which(name) is None]
    if missing:
        pytest.skip(f"NO COMPILER: apt-get install cmake g++ make ({', '.join(missing)} missing)")


def image_of_deepstream(tmp_path: Path) -> Path:
    """DeepStream's folder in an image: the driver's libraries are links to what is mounted only at run time."""
    folder = tmp_path / "deepstream"
    library = folder / "lib"
    (library / "gst-plugins").mkdir(parents=True)
    for name in set(NINE) - set(DRIVERS):
        options = [] if name == WITHOUT_SONAME else [f"-Wl,-soname,lib{name}.so"]
        compiled(library / f"lib{name}.so", f'extern "C" void {CALLED[name]}() {{}}', *options)
    # An element that was linked with the real ones.
    real = tmp_path / "host"
    real.mkdir()
    for name in DRIVERS:
        compiled(real / f"lib{name}.so", f'extern "C" void {CALLED[name]}() {{}}', f"-Wl,-soname,{SONAMES[name]}")
        (library / f"lib{name}.so").symlink_to(f"/usr/lib/of-a-jetson/lib{name}.so")
    compiled(
        library / "gst-plugins" / "libnvdsgst_infer.so",
        "",
        "-Wl,--no-as-needed",
        *(str(real / f"lib{name}.so") for name in DRIVERS),
    )
    shutil.rmtree(real)
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with pyds as the step builds it; no file may be left elsewhere."""
    tmp_path = tmp_path_factory.mktemp("pyds")
    deepstream = image_of_deepstream(tmp_path)
    sources, out, programs, scratch = (tmp_path / name for name in ("sources", "out", "programs", "scratch"))
    for folder in (sources / "bindings" / "src", out, programs, scratch):
        folder.mkdir(parents=True)
    (sources / "bindings" / "CMakeLists.txt").write_text(CMAKELISTS)
    calls = "".join(f'extern "C" void {name}();\n' for name in CALLED.values())
    body = "".join(f" {name}();" for name in CALLED.values())
    (sources / "bindings" / "src" / "pyds.cpp").write_text(f"{calls}void used() {{{body} }}\n")
    venv = tmp_path / "venv" / "bin"
    venv.mkdir(parents=True)
    (venv / "python").symlink_to(sys.executable)
    for path, text in ((venv / "pip", PIP), (programs / "git", GIT)):
        path.write_text(text.format(out=out, sources=sources))
        path.chmod(0o755)
    environment = {
        **os.environ,
        "PATH": f"{programs}:{os.environ['PATH']}",
        "DEEPSTREAM": str(deepstream),
        "TMPDIR": str(scratch),
    }
    done = subprocess.run(
        [str(STEPS / "pyds"), str(venv.parent), "source", "1.2.0"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(scratch.iterdir()) == []
    return out


def test_what_is_built_asks_for_the_real_libraries_by_their_names(built: Path) -> None:
    of_path = {WITHOUT_SONAME: str(built.parent / "deepstream" / "lib" / f"lib{WITHOUT_SONAME}.so")}
    wanted = {of_path.get(name, SONAMES.get(name, f"lib{name}.so")) for name in NINE}
    assert len(wanted) == 9
    assert wanted <= set(dynamic(built / "pyds.so", "NEEDED"))


def test_of_the_stand_ins_nothing_comes_along(built: Path) -> None:
    """No file beside the module, no folder that the loader would search."""
    assert sorted(path.name for path in built.iterdir()) == ["pyds.so"]
    assert dynamic(built / "pyds.so", "R(?:UN)?PATH") == [str(built.parent / "deepstream" / "lib")]


def test_it_loads_where_the_runtime_mounts_the_driver(built: Path, tmp_path: Path) -> None:
    mounted = tmp_path / "mounted"
    mounted.mkdir()
    load = [sys.executable, "-c", f"import ctypes; ctypes.CDLL({str(built / 'pyds.so')!r}, 2)"]
    environment = {**os.environ, "LD_LIBRARY_PATH": str(mounted)}
    without = subprocess.run(load, env=environment, capture_output=True, text=True, check=False)
    assert without.returncode != 0
    assert "libnvbufsurf" in without.stderr
    for name in DRIVERS:
        compiled(mounted / SONAMES[name], f'extern "C" void {CALLED[name]}() {{}}', f"-Wl,-soname,{SONAMES[name]}")
    subprocess.run(load, env=environment, check=True)
