"""Passwords in addresses: what somebody typed is repeated in messages, and they do not belong there.

Two ways, by what is known. ``hide_password`` is for a text that somebody typed, and hides rather too much. ``redacted``
is for finished lines; it looks word by word, and leaves what is hidden already: ``mqtt://robot:***@host``.
"""

import re

#: ``scheme://user:password@host``; as a path it has lost a slash.
_ADDRESS = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*:/{1,2})(?!/)(\S*)@")
#: The same with blanks in the password; what stands after the colon is no port.
_TORN = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*:/{1,2})(?!/)[^\s:/@]*:(?!\d+\b|\*\*\*@).*@")
#: ``user:password@host`` and ``zed-stream:user:password@host``, at the beginning of a word.
_PAIR = re.compile(r"(?i)(?<![^\s\"'(\[=])(?![a-z][a-z0-9+.-]*:/)[^\s:@\"'(\[=]*:(?!\*\*\*@)\S*@")
#: ``?password=…``.
_OPTION = re.compile(r"(?i)([?&;](?:pass|passwd|password|pwd|secret|token|auth|api_?key|key)=)[^\s&;'\"]+")


def hide_password(text: str) -> str:
    """``text``, which repeats what somebody typed, without the user name and password of an address in it."""
    return redacted(re.sub(r"(?is)\b([a-z][a-z0-9+.-]*://).*@", r"\1…@", text))


def redacted(line: str) -> str:
    """A line for people without the user names and passwords of the addresses in it."""
    line = _ADDRESS.sub(_hidden, line)
    line = _PAIR.sub("…@", _TORN.sub(r"\1…@", line))
    return _OPTION.sub(r"\1…", line)


def _hidden(address: "re.Match[str]") -> str:
    """What is hidden already stays, and so does the mere name of who comes to a broker."""
    scheme, who = address[1], address[2]
    named = scheme.lower() in ("mqtt://", "mqtts://") and not set(who) & set(":@")
    return address[0] if named or who.endswith(":***") else f"{scheme}…@"
