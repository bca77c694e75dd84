"""What the container tests share. They need a container engine and minutes; without they are skipped, visibly."""

import os
import shutil
import uuid
from pathlib import Path
from typing import Callable, Iterator, List

import pytest

from tests.containers.engine import BASE, REPOSITORY, Docker, NoEngineError, an_engine

#: Set by scripts/test --containers.
ASKED_FOR = "NASION_TEST_CONTAINERS"

#: Everything that the images promise to live with.
HARDENED = ("--read-only", "--cap-drop=ALL", "--security-opt", "no-new-privileges", "--tmpfs", "/tmp")

Start = Callable[..., str]


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    if not os.environ.get(ASKED_FOR):
        pytest.skip("images are built only when asked for: scripts/test --containers")
    try:
        with an_engine() as docker:
            yield docker
    except NoEngineError as reason:
        pytest.skip(f"NO CONTAINER ENGINE: {reason}")


@pytest.fixture(scope="session")
def cpu_image(docker: Docker) -> str:
    docker.build("-f", "docker/Dockerfile", "--target", "cpu", "-t", "nasion:cpu", ".")
    return "nasion:cpu"


@pytest.fixture(scope="session")
def jetson_image(docker: Docker) -> str:
    """The steps that are common to all bases, on Debian: no DeepStream, no ZED SDK, no CUDA is in it."""
    without = [f"--build-arg={argument}" for argument in (f"DEEPSTREAM_IMAGE={BASE}", "PYDS=none", "ZED_SDK=none")]
    docker.build("-f", "docker/Dockerfile", "--target", "jetson", *without, "-t", "nasion:jetson-stand-in", ".")
    return "nasion:jetson-stand-in"


@pytest.fixture
def start(docker: Docker) -> Iterator[Start]:
    """``start(image, argument...)``: a hardened container without a network, asked for its health often; its name."""
    names: List[str] = []

    def start(*arguments: object, options: "tuple[object, ...]" = ()) -> str:
        names.append(f"nasion-test-{uuid.uuid4().hex[:12]}")
        docker(
            "run",
            "--detach",
            "--name",
            names[-1],
            "--network=none",
            "--health-interval=1s",
            *HARDENED,
            *options,
            *arguments,
        )
        return names[-1]

    yield start
    for name in names:
        docker("rm", "--force", "--volumes", name)


@pytest.fixture(scope="session")
def hadolint() -> str:
    program = shutil.which("hadolint", path=f"{REPOSITORY}/build/hadolint/bin:{os.environ.get('PATH', os.defpath)}")
    if program is None:
        pytest.skip("NO HADOLINT: scripts/test --containers gets it where it is made for this machine")
    return str(Path(program))
