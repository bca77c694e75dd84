"""The file of `remote.persist`: what was set over MQTT, by camera, for the next start."""

import json
import threading
from pathlib import Path
from typing import Any, Callable, Dict, Optional

from nasion.errors import InputError
from nasion.files import read_limited, text_of, write_whole
from nasion.messages import SetMessage, read_set
from nasion.messages.keys import Value

#: Some ten values for each camera.
MAX_BYTES = 1 << 16


class Kept:
    """Reads the file at once; ``look`` writes it, as a whole, where something was set since. Any thread may tell it."""

    def __init__(self, path: Optional[Path], *, on_event: Callable[[str], None]) -> None:
        """Without a ``path`` nothing is kept. InputError: a file that is there but holds something else."""
        self._path = path
        self._on_event = on_event
        self._lock = threading.Lock()
        self._values = {} if path is None else _read(path)
        self._due = False
        self._failed = False

    def of(self, camera: str) -> Dict[str, Value]:
        """What the camera was set to."""
        return dict(self._values.get(camera, {}))

    def put(self, camera: str, key: str, value: Value) -> None:
        """Keep this, too."""
        with self._lock:
            self._values.setdefault(camera, {})[key] = value
            self._due = True

    def look(self) -> None:
        """To be called often. A file that cannot be written is told once, tried again with the next change, and ends no
        run."""
        with self._lock:
            if self._path is None or not self._due:
                return
            text = json.dumps(self._values, indent=2) + "\n"
            self._due = False
        try:
            write_whole(self._path, text.encode())
            self._failed = False
        except OSError as error:
            if not self._failed:
                self._on_event(f"remote.persist {self._path} cannot be written: {error.strerror}; nothing is kept")
            self._failed = True


def _read(path: Path) -> Dict[str, Dict[str, Value]]:
    if not path.exists():
        return {}
    what = 'expected {"camera": {"key": value}}, as it is written here; delete it to begin anew'
    raw = read_limited(path, MAX_BYTES, what="remote.persist", too_large=f"{MAX_BYTES} bytes; {what}")
    try:
        tree: Any = json.loads(text_of(raw))
        cameras = {camera: dict(values.items()) for camera, values in tree.items()}
    except (ValueError, AttributeError, RecursionError):
        raise InputError(f"remote.persist {path}: not the kept settings; {what}") from None
    return {
        camera: {key: _checked(path, camera, key, value) for key, value in values.items()}
        for camera, values in cameras.items()
    }


def _checked(path: Path, camera: str, key: str, value: Any) -> Value:
    asked = read_set(key, json.dumps({"value": value}).encode())
    if isinstance(asked, SetMessage):
        return asked.value
    raise InputError(f"remote.persist {path}: {camera}: {key}: {asked}")
