"""Which boot of which host this is: a monotonic stamp means something only within it."""

from pathlib import Path
from typing import Optional

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def read_boot_id(path: Path = _BOOT_ID) -> Optional[str]:
    """The kernel's id of this boot, the same in all its containers; None where there is none to be had."""
    try:
        return path.read_text(encoding="ascii", errors="replace").strip() or None
    except OSError:
        return None
