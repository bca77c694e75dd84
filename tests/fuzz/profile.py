"""How much is tried: a few hundred examples of each test; with NASION_FUZZ=full together more than 100,000."""

from __future__ import annotations

import os
from typing import Any

from hypothesis import HealthCheck, settings

FULL = os.environ.get("NASION_FUZZ") == "full"


def tries(quick: int, full: int) -> Any:
    """How many examples a test takes; ``full`` in the long profile."""
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture]
    return settings(max_examples=full if FULL else quick, deadline=None, suppress_health_check=checks)
