"""Who we come as: told by address, settings, environment or a file, in this order; the password is never shown."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nasion.cli.listen import FLAGS
from nasion.errors import InputError
from nasion.mqtt import credentials
from nasion.mqtt.access import Access, find_access
from nasion.mqtt.broker import PrivateBroker
from nasion.mqtt.publisher import open_publisher
from nasion.redaction import hide_password
from nasion.settings import MqttSettings, RunSettings
from pydantic import ValidationError

Until = Callable[..., None]

SECRET = "Tr0ub4dor"


@pytest.fixture
def secret_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands where container engines put the password; not yet there."""
    path = tmp_path / "nasion_mqtt_password"
    monkeypatch.setattr(credentials, "MQTT_PASSWORD_SECRET", str(path))
    return path


@pytest.fixture
def password_file(tmp_path: Path) -> Path:
    path = tmp_path / "password"
    path.write_text("of-file\n")
    return path


def found(environment: Optional[Dict[str, str]] = None, **settings: Any) -> Access:
    access = find_access(MqttSettings(**settings), environment or {})
    assert access is not None
    return access


ENV = {"NASION_MQTT_USER": "env", "NASION_MQTT_PASSWORD": "of-env"}
FILE = "of-file"


class TestPrecedence:
    @pytest.mark.parametrize(
        ("userinfo", "settings", "environment", "secret", "username", "password"),
        [
            ("", "", {}, None, None, None),
            ("", "", ENV, None, "env", "of-env"),
            ("", "", ENV, "of-secret", "env", "of-env"),
            ("", "", {"NASION_MQTT_USER": "env"}, "of-secret", "env", "of-secret"),
            ("", "", {"NASION_MQTT_USER": "", "NASION_MQTT_PASSWORD": ""}, None, None, None),
            ("", "username", ENV, None, "set", "of-env"),
            ("", "username", {}, "of-secret", "set", "of-secret"),
            ("", "username password_file", ENV, "of-secret", "set", FILE),
            ("", "password_file", ENV, "of-secret", "env", FILE),
            ("", "username", {}, None, "set", None),
            ("url@", "username password_file", ENV, "of-secret", "url", FILE),
            ("url@", "", ENV, "of-secret", "url", "of-env"),
            ("url:of-url@", "username password_file", ENV, "of-secret", "url", "of-url"),
        ],
    )
    def test_the_address_comes_first_then_settings_then_environment_then_the_secret(
        self,
        secret_file: Path,
        password_file: Path,
        userinfo: str,
        settings: str,
        environment: Dict[str, str],
        secret: Optional[str],
        username: Optional[str],
        password: Optional[str],
    ) -> None:
        if secret is not None:
            secret_file.write_text(secret)
        told = {"username": "set", "password_file": str(password_file)}
        access = found(environment, url=f"mqtt://{userinfo}broker", **{name: told[name] for name in settings.split()})
        assert (access.broker.username, access.broker.password) == (username, password)
        assert access.notices == ()

    @pytest.mark.parametrize(
        ("environment", "settings", "described"),
        [
            ({}, {}, "without a user name; set mqtt.username or NASION_MQTT_USER"),
            (ENV, {}, "as 'env' (NASION_MQTT_USER) with the password of NASION_MQTT_PASSWORD"),
            (ENV, {"username": "x"}, "as 'x' (mqtt.username) with the password of NASION_MQTT_PASSWORD"),
            ({}, {"url": "mqtt://u:p@broker"}, "as 'u' (mqtt.url) with the password of mqtt.url"),
            ({}, {"username": "x"}, "as 'x' (mqtt.username) without a password; set mqtt.password_file or NASION_M"),
        ],
    )
    def test_a_refusal_can_say_who_came(
        self, secret_file: Path, environment: Dict[str, str], settings: Dict[str, str], described: str
    ) -> None:
        assert not secret_file.exists()
        assert found(environment, **settings).identity.startswith(described)

    def test_a_password_that_only_the_surroundings_tell_is_not_used_without_a_name_and_that_is_said(
        self, secret_file: Path
    ) -> None:
        access = found({"NASION_MQTT_PASSWORD": SECRET})
        assert access.broker.password is None
        assert access.notices == (
            "the password of NASION_MQTT_PASSWORD is not used: no user name is told; "
            "set mqtt.username or NASION_MQTT_USER",
        )
        secret_file.write_text(SECRET)
        assert found().notices[0].startswith(f"the password of the secret {secret_file} is not used: ")

    def test_a_password_file_without_a_name_is_a_mistake(self, password_file: Path) -> None:
        with pytest.raises(InputError, match=r"mqtt.password_file .* is set, but no user name is told; set mqtt.user"):
            found(password_file=str(password_file))

    def test_nothing_is_looked_for_where_no_broker_is_wanted(self) -> None:
        assert find_access(MqttSettings(url="none", password_file="/nowhere"), {}) is None


class TestPasswordFile:
    @pytest.mark.parametrize(
        ("content", "password"),
        [
            (b"plain", "plain"),
            (b"line\n", "line"),
            (b"dos\r\n", "dos"),
            (b" blanks count ", " blanks count "),
            ("schlüssel\n".encode(), "schlüssel"),
            (b"\xef\xbb\xbfof Windows\r\n", "of Windows"),
            ("of PowerShell\r\n".encode("utf-16"), "of PowerShell"),
            (b"x" * 65535 + b"\r\n", "x" * 65535),
        ],
    )
    def test_its_line_is_the_password(self, password_file: Path, content: bytes, password: str) -> None:
        password_file.write_bytes(content)
        assert found(username="robot", password_file=str(password_file)).broker.password == password

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (b"", "it is empty; expected a file with the password in one line"),
            (b"\n", "it is empty"),
            (b"Tr0ub4dor\nmore\n", "it holds several lines"),
            (b"Tr0ub4dor\n\n", "it holds several lines"),
            (b"Tr0ub4dor\xff\n", "not UTF-8"),
            (b"Tr0ub4dor\0", "contains NUL, which MQTT does not allow"),
            (b"Tr0ub4dor" + b"x" * 65530, "larger than 65535 bytes"),
            (b"Tr0ub4dor" + b"x" * 65527, "65536 bytes; MQTT allows 65535"),
        ],
    )
    def test_what_holds_no_password_is_refused_and_not_shown(
        self, password_file: Path, content: bytes, said: str
    ) -> None:
        password_file.write_bytes(content)
        with pytest.raises(InputError, match=said) as refusal:
            found(username="robot", password_file=str(password_file))
        assert str(password_file) in str(refusal.value)
        assert SECRET not in str(refusal.value)

    def test_it_may_be_in_the_users_own_folder(self, password_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(password_file.parent))
        assert found(username="robot", password_file="~/password").broker.password == FILE

    def test_so_may_what_the_environment_names(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        with pytest.raises(InputError, match=f"NASION_MQTT_CA_FILE {tmp_path}/ca.pem: No such file"):
            found({"NASION_MQTT_CA_FILE": "~/ca.pem", "NASION_MQTT_USER": "~"}, url="mqtts://broker")

    @pytest.mark.parametrize(("path", "said"), [("/nowhere/pass", "No such file"), ("/", "Is a directory")])
    def test_one_that_cannot_be_read_is_refused(self, path: str, said: str) -> None:
        with pytest.raises(InputError, match=f"mqtt.password_file {path}: {said}"):
            found(username="robot", password_file=path)

    def test_the_environments_bytes_must_be_utf_8(self) -> None:
        broken = {**ENV, "NASION_MQTT_PASSWORD": os.fsdecode(b"Tr0ub4dor\xff")}
        with pytest.raises(InputError, match="NASION_MQTT_PASSWORD: the password is not UTF-8"):
            found(broken)
        with pytest.raises(InputError, match="NASION_MQTT_USER: the user name is not UTF-8"):
            found({**ENV, "NASION_MQTT_USER": os.fsdecode(b"\xff")})


class TestNothingShowsIt:
    def test_no_representation(self, tmp_path: Path) -> None:
        file = tmp_path / "password"
        file.write_text(SECRET)
        for access in (
            found(url=f"mqtt://robot:{SECRET}@broker"),
            found(username="robot", password_file=str(file)),
            found({"NASION_MQTT_USER": "robot", "NASION_MQTT_PASSWORD": SECRET}),
        ):
            assert access.broker.password == SECRET
            assert SECRET not in f"{access!r} {access} {access.broker.redacted} {access.identity}"
        settings = MqttSettings(url=f"mqtt://robot:{SECRET}@broker")
        run = RunSettings.model_validate({"cameras": [{"source": "demo:"}], "mqtt": settings})
        assert SECRET not in f"{settings!r} {settings} {run!r} {run}"

    @pytest.mark.parametrize(
        ("model", "wrong"),
        [
            (MqttSettings, {"url": f"mqtt://robot:{SECRET}@broker", "qos": 7, "password": SECRET}),
            (MqttSettings, {"url": ["mqtt", SECRET]}),
            (RunSettings, {"cameras": [], "mqtt": f"mqtt://robot:{SECRET}@broker"}),
        ],
    )
    def test_no_validation_error(self, model: Any, wrong: Dict[str, Any]) -> None:
        with pytest.raises(ValidationError) as refusal:
            model.model_validate(wrong)
        assert SECRET not in f"{refusal.value} {refusal.value!r}"

    @given(
        before=st.sampled_from(["", "expected one argument, not ", "configuration x.yaml: mqtt = '"]),
        user=st.text("abc%:/ ", max_size=4),
        around=st.text("ab@:/? ", max_size=3),
        after=st.sampled_from(["broker", "broker:1'", "[::1]:x; see", ""]),
        scheme=st.sampled_from(["mqtt", "mqtts", "MQTT"]),
    )
    def test_no_repetition_of_what_was_typed(
        self, before: str, user: str, around: str, after: str, scheme: str
    ) -> None:
        assert SECRET not in hide_password(f"{before}{scheme}://{user}:{around}{SECRET}{around}@{after}")

    def test_what_holds_no_password_is_repeated_as_it_is(self) -> None:
        for text in ("mqtt://broker:1883: x", "nobody@home", "it's ok: mqtt://a, mqtts://b"):
            assert hide_password(text) == text


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PrivateBroker]:
    """A broker that knows the user `robot` with the password SECRET."""
    passwords = tmp_path_factory.mktemp("guarded") / "passwords"
    subprocess.run(["mosquitto_passwd", "-b", "-c", str(passwords), "robot", SECRET], check=True)
    with PrivateBroker(options=["allow_anonymous false", f"password_file {passwords}"]) as broker:
        yield broker


WAYS = ("url", "password_file", "environment", "secret")


@pytest.mark.parametrize("way", WAYS)
def test_a_broker_accepts_us_by_each_way(
    guarded: PrivateBroker,
    clock: Any,
    until: Until,
    password_file: Path,
    secret_file: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    settings: Dict[str, Any] = {"url": guarded.url, "username": "robot"}
    if way == "url":
        settings = {"url": guarded.url.replace("//", f"//robot:{SECRET}@")}
    elif way == "password_file":
        password_file.write_text(f"{SECRET}\n")
        settings["password_file"] = str(password_file)
    elif way == "environment":
        monkeypatch.setenv("NASION_MQTT_PASSWORD", SECRET)
    else:
        secret_file.write_text(SECRET)
    events: List[str] = []
    publisher = open_publisher(
        MqttSettings(**settings), camera="cam0", session="s1", clock=clock, on_event=events.append
    )
    publisher.start()
    until(lambda: events)
    publisher.stop()
    assert events == [f"cam0: broker mqtt://robot:***@127.0.0.1:{guarded.port}: connected"]


Command = Callable[..., Tuple[int, str]]


@pytest.fixture
def command(spot_model: Path, tmp_path: Path) -> Command:
    """``command(name, mqtt, environment)``: `nasion run` or `listen` as a process; its exit code and all it wrote."""

    def command(name: str, mqtt: Dict[str, str], environment: Dict[str, str]) -> Tuple[int, str]:
        words = [sys.executable, "-m", "nasion", name, "--seconds", "1.5", "--json"]
        if name == "run":
            config = tmp_path / "run.yaml"
            config.write_text(json.dumps({"mqtt": mqtt, "model": str(spot_model)}))
            words += ["--source", "demo:", "--config", str(config)]
        else:
            words += [word for key, value in mqtt.items() for word in (FLAGS[key], value)]
        ended = subprocess.run(
            words, cwd=tmp_path, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
        return ended.returncode, ended.stdout + ended.stderr

    return command


KNOWN = {"NASION_MQTT_USER": "robot", "NASION_MQTT_PASSWORD": SECRET}


@pytest.mark.parametrize(
    ("name", "url", "environment", "code", "said"),
    [
        ("run", "mqtt://127.0.0.1:{port}", KNOWN, 0, "mqtt://robot:***@127.0.0.1:{port}: connected"),
        ("run", f"mqtt://robot:{SECRET}x@127.0.0.1:{{port}}", {}, 1, "the broker refuses us: Not authorized; we came"),
        ("run", f"mqtt://robot:{SECRET}@127.0.0.1:port", {}, 2, "the port must be a number"),
        ("listen", "mqtt://127.0.0.1:{port}", KNOWN, 0, "mqtt://robot:***@127.0.0.1:{port}: connected"),
        ("listen", f"mqtt://robot:{SECRET}x@127.0.0.1:{{port}}", {}, 0, "the broker refuses us: Not authorized; we"),
        ("listen", "mqtt://127.0.0.1:{port}", {**KNOWN, "NASION_MQTT_USER": "nobody"}, 0, "the broker refuses us: "),
        ("listen", "mqtts://127.0.0.1:{port}", KNOWN, 0, "it ends the connection when TLS begins"),
        ("listen", "mqtt://127.0.0.1:{free}", KNOWN, 0, "Connection refused; retrying"),
        ("listen", f"mqtt://robot:{SECRET}@127.0.0.1:port", {}, 2, "the port must be a number"),
        ("listen", "mqtt://127.0.0.1", {**KNOWN, "NASION_MQTT_PASSWORD": f"{SECRET}{chr(0xDCFF)}"}, 2, "is not UTF-8"),
        ("listen", "mqtts://127.0.0.1", {**KNOWN, "NASION_MQTT_CA_FILE": "/nowhere"}, 2, "NASION_MQTT_CA_FILE /no"),
    ],
)
def test_no_command_shows_the_password_whatever_happens(
    guarded: PrivateBroker,
    command: Command,
    name: str,
    url: str,
    environment: Dict[str, str],
    code: int,
    said: str,
) -> None:
    with PrivateBroker() as other:
        free = other.port
    ports = {"port": guarded.port, "free": free}
    ended = command(name, {"url": url.format(**ports)}, environment)
    assert ended[0] == code, ended[1]
    assert said.format(**ports) in ended[1]
    assert SECRET not in ended[1]
    assert "Traceback" not in ended[1]


def test_no_message_carries_the_password(
    tmp_path: Path, command: Command, watch: Callable[[PrivateBroker], Any], until: Until
) -> None:
    """To a broker that lets anybody in, so that the witness can read everything."""
    with PrivateBroker() as broker:
        witness = watch(broker)
        password = tmp_path / "password"
        password.write_text(SECRET)
        mqtt = {"url": broker.url, "username": "robot", "password_file": str(password)}
        code, wrote = command("run", mqtt, {})
        assert code == 0, wrote
        until(lambda: any(b'"stopped"' in arrival.payload for arrival in witness.on("nasion/cam0/status")))
        assert {"person", "status", "info", "stats"} <= {arrival.topic.split("/")[2] for arrival in witness.arrivals}
        assert not [arrival for arrival in witness.arrivals if SECRET.encode() in arrival.payload]
        assert SECRET not in wrote
        witness.end()
