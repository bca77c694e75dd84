"""The broker dies, comes back, or stands still, under load: the scenarios of the soak in miniature.

Their promises in seconds are measured by `scripts/soak --scenario`; here only what holds on any machine is asserted.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.faults.conftest import SLOW
from tests.faults.soak.scenarios import freeze30, open_in, restarts


def opened(tmp_path: Path, model: Path) -> Any:
    return open_in(tmp_path, "demo:", {"view": "centre", "mode": "live", "model": str(model)}, print)


def test_killed_and_restarted(tmp_path: Path, spot_model: Path) -> None:
    figures = restarts(opened(tmp_path, spot_model), print, 3)
    assert figures["account"]["unexplained"] == 0
    assert figures["account"]["kills"] == 3
    assert {told["stale_accepted"] for told in figures["receivers"].values()} == {0}
    assert figures["vitals"]["after"]["descriptors"] <= figures["vitals"]["before"]["descriptors"]


@SLOW
def test_frozen_for_thirty_seconds(tmp_path: Path, spot_model: Path) -> None:
    figures = freeze30(opened(tmp_path, spot_model), print, 1)
    assert figures["qos1"]["most_delivered_late"] <= 1
    assert figures["qos1"]["account"]["unexplained"] == 0
    for qos in ("qos1", "qos0"):
        assert {told["stale_accepted"] for told in figures[qos]["receivers"].values()} == {0}
