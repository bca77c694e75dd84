"""A broker that knows MQTT 3.1.1 only: every command says that MQTT 5 is needed, once."""

from typing import Any, get_args

import pytest

from tests.mqtt.old_broker import Manner, OldBroker
from tests.program import Command

COMMANDS = {
    "run": (["run", "--source", "demo:?loop=0", "--seconds", "2", "--mqtt"], 1),
    "listen": (["listen", "--seconds", "2", "--mqtt"], 0),
    "check": (["check", "--source", "demo:", "--mqtt"], 1),
}


@pytest.mark.parametrize("manner", get_args(Manner))
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_that_it_needs_mqtt_5(nasion: Command, command: str, manner: Any) -> None:
    words, code = COMMANDS[command]
    with OldBroker(manner) as broker:
        ended, out, err = nasion(*words, broker.url)

    assert set(broker.versions) == {5}
    assert ended == code, err
    said = [line for line in (out + err).splitlines() if "MQTT 5" in line]
    assert len(said) == 1, out + err
    assert f"127.0.0.1:{broker.port}" in said[0]
    assert "Traceback" not in err


def test_a_real_broker_that_knows_mqtt_5_is_not_told_so(nasion: Command, broker: Any) -> None:
    _, out, err = nasion("listen", "--seconds", "0.5", "--mqtt", broker.url)
    assert "MQTT 5" not in out + err
