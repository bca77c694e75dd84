"""A network that loses packets, or is too slow: a real one, in a namespace of its own.

netem is taken where the kernel has it; else the packets are dropped by iptables and held up by a token bucket.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.faults.soak.stage import ROOT

LOSSY = [
    "tc qdisc add dev lo root netem loss 10% delay 5ms 5ms",
    "iptables -A INPUT -i lo -m statistic --mode random --probability 0.1 -j DROP",
]
SLOW = [
    "tc qdisc add dev lo root netem rate 400kbit",
    "tc qdisc add dev lo root tbf rate 400kbit burst 16kb latency 400ms",
]
#: Frames of an ordinary length, not the 64 KB that a machine sends to itself.
READY = "ip link set lo mtu 1500 && ip link set lo up"


def in_namespace(shape: str, command: str) -> list[str]:
    return ["unshare", "--net", "sh", "-c", f"{READY} && {shape} && {command}"]


def possible(shapes: list[str]) -> str:
    """The first that this kernel can do."""
    said = ""
    for shape in shapes:
        try:
            tried = subprocess.run(in_namespace(shape, "true"), capture_output=True, text=True, check=False)
        except FileNotFoundError as error:
            pytest.skip(f"no network of its own can be made here: {error}")
        if tried.returncode == 0:
            return shape
        said = tried.stderr.strip()
    pytest.skip(f"no network of its own can be made here: {said}")


@pytest.mark.parametrize("shapes", [LOSSY, SLOW], ids=["lossy", "slow"])
def test_what_arrives_is_fresh_and_the_rest_is_counted(shapes: list[str], tmp_path: Path, spot_model: Path) -> None:
    soak = f"-m tests.faults.soak --scenario latency --times 1 --out {tmp_path} --model {spot_model}"
    command = in_namespace(possible(shapes), f"exec {sys.executable} {soak}")
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=280)
    assert ended.returncode == 0, ended.stderr
    figures: dict[str, Any] = json.loads((tmp_path / "latency.json").read_text())
    assert figures["account"]["unexplained"] == 0
    assert {told["stale_accepted"] for told in figures["receivers"].values()} == {0}
    assert all(told["accepted"] for told in figures["receivers"].values())
    # What was too slow for the network gave way to what was newer.
    assert figures["published"]["replaced"] + figures["published"]["stale"] > 0
