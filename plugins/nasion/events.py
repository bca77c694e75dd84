"""A line about a run, which knows which camera it is about: text to people, fields to programs."""

from typing import Optional


class Event(str):
    """``camera``: whom it is about, None: the run itself; ``said``: what, without the camera's name."""

    camera: Optional[str]
    said: str

    def __new__(cls, camera: str, said: str) -> "Event":
        """As text, "camera: said"."""
        event = super().__new__(cls, f"{camera}: {said}")
        event.camera, event.said = camera, str(said)
        return event


def fields(text: str) -> "dict[str, Optional[str]]":
    """``camera`` and ``said`` of a line, whether it knows them or not."""
    if isinstance(text, Event):
        return {"camera": text.camera, "said": text.said}
    return {"camera": None, "said": text}
