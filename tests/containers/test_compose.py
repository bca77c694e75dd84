"""Broker and program brought up together: a robot hears positions; whoever has no password hears nothing."""

import json
import os
import queue
import socket
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, Iterator, List

import pytest
from nasion.messages import PersonMessage
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.reasoncodes import ReasonCode

from tests.containers.engine import PATIENCE_S, REPOSITORY, USER, Docker, compose_command

BROKER = "eclipse-mosquitto:2.0"


@dataclass(frozen=True)
class Together:
    """What `docker compose up` brought up. ``secrets``: the folder of passwords and certificates."""

    secrets: Path
    port: int
    tls_port: int
    containers: List[str]

    def client(self, name: str) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        client.username_pw_set(name, (self.secrets / f"{name}.password").read_text().strip())
        return client


@pytest.fixture(scope="module")
def together(docker: Docker, cpu_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Together]:
    """The program with the made scene, and its broker."""
    assert cpu_image == "nasion:cpu"
    compose = compose_command(docker)
    if compose is None:
        pytest.skip("NO COMPOSE: apt-get install docker-compose")
    provide_broker(docker)
    secrets = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run([str(REPOSITORY / "docker/mosquitto/make_secrets"), str(secrets)], check=True, capture_output=True)
    owner = f"{os.getuid()}:{os.getgid()}"
    if os.geteuid() == 0:
        for path in (secrets, *secrets.iterdir()):
            os.chown(path, USER, USER)
        owner = f"{USER}:{USER}"
    port, tls_port = free_port(), free_port()
    command = [*compose, "-f", "docker/compose.yaml", "-p", f"nasion-test-{uuid.uuid4().hex[:8]}"]
    told = {"NASION_USER": owner, "NASION_SECRETS": str(secrets)}
    told.update({"NASION_PORT": str(port), "NASION_TLS_PORT": str(tls_port)})
    try:
        docker.run([*command, "up", "-d", "--no-build"], environment=told)
        containers = docker.run([*command, "ps", "-q"], environment=told).stdout.split()
        yield Together(secrets, port, tls_port, containers)
    finally:
        docker.run([*command, "down", "--volumes"], environment=told)


def provide_broker(docker: Docker) -> None:
    """The broker's image: there, pulled, or a stand-in."""
    if docker("image", "inspect", BROKER, check=False).returncode == 0:
        return
    if not docker.stand_ins and docker("pull", "--quiet", BROKER, check=False).returncode == 0:
        return
    docker.build("-f", "tests/containers/mosquitto.Dockerfile", "-t", BROKER, "tests/containers")
    docker.stand_ins.append(BROKER)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def test_both_are_healthy_and_humble(docker: Docker, together: Together) -> None:
    assert len(together.containers) == 2
    for name in together.containers:
        docker.wait_for_health(name, "healthy")
        host = docker.inspect(name)["HostConfig"]
        assert (host["ReadonlyRootfs"], host["Privileged"], host["CapDrop"]) == (True, False, ["ALL"])
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])


def test_a_robot_hears_positions_over_tls(together: Together) -> None:
    heard: queue.Queue[PersonMessage] = queue.Queue()
    robot = together.client("robot")
    robot.tls_set(str(together.secrets / "ca.pem"))
    robot.on_connect = lambda client, *_: client.subscribe("nasion/cam0/person", qos=1)
    robot.on_message = lambda _client, _data, message: heard.put(PersonMessage.model_validate_json(message.payload))
    robot.connect("localhost", together.tls_port)
    robot.loop_start()
    try:
        while not any(person.valid for person in heard.get(timeout=PATIENCE_S).persons):
            pass
    finally:
        robot.disconnect()
        robot.loop_stop()


def test_whoever_has_no_password_is_refused(together: Together) -> None:
    refused: queue.Queue[ReasonCode] = queue.Queue()
    nobody = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5, reconnect_on_failure=False)
    nobody.on_connect = lambda _client, _data, _flags, reason, _properties: refused.put(reason)
    nobody.connect("127.0.0.1", together.port)
    nobody.loop_start()
    try:
        assert refused.get(timeout=PATIENCE_S) == "Not authorized"
    finally:
        nobody.loop_stop()


def test_the_password_is_in_no_log_and_in_no_configuration(docker: Docker, together: Together) -> None:
    password = (together.secrets / "cam0.password").read_text().strip()
    for name in together.containers:
        assert password not in docker("inspect", name).stdout
        assert password not in docker.logs(name)


@pytest.mark.parametrize("groups", [{}, {"VIDEO_GROUP": "44", "RENDER_GROUP": ""}, {"RENDER_GROUP": "109"}])
def test_the_files_for_a_zed_x_go_together(docker: Docker, groups: Dict[str, str]) -> None:
    """Read by compose itself, one over the other; nothing is started. A Xavier may have no group `render`."""
    compose = compose_command(docker)
    if compose is None or len(compose) < 2:
        pytest.skip("NO COMPOSE 2: Jetsons have it; the older one knows no create_host_path")
    files = [f"-fdocker/compose{kind}.yaml" for kind in ("", ".jetson", ".gmsl")]
    told = {"NASION_USER": "1:1", "HIDRAW_MAJOR": "240", **groups}
    command = [*compose, "--env-file", "docker/jetson/orin.env", *files, "config", "--format", "json"]
    service = json.loads(docker.run(command, environment=told).stdout)["services"]["nasion"]
    targets = [mount["target"] for mount in service["volumes"]]
    assert len(targets) == len(set(targets))
    assert {"/dev", "/usr/src/tensorrt", "/tmp/argus_socket"} < set(targets)
    assert (service["pid"], service["runtime"], service["user"]) == ("host", "nvidia", "1:1")
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
