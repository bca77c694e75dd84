"""The released network on recorded pairs, against what the README says of it. Only with scripts/test --data."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
#: Names the folder of the data; set by scripts/test --data.
WHERE = "NASION_TEST_DATA"


@pytest.fixture(scope="module")
def data() -> Path:
    if not os.environ.get(WHERE):
        pytest.skip("the data is used only when asked for: scripts/test --data")
    folder = Path(os.environ[WHERE])
    if not folder.is_dir():
        pytest.skip(f"NO DATA: {folder} is not there; name another folder with {WHERE}")
    return folder


def test_every_nearest_person_is_found_in_its_place_and_distance(data: Path) -> None:
    measured = subprocess.run(
        [sys.executable, "scripts/measure.py", "pairs", str(data / "stereo/synthetic_person"), "--json"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=1800,
        check=True,
    )
    figures = json.loads(measured.stdout)
    assert (figures["pairs"], figures["asked"], figures["found"], figures["wrong_place"]) == (60, 26, 1.0, 0.0)
    assert figures["depth_error_median"] < 0.002
    assert figures["depth_error_p95"] < 0.007
