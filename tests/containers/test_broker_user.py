"""The broker of compose starts as whoever made the secrets, root too, with the rights that compose leaves it: none."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Dict, List

import pytest
import yaml

from tests.program import attended

REPOSITORY = Path(__file__).parents[2]
COMPOSE = REPOSITORY / "docker" / "compose.yaml"
PATIENCE_S = 30.0
OWNERS = [0, 10001] if os.geteuid() == 0 else [os.geteuid()]


def mounts(secrets: Path) -> Dict[str, Path]:
    """Places in the broker's container, and what compose puts there."""
    volumes: List[str] = yaml.safe_load(COMPOSE.read_text())["services"]["mosquitto"]["volumes"]
    split = (volume.replace("${NASION_SECRETS:-./secrets}", str(secrets)).split(":") for volume in volumes)
    return {target: COMPOSE.parent / source for source, target, _ in split}


def laid_out(folder: Path, secrets: Path, ports: Dict[int, int]) -> Path:
    """The files as the container sees them, below ``folder``; the configuration that it starts with."""
    for place, source in mounts(secrets).items():
        here = folder / place.lstrip("/")
        here.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, here)
        os.chown(here, source.stat().st_uid, source.stat().st_gid)
        if here.suffix == ".conf":
            text = here.read_text().replace(" /mosquitto/", f" {folder}/mosquitto/")
            for port, other in ports.items():
                text = text.replace(f"\nlistener {port}\n", f"\nlistener {other} 127.0.0.1\n")
            here.write_text(text)
    return folder / "mosquitto" / "config" / "mosquitto.conf"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.mark.parametrize("owner", OWNERS)
def test_it_starts_as_the_owner_of_the_secrets(tmp_path: Path, owner: int) -> None:
    secrets = tmp_path / "secrets"
    subprocess.run([str(REPOSITORY / "docker/mosquitto/make_secrets"), str(secrets)], check=True, capture_output=True)
    for path in secrets.iterdir():
        os.chown(path, owner, owner)
    # pytest's folders are closed to others, at a depth that differs with its workers.
    for folder in (tmp_path, *tmp_path.parents):
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    port = free_port()
    configuration = laid_out(tmp_path, secrets, {1883: port, 8883: free_port()})
    humble = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"]
    if owner != os.geteuid():
        humble += [f"--reuid={owner}", f"--regid={owner}", "--clear-groups"]
    elif owner != 0:
        humble = []

    with attended(
        subprocess.Popen(
            [*humble, "mosquitto", "-c", str(configuration)],
            env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin"},
            stderr=subprocess.PIPE,
            text=True,
        )
    ) as process:
        deadline = time.monotonic() + PATIENCE_S
        while not listens(port):
            assert process.poll() is None, process.stderr and process.stderr.read()
            assert time.monotonic() < deadline
            time.sleep(0.02)
        process.terminate()


def listens(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=5).close()
    except OSError:
        return False
    return True
