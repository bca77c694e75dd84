"""The broker: reached, trusted, taken; each failure says which step it is. Real mosquitto, real TLS."""

import socket
import subprocess
import threading
from pathlib import Path
from typing import Any, Iterator

import pytest
from nasion.checks import broker as module
from nasion.checks.broker import broker
from nasion.checks.everything import one
from nasion.checks.verdict import Verdict
from nasion.mqtt.broker import PrivateBroker

from tests.checks.made_up import MadeUpMachine, subject_of

SECRET = "of-robots"


def said(url: str, **mqtt: Any) -> Verdict:
    verdict = one("broker", broker, subject_of(MadeUpMachine(), mqtt={"url": url, **mqtt}))
    assert verdict.name == "broker"
    assert "\n" not in verdict.found
    assert SECRET not in f"{verdict.found} {verdict.remedy}"
    return verdict


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A password file, and a certificate for `localhost` that only ca.pem vouches for."""
    folder = tmp_path_factory.mktemp("broker")
    (folder / "names").write_text("subjectAltName=DNS:localhost\n")
    key = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
    for command in (
        f"openssl req -x509 {key} -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
        f"openssl req {key} -subj /CN=localhost -keyout key.pem -out request.pem",
        "openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial -extfile names -out cert.pem",
        f"mosquitto_passwd -b -c passwords robot {SECRET}",
    ):
        subprocess.run(command.split(), cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def open_broker() -> Iterator[PrivateBroker]:
    with PrivateBroker() as private:
        yield private


@pytest.fixture(scope="module")
def locked(files: Path) -> Iterator[PrivateBroker]:
    with PrivateBroker(options=["allow_anonymous false", f"password_file {files}/passwords"]) as private:
        yield private


@pytest.fixture(scope="module")
def encrypted(files: Path) -> Iterator[PrivateBroker]:
    lines = [f"certfile {files}/cert.pem", f"keyfile {files}/key.pem"]
    with PrivateBroker(options=["allow_anonymous true", *lines]) as private:
        yield private


def test_none_is_skipped() -> None:
    assert said("none").status == "skipped"


def test_one_that_takes_us(open_broker: PrivateBroker) -> None:
    verdict = said(open_broker.url)
    assert verdict.status == "ok"
    assert f"{open_broker.url} takes us" in verdict.found


def test_an_address_that_is_none_is_bad_input() -> None:
    verdict = said(f"http://robot:{SECRET}@broker")
    assert (verdict.status, verdict.exit_code) == ("fail", 2)


class TestNotReached:
    def test_where_nobody_listens(self) -> None:
        with PrivateBroker() as gone:
            url = gone.url
        verdict = said(url)
        assert (verdict.status, verdict.exit_code) == ("fail", 1)
        assert f"{url}: not reached: Connection refused" in verdict.found

    def test_a_name_that_nobody_has(self) -> None:
        verdict = said("mqtt://broker.invalid")
        assert (verdict.status, verdict.exit_code) == ("fail", 1)
        assert "mqtt://broker.invalid:1883: not reached" in verdict.found


class TestCredentials:
    def test_the_right_ones_are_taken(self, locked: PrivateBroker) -> None:
        verdict = said(locked.url.replace("//", f"//robot:{SECRET}@"))
        assert verdict.status == "ok"
        assert "robot" in verdict.found

    @pytest.mark.parametrize("who", ["", "robot@", "robot:wrong@", f"another:{SECRET}@"])
    def test_without_them_or_with_wrong_ones_we_are_refused(self, locked: PrivateBroker, who: str) -> None:
        verdict = said(locked.url.replace("//", f"//{who}"))
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "credentials: the broker refuses us: Not authorized" in verdict.found
        assert "mqtt.password_file" in (verdict.remedy or "")


class TestTls:
    def test_with_its_authority_it_is_trusted(self, encrypted: PrivateBroker, files: Path) -> None:
        verdict = said(f"mqtts://localhost:{encrypted.port}", ca_file=str(files / "ca.pem"))
        assert verdict.status == "ok"
        assert verdict.found.endswith("over TLS")

    @pytest.mark.parametrize(
        ("host", "ca", "why"),
        [
            ("localhost", False, "unable to get local issuer certificate"),
            ("127.0.0.1", True, "IP address mismatch"),
        ],
    )
    def test_a_certificate_that_cannot_be_verified_is_a_failure_of_tls(
        self, encrypted: PrivateBroker, files: Path, host: str, ca: bool, why: str
    ) -> None:
        settings = {"ca_file": str(files / "ca.pem")} if ca else {}
        verdict = said(f"mqtts://{host}:{encrypted.port}", **settings)
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "TLS fails: its certificate is refused" in verdict.found
        assert why in verdict.found

    def test_a_port_without_tls_is_a_failure_of_tls(self, open_broker: PrivateBroker) -> None:
        verdict = said(open_broker.url.replace("mqtt:", "mqtts:"))
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "TLS fails" in verdict.found

    def test_a_port_with_tls_does_not_answer_without_it(self, encrypted: PrivateBroker) -> None:
        verdict = said(f"mqtt://localhost:{encrypted.port}")
        assert verdict.status == "fail"
        assert "no MQTT answer" in verdict.found
        assert "mqtts://" in (verdict.remedy or "")

    def test_a_certificate_that_is_not_verified_is_a_warning(self, encrypted: PrivateBroker) -> None:
        verdict = said(f"mqtts://localhost:{encrypted.port}", insecure=True)
        assert verdict.status == "warn"
        assert "mqtt.ca_file" in (verdict.remedy or "")

    def test_a_file_of_authorities_that_is_none_is_bad_input(self) -> None:
        verdict = said("mqtts://localhost", ca_file="/nowhere/ca.pem")
        assert (verdict.status, verdict.exit_code) == ("fail", 2)
        assert "/nowhere/ca.pem" in verdict.found


class TestNoMqtt:
    def answering(self, answer: bytes) -> Verdict:
        """What is said of a server that answers so to whatever comes."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            over = threading.Event()

            def serve() -> None:
                while not over.is_set():
                    connection, _ = server.accept()
                    with connection:
                        if connection.recv(4096):
                            connection.sendall(answer)

            thread = threading.Thread(target=serve)
            thread.start()
            port = server.getsockname()[1]
            verdict = said(f"mqtt://127.0.0.1:{port}")
            over.set()
            socket.create_connection(("127.0.0.1", port)).close()
            thread.join()
            return verdict

    def test_a_server_of_something_else_is_said_to_be_none(self) -> None:
        verdict = self.answering(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
        assert (verdict.status, verdict.exit_code) == ("fail", 1)
        assert "no MQTT answer" in verdict.found
        assert verdict.remedy

    def test_a_broker_that_has_other_reasons_than_who_we_are_says_which(self) -> None:
        verdict = self.answering(b"\x20\x03\x00\x88\x00")
        assert (verdict.status, verdict.exit_code) == ("fail", 1)
        assert "refused: the broker refuses us: Server unavailable" in verdict.found

    def test_a_broker_that_hangs_is_given_up(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "TIMEOUT_S", 1.0)
        with PrivateBroker() as hangs:
            subprocess.run(["kill", "-STOP", str(hangs.pid)], check=True)
            verdict = said(hangs.url)
        assert (verdict.status, verdict.exit_code) == ("fail", 1)
        assert "no MQTT answer: no answer to our greeting within 1 s" in verdict.found
