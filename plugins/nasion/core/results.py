"""The values that one step of the core hands to the next. A value, or a reason why there is none."""

from dataclasses import dataclass
from enum import Enum
from typing import Optional, Tuple


class FrameReason(str, Enum):
    """Why nobody is listed for a frame."""

    NO_FACE = "no_face"
    LOW_PROBABILITY = "low_probability"
    NO_TENSOR = "no_tensor"
    CORRUPT_FRAME = "corrupt_frame"
    NO_FRAME = "no_frame"
    FROZEN = "frozen"


class PersonReason(str, Enum):
    """Why a person who was seen has no position."""

    NO_DEPTH = "no_depth"
    AMBIGUOUS = "ambiguous"
    TOO_NEAR = "too_near"
    TOO_FAR = "too_far"
    JUMP = "jump"
    UNPAIRED = "unpaired"
    EYES_DO_NOT_FIT = "eyes_do_not_fit"


@dataclass(frozen=True)
class Keypoint:
    """The point between a person's eyes in the full-resolution left picture.

    ``u, v``: pixels; ``probability``: height of the heat map's peak, 0..1; ``sigma_u, sigma_v``: standard deviation of
    the place, pixels of the full picture.
    """

    u: float
    v: float
    probability: float
    sigma_u: float
    sigma_v: float


@dataclass(frozen=True)
class Located:
    """Who was found in one frame, strongest first; ``reason`` is set exactly when nobody was.

    ``peak`` is the highest value of the heat map, also when it was too low; None when there was no heat map.
    """

    keypoints: Tuple[Keypoint, ...]
    reason: Optional[FrameReason]
    peak: Optional[float]


@dataclass(frozen=True)
class DepthReading:
    """Depth of a patch: ``value`` (z, metres) or ``reason``, with what it rests on.

    ``count`` of ``of`` depth values were finite and within the limits; ``spread`` is their median absolute deviation in
    metres, None without finite values.
    """

    value: Optional[float]
    reason: Optional[PersonReason]
    count: int
    of: int
    spread: Optional[float]


@dataclass(frozen=True)
class Position:
    """A point in metres: ``xyz`` in the frame the message names, its row-major 3 x 3 covariance in m²."""

    depth_m: float
    range_m: float
    xyz: Tuple[float, float, float]
    covariance: Tuple[float, ...]


@dataclass(frozen=True)
class Person:
    """One person of one frame. ``position`` is None exactly when ``reason`` is set; ``depth`` keeps what was seen."""

    track_id: int
    keypoint: Keypoint
    bearing_rad: Tuple[float, float]
    depth: DepthReading
    position: Optional[Position]
    reason: Optional[PersonReason]


class EyesFault(str, Enum):
    """Why two pictures are not those of a left and a right eye."""

    ROWS = "rows"
    CROSSED = "crossed"
    SAME = "same"
    UNRELATED = "unrelated"


class EyesUnknown(str, Enum):
    """Why a pair of pictures does not tell."""

    LITTLE_TEXTURE = "little_texture"
    FEW_MATCHES = "few_matches"
    NO_AGREEMENT = "no_agreement"
    UNSURE = "unsure"


@dataclass(frozen=True)
class EyesLook:
    """What one pair tells: ``rows_px`` or ``unknown``, and ``fault``, which may be there without rows.

    ``rows_px``: how far the rows are apart, pixels of the pictures as they came; 80 % of the picture is no worse.
    ``limit_px``: from there on the eyes do not fit. ``points``: corners that were found in both and agree.
    """

    rows_px: Optional[float]
    limit_px: float
    fault: Optional[EyesFault] = None
    unknown: Optional[EyesUnknown] = None
    points: int = 0


class EyesFit(str, Enum):
    """How the eyes fit. ``unknown``: no picture has told yet; ``poor``: they do, with fewer distances; ``misfit``."""

    UNKNOWN = "unknown"
    OK = "ok"
    POOR = "poor"
    MISFIT = "misfit"


@dataclass(frozen=True)
class EyesVerdict:
    """``fault`` is set exactly with ``misfit``; ``rows_px``: the row offset found lately, None where none was.

    ``suspected``: nothing is settled yet, and the last picture looked like a fault.
    """

    fit: EyesFit = EyesFit.UNKNOWN
    fault: Optional[EyesFault] = None
    rows_px: Optional[float] = None
    limit_px: Optional[float] = None
    suspected: bool = False

    @property
    def withheld(self) -> bool:
        """Whether no distance may be given. Where nothing is known, it may."""
        return self.fault is not None or self.suspected
