"""Stereolabs' factory calibration of a ZED, ``SN<serial>.conf``: an INI file, one section for each eye and mode.

``[LEFT_CAM_HD]``: ``fx, fy, cx, cy`` in pixels and ``k1, k2`` [``p1, p2, k3``], or the distortion of all modes once in
``[LEFT_DISTO]``, then also ``k4, k5, k6``. ``[STEREO]``: ``Baseline, TY, TZ`` in millimetres, and for each mode
``RX_HD, CV_HD, RZ_HD``, a rotation vector in radians.

Their meaning is that of Stereolabs' own tools: zed-opencv-calibration writes the file from OpenCV's ``R, T`` (a point x
of the left camera is ``R x + T`` in the right one) as ``Baseline = -T.x, TY = T.y, TZ = T.z, (RX, CV, RZ) =
Rodrigues(R)``, and zed-opencv-native reads it so, with TY_HD, TZ_HD of the mode where the file has them.
"""

import configparser
from pathlib import Path
from typing import Dict, Optional, Tuple

import cv2
import numpy as np

from nasion.errors import InputError
from nasion.files import NotTextError
from nasion.sources.calibration_files import calibration_text, check_lenses
from nasion.sources.lenses import Lens, StereoLenses

#: The suffix of each mode, by the size of one eye's picture.
MODES: Dict[Tuple[int, int], str] = {
    (3840, 2160): "4K",
    (3200, 1800): "QHDPLUS",
    (2208, 1242): "2K",
    (1920, 1200): "FHD1200",
    (1920, 1080): "FHD",
    (1280, 720): "HD",
    (960, 600): "SVGA",
    (672, 376): "VGA",
}


def read_zed_conf(path: Path, width: int, height: int) -> StereoLenses:
    """The two cameras for pictures of ``width`` x ``height`` (one eye); InputError names file, section and key."""
    mode = MODES.get((width, height))
    if mode is None:
        sizes = ", ".join(f"{w}x{h}" for w, h in MODES)
        raise InputError(f"{path}: no ZED has pictures of {width}x{height} for one eye; it has {sizes}")
    file = _File(path)
    stereo = file.section("STEREO")
    baseline_mm = stereo.number("Baseline")
    if not 0 < baseline_mm <= 5000:
        raise InputError(
            f"{path}: [STEREO] Baseline = {baseline_mm:g}; expected millimetres, more than 0 (a ZED 2: 120)"
        )
    millimetres = [
        -baseline_mm,
        stereo.first_number(f"TY_{mode}", "TY") or 0.0,
        stereo.first_number(f"TZ_{mode}", "TZ") or 0.0,
    ]
    turn, _ = cv2.Rodrigues(np.array([stereo.number(f"{axis}_{mode}") for axis in ("RX", "CV", "RZ")]))
    lenses = StereoLenses(
        width,
        height,
        file.lens("LEFT", mode),
        file.lens("RIGHT", mode),
        np.asarray(turn, np.float64),
        np.array(millimetres) / 1000,
    )
    try:
        check_lenses(lenses)
    except ValueError as error:
        raise InputError(f"{path}, mode {mode}: {error}") from None
    return lenses


class _Section:
    """The numbers of one section; names in any case."""

    def __init__(self, path: Path, name: str, values: Dict[str, str]) -> None:
        self._path, self._name, self._values = path, name, values

    def number(self, key: str) -> float:
        found = self.first_number(key)
        if found is None:
            raise InputError(f"{self._path}: [{self._name}] has no {key}; get the file anew from calib.stereolabs.com")
        return found

    def first_number(self, *keys: str) -> Optional[float]:
        """The value of the first key that is there."""
        for key in keys:
            text = self._values.get(key.lower())
            if text is None:
                continue
            try:
                value = float(text)
            except ValueError:
                value = float("nan")
            if not np.isfinite(value):
                raise InputError(f"{self._path}: [{self._name}] {key} = {text!r} is not a number")
            return value
        return None


class _File:
    def __init__(self, path: Path) -> None:
        self._path = path
        parser = configparser.ConfigParser(interpolation=None, inline_comment_prefixes=("#", ";"))
        try:
            parser.read_string(calibration_text(path, "expected a ZED's calibration, SN<serial>.conf"))
        except (configparser.Error, NotTextError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"{path} is not a ZED's calibration (SN<serial>.conf): {reason}") from None
        self._sections = {name.upper(): dict(parser[name]) for name in parser.sections()}

    def section(self, name: str) -> _Section:
        values = self._sections.get(name.upper())
        if values is None:
            there = ", ".join(sorted(self._sections)) or "nothing"
            raise InputError(f"{self._path} has no section [{name}]; it has {there}")
        return _Section(self._path, name, values)

    def lens(self, eye: str, mode: str) -> Lens:
        camera = self.section(f"{eye}_CAM_{mode}")
        shared = f"{eye}_DISTO"
        disto = self.section(shared) if shared in self._sections else camera
        fx, fy, cx, cy = (camera.number(key) for key in ("fx", "fy", "cx", "cy"))
        # Old files leave out what is 0. k4 alone is of the fish-eye model (k1 to k4), with zeros added or without; the
        # other one has k4, k5 and k6 together.
        if disto.first_number("k4") is not None and (
            disto.first_number("p1") is None
            or (disto.first_number("k4") and not any(disto.first_number(key) for key in ("k5", "k6")))
        ):
            raise InputError(f"{self._path}: [{shared}] describes a fish-eye lens, which this version does not rectify")
        optional = [disto.first_number(key) or 0.0 for key in ("p1", "p2", "k3", "k4", "k5", "k6")]
        distortion = np.array([disto.number("k1"), disto.number("k2"), *optional])
        return Lens(np.array([[fx, 0, cx], [0, fy, cy], [0, 0, 1]]), distortion)
