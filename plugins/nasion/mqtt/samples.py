"""Durations as they come, until `stats` speaks of them."""

import threading
from typing import Dict, List, Tuple

#: Of each kind so many are kept at most: half a minute at 30 a second, should nobody take them.
_KEPT = 900


class Samples:
    """Milliseconds by name. Any thread may add; who takes them begins anew."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._values: Dict[str, List[float]] = {}

    def add(self, name: str, milliseconds: float) -> None:
        """Keep one more; dropped where too many wait already."""
        with self._lock:
            values = self._values.setdefault(name, [])
            if len(values) < _KEPT:
                values.append(milliseconds)

    def take(self) -> Dict[str, Tuple[float, ...]]:
        """What came since the last call."""
        with self._lock:
            values, self._values = self._values, {}
        return {name: tuple(kept) for name, kept in values.items()}
