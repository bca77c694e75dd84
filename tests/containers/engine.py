"""A container engine for the tests: the one that runs here, or one of our own that leaves nothing behind.

Where no registry answers, the bases are stand-ins made with debootstrap from the distribution's packages.
"""

import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any, Dict, Iterator, List, Mapping, Optional

REPOSITORY = Path(__file__).parents[2]
BASE = "debian:bookworm-slim"
#: Whoever the images run as.
USER = 10001

#: A build fetches some hundred megabytes.
BUILD_S = 1500.0
#: Nothing else takes as long.
PATIENCE_S = 120.0
_START_S = 30.0
#: What all images here take up, and how much memory must be free to keep them there, bytes.
_DATA_BYTES = 6 << 30
_MEMORY_BYTES = 2 * _DATA_BYTES
_PULL_S = 60.0
#: What debian:bookworm-slim leaves out too.
_NOT_IN_SLIM = ("usr/share/doc", "usr/share/locale", "usr/share/man", "usr/share/info")


class NoEngineError(Exception):
    """Why nothing can be built here."""


@dataclass
class Docker:
    """The docker command. ``stand_ins``: images that are no vendor's but made here."""

    program: str
    environment: Dict[str, str]
    stand_ins: List[str] = field(default_factory=list)

    def __call__(
        self, *arguments: object, check: bool = True, timeout: float = PATIENCE_S
    ) -> "subprocess.CompletedProcess[str]":
        """Run it; where it fails and ``check``, the end of what it said is the error."""
        return self.run([self.program, *map(str, arguments)], check=check, timeout=timeout)

    def run(
        self,
        command: List[str],
        *,
        check: bool = True,
        timeout: float = PATIENCE_S,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command that speaks to this engine; ``environment`` comes on top of ours."""
        done = subprocess.run(
            command,
            env={**self.environment, **environment},
            cwd=REPOSITORY,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        assert done.returncode == 0 or not check, f"{command}: {done.returncode}\n{(done.stdout + done.stderr)[-4000:]}"
        return done

    def build(self, *arguments: object) -> None:
        """Build in the host's network, trusting whom the host trusts."""
        authority = os.environ.get("PIP_CERT", "")
        secret = ["--secret", f"id=ca,src={authority}"] if Path(authority).is_file() else []
        self("build", "--network=host", *secret, *arguments, timeout=BUILD_S)

    def inspect(self, name: str) -> Any:
        """What the engine knows of a container or image."""
        return json.loads(self("inspect", name).stdout)[0]

    def wait_for_health(self, name: str, wanted: str) -> None:
        """Until the container's health is ``wanted``."""
        deadline = time.monotonic() + PATIENCE_S
        while (state := self.inspect(name)["State"])["Health"]["Status"] != wanted:
            assert state["Running"], f"{name} has ended:\n{self('logs', name).stderr[-2000:]}"
            assert time.monotonic() < deadline, f"{name} is not {wanted}: {state['Health']}"
            time.sleep(0.2)

    def logs(self, name: str) -> str:
        """All that a container said."""
        said = self("logs", name)
        return said.stdout + said.stderr


@contextmanager
def an_engine() -> Iterator[Docker]:
    """NoEngineError says why there is none."""
    # The distribution's own: a newer command in PATH may lack its builder.
    program = next(
        (one for one in ("/usr/bin/docker", shutil.which("docker")) if one and os.access(one, os.X_OK)), None
    )
    if program is None:
        raise NoEngineError("docker is not installed: apt-get install docker.io docker-compose debootstrap")
    docker = Docker(program, {**os.environ, "DOCKER_BUILDKIT": "1"})
    with ExitStack() as opened:
        if docker("version", check=False).returncode != 0:
            docker.environment["DOCKER_HOST"] = opened.enter_context(_own_daemon(docker))
        _provide_base(docker)
        yield docker


@contextmanager
def _own_daemon(docker: Docker) -> Iterator[str]:
    """The address of a daemon that touches neither the firewall nor the system's folders."""
    dockerd = shutil.which("dockerd", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/usr/local/sbin")
    if dockerd is None or os.geteuid() != 0:
        raise NoEngineError("no docker daemon answers, and only root with dockerd installed can start one")
    with tempfile.TemporaryDirectory(prefix="nasion-docker-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        address = f"unix://{folder}/docker.sock"
        _keep_in_memory(folder / "data")
        with (folder / "log").open("wb") as log:
            daemon = subprocess.Popen(
                [
                    *(dockerd, "--storage-driver", "overlay2", "--iptables=false", "--bridge=none"),
                    *("--data-root", f"{folder}/data", "--exec-root", f"{folder}/exec"),
                    *("--pidfile", f"{folder}/pid", "--host", address),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            deadline = time.monotonic() + _START_S
            while (
                docker.run([docker.program, "version"], check=False, environment={"DOCKER_HOST": address}).returncode
                != 0
            ):
                if daemon.poll() is not None or time.monotonic() > deadline:
                    said = " ".join((folder / "log").read_text(errors="replace").split())
                    raise NoEngineError(f"dockerd does not start: {said[-300:]}")
                time.sleep(0.1)
            yield address
        finally:
            daemon.terminate()
            daemon.wait(PATIENCE_S)
            _unmount_below(folder)


def _keep_in_memory(data: Path) -> None:
    """Where there is enough: on some disks deleting 50,000 files takes minutes."""
    data.mkdir()
    available = re.search(r"^MemAvailable: *(\d+) kB$", Path("/proc/meminfo").read_text(), re.MULTILINE)
    if available is not None and 1024 * int(available[1]) >= _MEMORY_BYTES:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={_DATA_BYTES}", "nasion-docker", data], check=False)


def _unmount_below(folder: Path) -> None:
    mounted = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for place in sorted((place for place in mounted if place.startswith(f"{folder}/")), reverse=True):
        subprocess.run(["umount", place], check=False)


def _provide_base(docker: Docker) -> None:
    """The base of the `cpu` image: there, pulled, or made."""
    if docker("image", "inspect", BASE, check=False).returncode == 0:
        return
    try:
        if docker("pull", "--quiet", BASE, check=False, timeout=_PULL_S).returncode == 0:
            return
    except subprocess.TimeoutExpired:
        pass
    debootstrap = shutil.which("debootstrap", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
    if debootstrap is None or os.geteuid() != 0:
        raise NoEngineError(f"no registry has {BASE}, and only root with debootstrap installed can make a stand-in")
    with tempfile.TemporaryDirectory(prefix="nasion-base-") as folder:
        docker.run([debootstrap, "--variant=minbase", "bookworm", folder], timeout=BUILD_S)
        for left_out in (*_NOT_IN_SLIM, "var/cache/apt/archives", "var/lib/apt/lists"):
            shutil.rmtree(Path(folder) / left_out, ignore_errors=True)
        (Path(folder) / "var/lib/apt/lists/partial").mkdir(parents=True)
        (Path(folder) / "var/cache/apt/archives/partial").mkdir(parents=True)
        with subprocess.Popen(["tar", "-C", folder, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(
                [docker.program, "import", "-c", 'CMD ["bash"]', "-", BASE],
                env=docker.environment,
                stdin=tar.stdout,
                stdout=subprocess.DEVNULL,
                check=True,
            )
    docker.stand_ins.append(BASE)


def compose_command(docker: Docker) -> Optional[List[str]]:
    """docker compose, of either generation."""
    if docker("compose", "version", check=False).returncode == 0:
        return [docker.program, "compose"]
    old = shutil.which("docker-compose")
    return None if old is None else [old]
