"""Nasion speaks to the broker that you name and to nobody else: telemetry of libraries is switched off.

Importing the package does it, before any library can be imported; `tests/test_privacy.py` runs the programs in a
network of their own and sees whom they ask for.
"""

import os
import sys

#: ONNX Runtime from 1.29 on keeps a device id and events under ~/.cache/Microsoft and sends them, unless this is set.
SWITCHED_OFF = {"ORT_DISABLE_TELEMETRY": "1"}
#: OpenVINO imports this to report each import of it; without it, OpenVINO has a stand-in that does nothing.
LEFT_OUT = ("openvino_telemetry",)


def switch_telemetry_off() -> None:
    """For this process, and by the environment for those it starts. Whatever the environment said before."""
    os.environ.update(SWITCHED_OFF)
    for name in LEFT_OUT:
        # Python's way to say that a module is not there: importing it raises ImportError.
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]
