"""The topics of a camera: ``<prefix>/<camera>/<kind>``; of settings: ``…/set/<key>`` and ``…/state/<key>``."""

from typing import Optional, Tuple

PERSON = "person"
STATUS = "status"
INFO = "info"
STATS = "stats"
IMAGE = "image"
SET = "set"
STATE = "state"

#: Stands for every camera in a subscription.
ANY_CAMERA = "+"


def topic(prefix: str, camera: str, kind: str) -> str:
    """The topic on which ``camera`` publishes messages of this kind."""
    return f"{prefix}/{camera}/{kind}"


def split_topic(prefix: str, name: str) -> Optional[Tuple[str, str]]:
    """(camera, kind) of one of our topics; None of any other."""
    levels = name.split("/")
    if len(levels) != 3 or levels[0] != prefix:
        return None
    return levels[1], levels[2]
