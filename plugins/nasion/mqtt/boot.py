"""Which boot of which host this is: a monotonic stamp means something only within it."""

from nasion.mqtt.judge import read_boot_id

__all__ = ["read_boot_id"]
