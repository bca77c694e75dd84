"""TLS to the broker: what is not proven is refused, each with its own line; nothing is ever sent to the wrong one."""

import socket
import ssl
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from nasion.errors import InputError
from nasion.mqtt.access import find_access
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.link import LONGEST_RETRY_S, RETRY_S
from nasion.mqtt.publisher import MqttPublisher, open_publisher
from nasion.mqtt.receiver import Accepted, Heard, Receiver
from nasion.settings import MQTT_ENVIRONMENT, MqttSettings

Until = Callable[..., None]
Pem = Dict[str, Tuple[str, str]]


@pytest.fixture(scope="session")
def pem(make_authority: Any) -> Pem:
    """Certificates with their keys, by what they are good for; `ours` and `other` are the authorities."""
    ours, other = make_authority("ours"), make_authority("other")
    return {
        "ours": (ours.ca_file, ""),
        "other": (other.ca_file, ""),
        "localhost": ours.certify("server", "DNS:localhost"),
        "elsewhere": ours.certify("elsewhere", "DNS:broker.elsewhere"),
        "expired": ours.certify("expired", "DNS:localhost", days=-1),
        "client": ours.certify("client"),
        "expired client": ours.certify("expired-client", days=-1),
        "stranger": other.certify("stranger"),
    }


@pytest.fixture
def events() -> List[str]:
    return []


Open = Callable[..., MqttPublisher]


@pytest.fixture
def opened(clock: Any, events: List[str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Open]:
    """``opened(url, ...)``: a publisher that has been started; stopped after the test."""
    for variable in MQTT_ENVIRONMENT.values():
        monkeypatch.delenv(variable, raising=False)
    publishers: List[MqttPublisher] = []

    def opened(url: str, **settings: Any) -> MqttPublisher:
        publisher = open_publisher(
            MqttSettings(url=url, **settings), camera="cam0", session="s1", clock=clock, on_event=events.append
        )
        assert isinstance(publisher, MqttPublisher)
        publisher.start()
        publishers.append(publisher)
        return publisher

    yield opened
    for publisher in publishers:
        publisher.stop()


def certified(pem: Pem, name: str, *more: str, port: Optional[int] = None) -> PrivateBroker:
    """A broker that shows this certificate."""
    certificate, key = pem[name]
    return PrivateBroker(port, ["allow_anonymous true", f"certfile {certificate}", f"keyfile {key}", *more])


def asking(pem: Pem, *more: str) -> PrivateBroker:
    """A broker that asks for a certificate of our authority."""
    return certified(pem, "localhost", "require_certificate true", f"cafile {pem['ours'][0]}", *more)


class TestAcceptance:
    def test_a_message_goes_all_the_way(
        self, pem: Pem, opened: Open, events: List[str], seen: Any, until: Until
    ) -> None:
        heard: List[Heard] = []
        with certified(pem, "localhost") as broker:
            url = f"mqtts://localhost:{broker.port}"
            settings = MqttSettings(url=url, ca_file=pem["ours"][0], max_age_ms=10_000.0)
            receiver = Receiver(settings, client_id="t", on_heard=heard.append, on_event=print)
            receiver.start()
            publisher = opened(url, ca_file=pem["ours"][0])
            until(lambda: heard)
            publisher.publish(*seen(0, max_age_ms=10_000.0))
            until(lambda: any(isinstance(one, Accepted) for one in heard))
            receiver.stop()
            publisher.stop()
        assert events == [f"cam0: broker {url}: connected"]

    def test_the_authority_can_come_from_the_environment(
        self, pem: Pem, opened: Open, until: Until, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("NASION_MQTT_CA_FILE", pem["ours"][0])
        with certified(pem, "localhost") as broker:
            publisher = opened(f"mqtts://localhost:{broker.port}")
            until(lambda: publisher.connected)
            publisher.stop()

    @pytest.mark.parametrize("from_environment", [False, True])
    def test_a_broker_that_asks_for_a_certificate_is_shown_ours(
        self, pem: Pem, opened: Open, until: Until, monkeypatch: pytest.MonkeyPatch, from_environment: bool
    ) -> None:
        files = dict(zip(("cert_file", "key_file"), pem["client"]))
        with asking(pem) as broker:
            monkeypatch.setenv("NASION_MQTT_CA_FILE", pem["other"][0])  # A setting wins.
            if from_environment:
                for name, file in files.items():
                    monkeypatch.setenv(MQTT_ENVIRONMENT[name], file)
            settings = {} if from_environment else files
            publisher = opened(f"mqtts://localhost:{broker.port}", ca_file=pem["ours"][0], **settings)
            until(lambda: publisher.connected)
            publisher.stop()

    def test_certificate_and_key_may_stand_in_one_file(
        self, pem: Pem, opened: Open, until: Until, tmp_path: Path
    ) -> None:
        both = tmp_path / "both.pem"
        both.write_text("".join(Path(file).read_text() for file in pem["client"]))
        with asking(pem) as broker:
            publisher = opened(f"mqtts://localhost:{broker.port}", ca_file=pem["ours"][0], cert_file=str(both))
            until(lambda: publisher.connected)
            publisher.stop()


REFUSED: Dict[str, Tuple[Callable[[Pem], PrivateBroker], str, Dict[str, str], str]] = {
    "unknown authority": (
        lambda pem: certified(pem, "localhost"),
        "mqtts://localhost",
        {"ca_file": "other"},
        "its certificate is refused: unable to get local issuer certificate; expected one by an authority in "
        "mqtt.ca_file, by default the system's",
    ),
    "not one of the system's authorities": (
        lambda pem: certified(pem, "localhost"),
        "mqtts://localhost",
        {},
        "its certificate is refused: unable to get local issuer certificate",
    ),
    "expired": (
        lambda pem: certified(pem, "expired"),
        "mqtts://localhost",
        {"ca_file": "ours"},
        "its certificate is refused: certificate has expired; renew it, or set this machine's clock",
    ),
    "another host's": (
        lambda pem: certified(pem, "elsewhere"),
        "mqtts://localhost",
        {"ca_file": "ours"},
        "its certificate is refused: Hostname mismatch, certificate is not valid for 'localhost'; "
        "reach it by a name that stands in its certificate",
    ),
    "an address that does not stand in it": (
        lambda pem: certified(pem, "localhost"),
        "mqtts://127.0.0.1",
        {"ca_file": "ours"},
        "its certificate is refused: IP address mismatch",
    ),
    "we have no certificate to show": (
        asking,
        "mqtts://localhost",
        {"ca_file": "ours"},
        "it asks for a client certificate; set mqtt.cert_file and mqtt.key_file",
    ),
    "our certificate is of another authority": (
        asking,
        "mqtts://localhost",
        {"ca_file": "ours", "cert_file": "stranger", "key_file": "stranger"},
        "it refuses our certificate (mqtt.cert_file) or our TLS: tlsv1 alert unknown ca",
    ),
    "our certificate has expired": (
        asking,
        "mqtts://localhost",
        {"ca_file": "ours", "cert_file": "expired client", "key_file": "expired client"},
        "it refuses our certificate (mqtt.cert_file) or our TLS: sslv3 alert certificate expired",
    ),
    "plain MQTT to a port for TLS": (
        lambda pem: certified(pem, "localhost"),
        "mqtt://localhost",
        {},
        "it ends the connection without an answer (",
    ),
    "TLS to a port for plain MQTT": (
        lambda _: PrivateBroker(),
        "mqtts://127.0.0.1",
        {"ca_file": "ours"},
        "it ends the connection when TLS begins; is port ",
    ),
}


class TestRefusal:
    @pytest.mark.parametrize("case", REFUSED)
    def test_it_is_said_why_once_and_nothing_is_sent(
        self, pem: Pem, opened: Open, events: List[str], seen: Any, until: Until, case: str
    ) -> None:
        make, url, files, said = REFUSED[case]
        settings = {name: pem[file][name == "key_file"] for name, file in files.items()}
        with make(pem) as broker:
            publisher = opened(f"{url}:{broker.port}", **settings)
            publisher.publish(*seen(0))
            until(lambda: events)
            # Another attempt; it says the same, which is not repeated.
            time.sleep(2.5 * RETRY_S)
            publisher.stop()
        assert events[0].startswith(f"cam0: broker {url}:{broker.port}: {said}")
        assert events[0].endswith("; retrying")
        assert len(events) == 1
        assert not publisher.connected
        assert publisher.counters()["sent"] == 0

    def test_the_hint_names_the_port(self, pem: Pem, opened: Open, events: List[str], until: Until) -> None:
        with certified(pem, "localhost") as broker:
            opened(f"mqtt://localhost:{broker.port}")
            until(lambda: events)
        assert events[0].endswith(f" is port {broker.port} one for mqtts://?; retrying")

    def test_attempts_are_paced(self, pem: Pem, opened: Open, events: List[str], until: Until, tmp_path: Path) -> None:
        """Each attempt that our authority does not vouch for leaves a line in the broker's log."""
        log = tmp_path / "log"
        # As the broker may be another user.
        log.touch()
        log.chmod(0o666)
        with certified(pem, "localhost", f"log_dest file {log}") as broker:
            opened(f"mqtts://localhost:{broker.port}", ca_file=pem["other"][0])
            until(lambda: events)
            started = time.monotonic()
            time.sleep(4 * RETRY_S)
            attempts = log.read_text().count("alert unknown ca")
            allowed = 1 + (time.monotonic() - started) / RETRY_S
        assert 2 <= attempts <= allowed
        assert LONGEST_RETRY_S > RETRY_S

    def test_it_connects_once_the_certificate_is_in_order(
        self, kept_port: int, pem: Pem, opened: Open, events: List[str], until: Until
    ) -> None:
        with certified(pem, "expired", port=kept_port):
            publisher = opened(f"mqtts://localhost:{kept_port}", ca_file=pem["ours"][0])
            until(lambda: events)
        with certified(pem, "localhost", port=kept_port):
            until(lambda: publisher.connected)
            publisher.stop()
        assert ": connected after " in events[-1]


class TestTls12:
    """There the broker judges our certificate before we are through, in TLS 1.3 afterwards."""

    @pytest.fixture
    def asking(self, pem: Pem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[PrivateBroker]:
        """A broker that asks for a certificate, and speaks no newer TLS than 1.2."""
        limits = "openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\nMaxProtocol = TLSv1.2\n"
        (tmp_path / "openssl.cnf").write_text(limits)
        monkeypatch.setenv("OPENSSL_CONF", str(tmp_path / "openssl.cnf"))
        with asking(pem) as broker:
            context = ssl.create_default_context(cafile=pem["ours"][0])
            context.load_cert_chain(*pem["client"])
            with socket.create_connection(("127.0.0.1", broker.port), timeout=20) as plain:
                assert context.wrap_socket(plain, server_hostname="localhost").version() == "TLSv1.2"
            yield broker

    @pytest.mark.parametrize(
        ("shown", "said"),
        [
            ("client", "connected"),
            (None, "it asks for a client certificate; set mqtt.cert_file and mqtt.key_file"),
            ("stranger", "it refuses our certificate (mqtt.cert_file) or our TLS: tlsv1 alert unknown ca"),
        ],
    )
    def test_it_is_as_with_tls_1_3(
        self, asking: PrivateBroker, pem: Pem, opened: Open, events: List[str], until: Until, shown: Any, said: str
    ) -> None:
        files = dict(zip(("cert_file", "key_file"), pem[shown])) if shown else {}
        publisher = opened(f"mqtts://localhost:{asking.port}", ca_file=pem["ours"][0], **files)
        until(lambda: events)
        assert events[0].startswith(f"cam0: broker mqtts://localhost:{asking.port}: {said}")
        publisher.stop()


class TestInsecure:
    @pytest.mark.parametrize("name", ["localhost", "expired", "elsewhere"])
    def test_any_certificate_is_taken_and_that_is_said_at_every_start(
        self, pem: Pem, opened: Open, events: List[str], until: Until, name: str
    ) -> None:
        with certified(pem, name) as broker:
            for _ in range(2):
                publisher = opened(f"mqtts://localhost:{broker.port}", insecure=True)
                until(lambda publisher: publisher.connected, publisher)
                publisher.stop()
        about = f"cam0: broker mqtts://localhost:{broker.port}: "
        warning = f"{about}its certificate is NOT verified (mqtt.insecure): whoever answers is believed"
        assert [event.startswith(warning) for event in events] == [True, False, True, False]

    def test_it_is_off_unless_it_is_asked_for(self) -> None:
        access = find_access(MqttSettings(url="mqtts://broker"), {})
        assert access is not None
        assert access.tls is not None
        assert (access.tls.verify_mode, access.tls.check_hostname) == (ssl.CERT_REQUIRED, True)
        assert access.notices == ()

    def test_it_is_no_way_around_the_oldest_version(self) -> None:
        for insecure in (False, True):
            access = find_access(MqttSettings(url="mqtts://broker", insecure=insecure), {})
            assert access is not None
            assert access.tls is not None
            assert access.tls.minimum_version == ssl.TLSVersion.TLSv1_2


class TestListen:
    """`nasion listen`, as a process, knows the same settings as a run."""

    def told(self, broker: PrivateBroker, *flags: str) -> str:
        words = ["--mqtt", f"mqtts://localhost:{broker.port}", "--seconds", "1.5", "--json", *flags]
        ended = subprocess.run(
            [sys.executable, "-m", "nasion", "listen", *words], capture_output=True, text=True, check=False
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stderr

    def test_by_certificates(self, pem: Pem) -> None:
        certificate, key = pem["client"]
        flags = ["--ca-file", pem["ours"][0], "--cert-file", certificate, "--key-file", key]
        with asking(pem) as broker:
            assert f"broker mqtts://localhost:{broker.port}: connected" in self.told(broker, *flags)
            assert "it asks for a client certificate" in self.told(broker, *flags[:2])

    def test_insecure_warns(self, pem: Pem) -> None:
        with certified(pem, "expired") as broker:
            warning, connected = self.told(broker, "--insecure").splitlines()[:2]
        assert "its certificate is NOT verified (mqtt.insecure)" in warning
        assert connected.endswith(": connected")


class TestSettings:
    """What cannot work is refused before anything runs."""

    def said(self, **settings: Any) -> str:
        with pytest.raises(InputError) as refusal:
            find_access(MqttSettings(**{"url": "mqtts://broker", **settings}), {})
        assert "\n" not in str(refusal.value)
        return str(refusal.value)

    @pytest.mark.parametrize("name", ["ca_file", "cert_file", "key_file"])
    def test_files_for_tls_without_tls(self, name: str) -> None:
        assert self.said(url="mqtt://broker", **{name: "x.pem"}) == (
            f"mqtt.{name} is set, but mqtt://broker:1883 is not encrypted; use mqtts:// or leave it out"
        )

    def test_insecure_without_tls(self) -> None:
        assert "mqtt.insecure is set, but" in self.said(url="mqtt://broker", insecure=True)

    def test_insecure_with_an_authority(self, pem: Pem) -> None:
        assert "exclude each other" in self.said(insecure=True, ca_file=pem["ours"][0])

    def test_what_only_the_environment_says_is_for_mqtts_only(self) -> None:
        environment = {variable: "/nowhere" for name, variable in MQTT_ENVIRONMENT.items() if name.endswith("file")}
        access = find_access(MqttSettings(), environment)
        assert access is not None
        assert access.tls is None

    def test_the_environments_files_must_be_there_too(self) -> None:
        with pytest.raises(InputError, match="NASION_MQTT_CA_FILE /nowhere: No such file or directory; expected"):
            find_access(MqttSettings(url="mqtts://broker"), {"NASION_MQTT_CA_FILE": "/nowhere"})

    def test_a_key_without_a_certificate(self, pem: Pem) -> None:
        assert "no certificate that it belongs to" in self.said(key_file=pem["client"][1])

    def test_another_certificates_key(self, pem: Pem) -> None:
        said = self.said(cert_file=pem["client"][0], key_file=pem["stranger"][1])
        assert "is not the key of the certificate in mqtt.cert_file" in said

    def test_a_certificate_without_a_key(self, pem: Pem) -> None:
        assert "not a certificate and its private key in PEM format" in self.said(cert_file=pem["client"][0])

    @pytest.mark.parametrize(("cert", "key"), [("/nowhere", None), ("client", "/nowhere"), ("/", None)])
    def test_a_file_that_cannot_be_read(self, pem: Pem, cert: str, key: Any) -> None:
        said = self.said(cert_file=pem[cert][0] if cert in pem else cert, key_file=key)
        assert f"mqtt.{'key' if key else 'cert'}_file {key or cert}: " in said
        assert said.endswith("in PEM format")

    def test_a_key_with_a_password_is_refused_and_nobody_is_asked_for_it(self, pem: Pem, tmp_path: Path) -> None:
        locked = tmp_path / "locked.key"
        lock = ["openssl", "ec", "-in", pem["client"][1], "-aes128", "-passout", "pass:hush", "-out", str(locked)]
        subprocess.run(lock, check=True, capture_output=True)
        assert f"{locked}: the key is encrypted" in self.said(cert_file=pem["client"][0], key_file=str(locked))
