"""Which TensorRT it is, and which flags that one knows."""

import re
from typing import NamedTuple

from nasion.errors import DependencyError, InputError

#: `trtexec`'s first line, e.g. "&&&& RUNNING TensorRT.trtexec [TensorRT v8502] # trtexec --help".
_BANNER = re.compile(r"TensorRT\.trtexec \[TensorRT v(\d+)\]")


class Version(NamedTuple):
    """A version of TensorRT."""

    major: int
    minor: int
    patch: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    @property
    def only_build(self) -> str:
        """The flag that ends `trtexec` after the build."""
        return "--buildOnly" if self < (8, 6) else "--skipInference"


def from_number(number: int) -> Version:
    """8502 is 8.5.2 and 100300 is 10.3.0: NV_TENSORRT_VERSION has two digits more from TensorRT 10 on."""
    step = 10_000 if number >= 10_000 else 1_000
    return Version(number // step, number % step // 100, number % 100)


def from_text(text: str) -> Version:
    """``8.5.2``, with or without a fourth number. InputError for anything else."""
    match = re.fullmatch(r"(\d+)\.(\d+)\.(\d+)(\.\d+)?", text)
    if match is None:
        raise InputError(f"TensorRT version {text!r}; expected three numbers, e.g. 8.5.2 or 10.3.0")
    return Version(int(match[1]), int(match[2]), int(match[3]))


def from_banner(text: str) -> Version:
    """The version in what `trtexec` printed. DependencyError where its first line is not there."""
    match = _BANNER.search(text)
    if match is None:
        raise DependencyError("trtexec did not say its version; expected a line with [TensorRT v...]")
    return from_number(int(match[1]))


def check_known(version: Version) -> None:
    """DependencyError for a TensorRT whose flags are not known: before 8.5, 9.x (on no Jetson), from 11 on."""
    if version[:2] not in ((8, 5), (8, 6)) and version.major != 10:
        raise DependencyError(
            f"TensorRT {version}: its trtexec is not known here; known are 8.5 and 8.6 (JetPack 5 and 6.0) and 10.x "
            "(JetPack 6.1 and newer)"
        )
