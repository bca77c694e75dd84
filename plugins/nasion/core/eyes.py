"""Whether two rectified pictures fit each other: how far their rows are apart, and on which side what is near lies.

Depth is matched along rows, to the left. Eyes whose rows are apart give no depth, or a wrong one; eyes that are swapped
give none, or that of something else.
"""

from typing import NamedTuple, Tuple

import cv2
import numpy as np
from numpy.typing import NDArray

from nasion.core.results import EyesFault, EyesLook, EyesUnknown

Picture = NDArray[np.uint8]
Floats = NDArray[np.float64]

#: Pictures are compared at this width; what is narrower, as it is.
_WIDTH = 640
_BLUR_SIGMA = 1.2
#: Share of the noise of single pixels that such a blur leaves.
_NOISE_LEFT = 1 / (2 * _BLUR_SIGMA * float(np.sqrt(np.pi)))
#: A corner differs from its surroundings by this, grey values, and by so many times the noise.
_LEAST_CONTRAST, _CONTRAST_PER_NOISE = 7, 4.0
_MOST_CORNERS = 800
#: Of 256 bits of a description: corners of one picture that are more alike are taken for a pattern that repeats, and
#: are left out; corners of both that are less alike are not of the same thing.
_LEAST_OWN_BITS, _MOST_BITS = 48, 64
#: The second best is less alike by this factor.
_RATIO = 1.25
#: Eyes of one camera are hardly rolled against each other.
_MOST_TURN_DEGREES = 30.0
#: Points that agree with a row offset lie within this, pixels of the width above.
_AGREES_PX = 1.5
_TRIALS = 300
#: What must agree before anything is said: points, cells (of 4 x 3) that they lie in, share of all matches.
_LEAST_POINTS, _LEAST_CELLS, _LEAST_SHARE = 20, 4, 0.5
#: A corner's place is known no better than this; and how large what makes a row offset is likely to be at the edge of
#: the picture: shift, roll, zoom, and turns about the y and x axes. Pixels of the width above.
_POINT_PX = 0.4
_LIKELY_TERMS_PX = np.array([100.0, 30.0, 30.0, 10.0, 10.0])
#: The rows are too far apart where that is surer than by so many standard deviations.
_SIGMAS = 2.0
#: Swapped: this share of the points lies on the wrong side by more than so many pixels.
_CROSSED_SHARE, _CROSSED_PX = 0.4, -1.5
#: One picture twice: so many points lie at the same place, and the pictures are as good as equal.
_SAME_SHARE, _SAME_PX, _SAME_CORRELATION = 0.98, 0.35, 0.98
#: Two pictures of different things: of so many corners in so many cells fewer than this share is found in the other.
_UNRELATED_CORNERS, _UNRELATED_CELLS, _UNRELATED_SHARE = 100, 5, 0.04
#: A pair whose rows are apart by this share of its width, and by this at least, answers for few persons.
_LIMIT_PER_WIDTH, _LEAST_LIMIT_PX = 0.0022, 2.0
#: Of the limit: from the first on a row offset costs distances; one that may be smaller by more than the second, tells
#: nothing then.
POOR, _UNSURE = 0.6, 0.4
#: The row offset of a picture is one that this share of its places does not exceed.
_PERCENTILE = 80


class _Corners(NamedTuple):
    """Places (N, 2), directions (N,) degrees, descriptions (N, 32) uint8 of one picture's distinct corners."""

    places: Floats
    angles: Floats
    bits: NDArray[np.uint8]


class _Fit(NamedTuple):
    """A row offset over the picture: terms (5,) of `_basis`, and their covariance (5, 5), pixels."""

    terms: Floats
    covariance: Floats


def rows_limit_px(width: int) -> float:
    """From how many pixels on the rows of pictures of this width are too far apart."""
    return max(_LEAST_LIMIT_PX, _LIMIT_PER_WIDTH * width)


def look_at_eyes(left: Picture, right: Picture) -> EyesLook:
    """What rectified pictures of one instant, (H, W, 3) BGR or (H, W, 4) BGRx uint8 of one size, tell of their eyes.

    The same pictures always tell the same. ValueError: sizes that differ.
    """
    if left.shape[:2] != right.shape[:2]:
        raise ValueError(f"the eyes' pictures have the sizes {left.shape[:2]} and {right.shape[:2]}; expected the same")
    limit = rows_limit_px(left.shape[1])
    small_left, noise_left = _prepared(left)
    small_right, noise_right = _prepared(right)
    size = (small_left.shape[1], small_left.shape[0])
    corners_left, corners_right = _corners(small_left, noise_left), _corners(small_right, noise_right)
    at_left, at_right = _matched(corners_left, corners_right)
    if _unrelated(corners_left, corners_right, len(at_left), size):
        return EyesLook(None, limit, fault=EyesFault.UNRELATED)
    if len(at_left) < _LEAST_POINTS:
        few = min(len(corners_left.places), len(corners_right.places)) < _LEAST_POINTS
        return EyesLook(None, limit, unknown=EyesUnknown.LITTLE_TEXTURE if few else EyesUnknown.FEW_MATCHES)
    agree, fit = _agreement(at_left, at_right[:, 1] - at_left[:, 1], size)
    points = int(agree.sum())
    if points < _LEAST_POINTS or points < _LEAST_SHARE * len(at_left) or _cells(at_left[agree], size) < _LEAST_CELLS:
        return EyesLook(None, limit, unknown=EyesUnknown.NO_AGREEMENT, points=points)
    surely, rows_px = (offset * left.shape[0] / size[1] for offset in _over_picture(fit, size))
    disparity = (at_left - at_right)[agree, 0]
    fault = None
    if surely >= limit:
        fault = EyesFault.ROWS
    elif (disparity < _CROSSED_PX).mean() >= _CROSSED_SHARE:
        fault = EyesFault.CROSSED
    elif (np.abs(disparity) < _SAME_PX).mean() >= _SAME_SHARE and _alike(small_left, small_right):
        fault = EyesFault.SAME
    elif rows_px >= POOR * limit and rows_px - surely > _UNSURE * limit:
        return EyesLook(None, limit, unknown=EyesUnknown.UNSURE, points=points)
    return EyesLook(rows_px, limit, fault=fault, points=points)


def _prepared(picture: Picture) -> Tuple[Picture, float]:
    """Grey, small and blurred; and the noise that is left in it, grey values."""
    code = cv2.COLOR_BGR2GRAY if picture.shape[2] == 3 else cv2.COLOR_BGRA2GRAY
    grey = cv2.cvtColor(picture, code)
    noise = _noise(np.asarray(grey, np.uint8))
    height, width = grey.shape
    if width > _WIDTH:
        grey = cv2.resize(grey, (_WIDTH, round(height * _WIDTH / width)), interpolation=cv2.INTER_AREA)
        noise *= _WIDTH / width
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), _BLUR_SIGMA), np.uint8), noise * _NOISE_LEFT


def _noise(grey: Picture) -> float:
    """Standard deviation of the pixels' noise, by Immerkaer's estimator: edges and slopes cancel out."""
    kernel = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    curved = cv2.filter2D(grey, cv2.CV_16S, kernel)
    inside = curved[1:-1, 1:-1]
    if not inside.size:
        return 0.0
    return float(np.sqrt(np.pi / 2)) * cv2.norm(inside, cv2.NORM_L1) / (6 * inside.size)


def _corners(grey: Picture, noise: float) -> _Corners:
    """Corners that look like no other of the same picture."""
    threshold = max(_LEAST_CONTRAST, round(_CONTRAST_PER_NOISE * noise))
    finder = cv2.ORB.create(nfeatures=_MOST_CORNERS, nlevels=1, fastThreshold=threshold)
    found, bits = finder.detectAndCompute(grey, None)
    if not found or bits is None:
        return _Corners(np.empty((0, 2)), np.empty(0), np.empty((0, 32), np.uint8))
    places = np.array([corner.pt for corner in found], np.float64)
    angles = np.array([corner.angle for corner in found], np.float64)
    corners = _Corners(places, angles, np.asarray(bits, np.uint8))
    if len(found) < 2:
        return corners
    # The nearest to each is itself.
    nearest = cv2.BFMatcher(cv2.NORM_HAMMING).knnMatch(corners.bits, corners.bits, k=2)
    distinct = np.array([second.distance >= _LEAST_OWN_BITS for _, second in nearest])
    return _Corners(places[distinct], angles[distinct], corners.bits[distinct])


def _matched(left: _Corners, right: _Corners) -> Tuple[Floats, Floats]:
    """Places (N, 2) in both pictures of the corners that are each other's best match, and clearly so."""
    nothing = np.empty((0, 2))
    if len(left.bits) < 2 or len(right.bits) < 2:
        return nothing, nothing
    matcher = cv2.BFMatcher(cv2.NORM_HAMMING)
    back = {pair.queryIdx: pair.trainIdx for pair in matcher.match(right.bits, left.bits)}
    pairs = [
        (best.queryIdx, best.trainIdx)
        for best, second in matcher.knnMatch(left.bits, right.bits, k=2)
        if best.distance <= _MOST_BITS
        and second.distance >= _RATIO * best.distance
        and back[best.trainIdx] == best.queryIdx
        and _turn(left.angles[best.queryIdx], right.angles[best.trainIdx]) <= _MOST_TURN_DEGREES
    ]
    if not pairs:
        return nothing, nothing
    of_left, of_right = np.array(pairs).T
    return left.places[of_left], right.places[of_right]


def _turn(one: float, other: float) -> float:
    """Degrees between two directions, 0 to 180."""
    return abs((one - other + 180.0) % 360.0 - 180.0)


def _unrelated(left: _Corners, right: _Corners, matches: int, size: Tuple[int, int]) -> bool:
    """Whether the left picture is full of things that the right one, which shows something, does not show."""
    corners = len(left.places)
    return (
        corners >= _UNRELATED_CORNERS
        and _cells(left.places, size) >= _UNRELATED_CELLS
        and len(right.places) >= _LEAST_POINTS
        and matches < _UNRELATED_SHARE * corners
    )


def _agreement(places: Floats, offsets: Floats, size: Tuple[int, int]) -> Tuple[NDArray[np.bool_], _Fit]:
    """The points whose row ``offsets`` most agree on, and that offset over the picture.

    First by planes through three points each, the same ones every time, then by all that agree.
    """
    basis = _basis(places, size)
    triples = np.random.default_rng(0).integers(0, len(places), (_TRIALS, 3))
    planes = basis[:, :3]
    chosen = planes[triples]
    usable = np.abs(np.linalg.det(chosen)) > 1e-3
    agree = np.zeros(len(places), np.bool_)
    if usable.any():
        solved = np.linalg.solve(chosen[usable], offsets[triples[usable]][..., None])[..., 0]
        near = np.abs(planes @ solved.T - offsets[:, None]) < _AGREES_PX
        agree = near[:, int(near.sum(axis=0).argmax())]
    fit = _fitted(basis[agree], offsets[agree])
    for _ in range(2):
        agree = np.abs(basis @ fit.terms - offsets) < _AGREES_PX
        fit = _fitted(basis[agree], offsets[agree])
    return agree, fit


def _fitted(basis: Floats, offsets: Floats) -> _Fit:
    """The terms that explain the offsets; those that the points say little of stay small."""
    spread = np.linalg.inv(basis.T @ basis + np.diag(1 / _LIKELY_TERMS_PX**2))
    terms = spread @ (basis.T @ offsets)
    variance = max(_POINT_PX**2, float(np.mean((basis @ terms - offsets) ** 2)) if len(offsets) else 0.0)
    return _Fit(terms, np.asarray(variance * spread, np.float64))


def _basis(places: Floats, size: Tuple[int, int]) -> Floats:
    """(N, 5): what a row offset is made of: shift, roll, zoom, and what a turn about the y and x axes does."""
    x, y = ((places - np.array(size) / 2) / (size[0] / 2)).T
    return np.stack([np.ones_like(x), x, y, x * y, y * y], axis=1)


def _over_picture(fit: _Fit, size: Tuple[int, int]) -> Tuple[float, float]:
    """The row offset that 80 % of the picture's places do not exceed: at least, as far as is sure, and as it is found;
    pixels."""
    u, v = np.meshgrid(np.linspace(0, size[0], 16), np.linspace(0, size[1], 12))
    basis = _basis(np.stack([u.ravel(), v.ravel()], axis=1), size)
    found = np.abs(basis @ fit.terms)
    unsure = _SIGMAS * np.sqrt(np.einsum("ij,jk,ik->i", basis, fit.covariance, basis))
    return float(np.percentile(found - unsure, _PERCENTILE)), float(np.percentile(found, _PERCENTILE))


def _cells(places: Floats, size: Tuple[int, int]) -> int:
    """How many cells of 4 x 3 the places lie in."""
    columns, rows = np.floor(places / np.array(size) * (4, 3)).T
    return len(set(zip(columns.tolist(), rows.tolist())))


def _alike(left: Picture, right: Picture) -> bool:
    """Whether two grey pictures are as good as equal."""
    return float(np.corrcoef(left.ravel(), right.ravel())[0, 1]) >= _SAME_CORRELATION
