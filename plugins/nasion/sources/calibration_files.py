"""Readers of calibration files. What comes out is checked: a missing or impossible value is an InputError.

Three layouts:

* ``calibration.json`` of rectified pictures: ``width, height, fx, fy, cx, cy, baseline_m``, optionally ``rectified``.
* ``calibration.json`` of unrectified ones: ``image_width, image_height``, ``left`` and ``right`` with ``K`` (3 x 3) and
  ``dist_k1k2p1p2k3``, ``R_left_to_right``, ``T_left_to_right`` (metres), optionally ``rectify`` with ``R1, R2, P1``.
* Stereolabs' ``SN<serial>.conf``, the factory calibration of a ZED: see ``zed_conf``.

Other keys are ignored. Lengths are metres, but millimetres in SN*.conf.
"""

import json
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from typing_extensions import Annotated, Self

from nasion.core.calibration import Calibration, Intrinsics
from nasion.errors import InputError
from nasion.files import read_limited, text_of
from nasion.sources.lenses import Lens, StereoLenses
from nasion.sources.stereo_checks import check_matrix, check_pair

#: What a source gets: pictures are rectified already, or can be with these lenses.
StereoCalibration = Union[Calibration, StereoLenses]

#: Some kilobytes; a larger file is something else.
MAX_BYTES = 1 << 20
Positive = Annotated[float, Field(gt=0)]
#: Wider than any camera on a robot: a larger number is in millimetres.
Baseline = Annotated[float, Field(gt=0, le=5, description="metres")]
Side = Annotated[int, Field(ge=16, le=16384)]
#: Focal lengths in widths of the picture: from more than any lens sees at once to less than any telescope.
_FOCAL_WIDTHS = (0.01, 1000.0)
#: Two cameras nearer together than this, metres, see no depth.
_LEAST_BASELINE_M = 0.001
Row3 = Annotated[List[float], Field(min_length=3, max_length=3)]
Row4 = Annotated[List[float], Field(min_length=4, max_length=4)]
Matrix3x3 = Annotated[List[Row3], Field(min_length=3, max_length=3)]
Matrix3x4 = Annotated[List[Row4], Field(min_length=3, max_length=3)]


class _Layout(BaseModel):
    model_config = ConfigDict(allow_inf_nan=False)


class _Rectified(_Layout):
    width: Side
    height: Side
    fx: Positive
    fy: Positive
    cx: float
    cy: float
    baseline_m: Baseline
    rectified: bool = True

    @model_validator(mode="after")
    def _sane(self) -> Self:
        if not self.rectified:
            raise ValueError(
                "rectified is false, but lens parameters are missing; expected left, right, R_left_to_right and "
                "T_left_to_right"
            )
        _check_focal(self.fx, self.fy, self.width, "fx, fy")
        check_matrix([[self.fx, 0, self.cx], [0, self.fy, self.cy], [0, 0, 1]], "fx, fy")
        _check_centre(self.cx, self.cy, self.width, self.height, "cx, cy")
        _check_apart(self.baseline_m)
        return self


class _Lens(_Layout):
    K: Matrix3x3
    dist_k1k2p1p2k3: Annotated[List[float], Field(min_length=5, max_length=5)]

    def lens(self) -> Lens:
        return Lens(np.array(self.K), np.array(self.dist_k1k2p1p2k3))


class _Rectify(_Layout):
    R1: Matrix3x3
    R2: Matrix3x3
    P1: Matrix3x4


class _Unrectified(_Layout):
    image_width: Side
    image_height: Side
    left: _Lens
    right: _Lens
    R_left_to_right: Matrix3x3
    T_left_to_right: Row3
    baseline_m: Optional[Baseline] = None
    rectify: Optional[_Rectify] = None

    @model_validator(mode="after")
    def _sane(self) -> Self:
        _check_rotation(self.R_left_to_right, "R_left_to_right")
        if self.rectify is not None:
            _check_rotation(self.rectify.R1, "rectify.R1")
            _check_rotation(self.rectify.R2, "rectify.R2")
            _check_camera([row[:3] for row in self.rectify.P1], self.image_width, self.image_height, "rectify.P1")
        for eye, lens in (("left", self.left), ("right", self.right)):
            _check_camera(lens.K, self.image_width, self.image_height, f"{eye}.K")
        baseline = float(np.linalg.norm(self.T_left_to_right))
        _check_baseline(baseline, self.T_left_to_right[0])
        if self.baseline_m is not None and abs(self.baseline_m - baseline) > 0.02 * baseline:
            raise ValueError(f"baseline_m is {self.baseline_m}, but T_left_to_right is {baseline:.4f} m long")
        return self


def check_lenses(lenses: StereoLenses) -> None:
    """ValueError where the numbers cannot belong to a stereo camera whose right eye is on the right."""
    for eye, lens in (("left", lenses.left), ("right", lenses.right)):
        _check_camera(lens.matrix.tolist(), lenses.width, lenses.height, f"the {eye} camera")
    _check_baseline(float(np.linalg.norm(lenses.translation_m)), float(lenses.translation_m[0]))
    check_pair(lenses)


def _check_baseline(baseline: float, along_x: float) -> None:
    if not 0 < baseline <= 5:
        raise ValueError(f"the two cameras are {baseline:g} m apart; expected more than 0 and at most 5 (metres?)")
    _check_apart(baseline)
    if along_x > -0.5 * baseline:
        raise ValueError(
            f"T_left_to_right points {along_x:g} m along x; with the right camera on the right it is nearly -baseline "
            "(are left and right swapped?)"
        )


def _check_apart(baseline: float) -> None:
    if baseline < _LEAST_BASELINE_M:
        raise ValueError(f"the two cameras are {baseline:g} m apart; expected at least {_LEAST_BASELINE_M:g} m")


def _check_focal(fx: float, fy: float, width: int, name: str) -> None:
    shortest, longest = (widths * width for widths in _FOCAL_WIDTHS)
    if not (shortest <= min(fx, fy) and max(fx, fy) <= longest):
        raise ValueError(
            f"{name}: focal lengths are {fx:g} and {fy:g} pixels; expected {shortest:g} to {longest:g} for pictures "
            f"{width} wide"
        )


def _check_centre(cx: float, cy: float, width: int, height: int, name: str) -> None:
    if not (0 < cx < width and 0 < cy < height):
        raise ValueError(f"{name} = ({cx:g}, {cy:g}) lies outside the {width}x{height} picture")


def _check_camera(matrix: List[List[float]], width: int, height: int, name: str) -> None:
    fx, fy = matrix[0][0], matrix[1][1]
    if fx <= 0 or fy <= 0:
        raise ValueError(f"{name}: focal lengths are {fx:g} and {fy:g} pixels; expected more than 0")
    if list(matrix[2]) != [0, 0, 1]:
        raise ValueError(f"{name}: the last row is {matrix[2]}; expected 0, 0, 1")
    _check_centre(matrix[0][2], matrix[1][2], width, height, f"{name}: cx, cy")
    _check_focal(fx, fy, width, name)
    check_matrix(matrix, name)


def _check_rotation(rows: List[List[float]], name: str) -> None:
    matrix = np.array(rows)
    if np.abs(matrix @ matrix.T - np.eye(3)).max() > 1e-3 or np.linalg.det(matrix) < 0:
        raise ValueError(f"{name} is no rotation matrix")


def read_calibration_json(path: Path) -> StereoCalibration:
    """Read either layout of ``calibration.json``; InputError names file, key and what is wrong."""
    content = _read_object(path)
    lenses = "left" in content or "right" in content
    try:
        if lenses:
            pair = _lenses(_Unrectified.model_validate(content))
            # What each eye is alone, the layout has checked.
            check_pair(pair)
            return pair
        return _calibration(_Rectified.model_validate(content))
    except ValidationError as error:
        layout = _Unrectified if lenses else _Rectified
        kind = "unrectified" if lenses else "rectified"
        needed = [name for name, field in layout.model_fields.items() if field.is_required()]
        raise InputError(f"{path}: {_first(error)}; of {kind} pictures it needs {', '.join(needed)}") from None
    except ValueError as error:
        raise InputError(f"{path}: {error}") from None


def require_size(path: Path, calibration: StereoCalibration, width: int, height: int, pictures: str) -> None:
    """InputError when the calibration is for pictures of another size than ``pictures`` (named for the message)."""
    of = calibration.left if isinstance(calibration, Calibration) else calibration
    if (of.width, of.height) != (width, height):
        raise InputError(
            f"{path} is for pictures of {of.width}x{of.height}, but {pictures} is {width}x{height}; "
            "use the calibration of that size"
        )


def calibration_text(path: Path, missing: str) -> str:
    """The text of a calibration file. InputError where it cannot be read; ``missing``: what is said where none is.

    NotTextError where it is no text.
    """
    if not path.exists():
        raise InputError(f"{path} is missing; {missing}")
    if not path.is_file():
        raise InputError(f"{path} cannot be read: it is no plain file")
    return text_of(read_limited(path, MAX_BYTES, what="calibration", too_large=f"{MAX_BYTES >> 20} MiB"))


def _read_object(path: Path) -> Dict[str, Any]:
    try:
        text = calibration_text(path, "it says where the lenses look, without it there is no depth")
        content = json.loads(text, object_pairs_hook=_no_key_twice)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path} is not JSON: {error}") from None
    if not isinstance(content, dict):
        raise InputError(f"{path}: expected a JSON object, found a {type(content).__name__}")
    return content


def _no_key_twice(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):
        keys = [key for key, _ in pairs]
        raise ValueError(f"the key {next(key for key in keys if keys.count(key) > 1)!r} stands there twice")
    return content


def _first(error: ValidationError) -> str:
    """The first complaint in one line: key, what is wrong, what was found."""
    details = error.errors()[0]
    key = ".".join(str(part) for part in details["loc"])
    message = details["msg"].replace("Value error, ", "")
    if details["type"] == "missing":
        return f"{key} is missing"
    return f"{key}: {message}, found {details['input']!r}" if key else message


def _calibration(layout: _Rectified) -> Calibration:
    left = Intrinsics(layout.width, layout.height, layout.fx, layout.fy, layout.cx, layout.cy)
    return Calibration(left, layout.baseline_m)


def _lenses(layout: _Unrectified) -> StereoLenses:
    given = layout.rectify
    return StereoLenses(
        layout.image_width,
        layout.image_height,
        layout.left.lens(),
        layout.right.lens(),
        np.array(layout.R_left_to_right),
        np.array(layout.T_left_to_right),
        None if given is None else (np.array(given.R1), np.array(given.R2), np.array(given.P1)),
    )
