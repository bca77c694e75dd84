"""The receivers in docs/receivers, imported as they lie there."""

import importlib
import sys
from pathlib import Path
from typing import Any

RECEIVERS = Path(__file__).parents[2] / "docs" / "receivers"

for folder in (RECEIVERS, RECEIVERS / "conformance"):
    sys.path.insert(0, str(folder))
python: Any = importlib.import_module("nasion_receiver")
ros: Any = importlib.import_module("nasion_ros2")
#: The stories of the corpus.
make: Any = importlib.import_module("make")
