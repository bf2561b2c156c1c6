"""The sheet of paper on a photograph: what lies around it, a desk as a rule, is no ink.

A sheet is bright, has no dents, and ends all at once; light and shadow fade.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.geometry import downscale_to

Picture = NDArray[np.uint8]  # (H, W) or (H, W, 3)

_SIDE = 256  # pixels, the longer side at which a sheet is looked for
_STROKES = 17  # pixels of that; darker things on the sheet that are narrower belong to it
_BRIDGE = 7  # pixels; what connects the sheet with other bright things and is narrower is cut
SHEET_SHARE, _MOST = 0.08, 0.97  # of the picture's area that a sheet covers
_SOLIDITY = 0.9  # its bright area to that of its convex hull, at least
_LONGEST = 6.0  # its longer side to its shorter one, at most
_CONTRAST, _RATIO = 30.0, 1.25  # brightness in it to that around it: difference and ratio, at least
_NEAR = 3  # pixels on either side of its edge where brightness is compared
_STEP = 0.6  # of the whole difference, that lies within that of the edge
_STEEP = 0.75  # of the edge must be so steep
_OWN_EDGE, _OWN_SIDE = 0.4, 0.12  # of the edge, at least, that is not the picture's border; of one side
_STRAIGHT = 0.1  # breadth to length of an edge, up to which it has no corner
_DEEPEST_SHADOW = 0.35  # of the sheet's brightness; what is darker beside a straight edge is no shadow
_RIM = 3  # pixels at its edge that are left out with what is around it


def find_sheet(image: Picture) -> NDArray[np.bool_] | None:
    """Return which pixels show a sheet of paper that lies on something darker.

    Args:
        image: (H, W) or (H, W, 3) uint8.

    Returns:
        (H, W), or None where there is no such sheet, or no more than a sheet.
    """
    height, width = image.shape[:2]
    if max(height, width) < _SIDE:
        return None
    small = downscale_to(image, _SIDE)
    # white is bright in all colours, wood and cloth are dark in one
    white = np.asarray(cv2.medianBlur(small if small.ndim == 2 else small.min(axis=2), 3), np.uint8)
    without_ink = np.asarray(cv2.morphologyEx(white, cv2.MORPH_CLOSE, _disc(_STROKES)), np.uint8)
    hull = _outline(without_ink)
    if hull is None:
        return None
    inside = np.zeros(without_ink.shape, np.uint8)
    cv2.fillConvexPoly(inside, hull, 1)
    if not _has_edges_of_its_own(without_ink, inside):
        return None
    inside = np.asarray(cv2.erode(inside, _disc(2 * _RIM + 1), borderType=cv2.BORDER_CONSTANT, borderValue=1))
    whole = cv2.resize(inside * np.uint8(255), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.asarray(whole) > 127)


def spread(image: Picture, sheet: NDArray[np.bool_]) -> Picture:
    """Return the image with the colour of the sheet's nearest edge in place of what is around it."""
    height, width = sheet.shape
    small = downscale_to(image, _SIDE)
    size = small.shape[1::-1]
    paper = cv2.medianBlur(np.asarray(cv2.morphologyEx(small, cv2.MORPH_CLOSE, _disc(_STROKES))), 5)
    around = np.asarray(cv2.resize(sheet.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) == 0)
    _, nearest = cv2.distanceTransformWithLabels(
        around.astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    colours = np.zeros((int(nearest.max()) + 1, *paper.shape[2:]), np.uint8)
    colours[nearest[~around]] = paper[~around]
    filled = cv2.resize(colours[nearest], (width, height), interpolation=cv2.INTER_LINEAR)
    result = image.copy()
    result[~sheet] = np.asarray(filled)[~sheet]
    return result


def _disc(size: int) -> NDArray[np.uint8]:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)), np.uint8)


def _outline(white: Picture) -> NDArray[np.int32] | None:
    """Return the corners (N, 1, 2) of the largest bright part, where it has the shape of a sheet."""
    _, bright = cv2.threshold(white, 0, 1, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    mask = np.asarray(bright, np.uint8)
    dark = white[mask == 0]
    if not dark.size or float(white[mask > 0].mean()) < max(
        dark.mean() + _CONTRAST, float(dark.mean()) * _RATIO
    ):
        return None
    mask = np.asarray(cv2.morphologyEx(mask, cv2.MORPH_OPEN, _disc(_BRIDGE)), np.uint8)
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    largest = max(outlines, key=cv2.contourArea, default=None)
    if largest is None:
        return None
    hull = np.asarray(cv2.convexHull(largest), np.int32)
    area = cv2.contourArea(hull)
    _, (one, other), _ = cv2.minAreaRect(hull)
    if not SHEET_SHARE * white.size <= area <= _MOST * white.size or max(one, other) > _LONGEST * min(
        one, other
    ):
        return None
    whole = np.zeros(white.shape, np.uint8)
    cv2.fillConvexPoly(whole, hull, 1)
    return hull if float(mask[whole > 0].mean()) >= _SOLIDITY else None


def _has_edges_of_its_own(white: Picture, inside: Picture) -> bool:
    """Tell whether enough of a bright part's edge is not the picture's, and not that of a shadow."""
    edge = (inside > 0) & (cv2.erode(inside, np.ones((3, 3), np.uint8), borderValue=0) == 0)
    own = np.zeros(edge.shape, bool)
    within = slice(_NEAR + 1, -_NEAR - 1)  # what is nearer to the border cannot be compared on both sides
    own[within, within] = edge[within, within]
    share = np.count_nonzero(own) / np.count_nonzero(edge)
    if share < _OWN_SIDE:
        return False
    bright, dark = float(white[inside > 0].mean()), float(white[inside == 0].mean())
    _, (one, other), _ = cv2.minAreaRect(np.argwhere(own).astype(np.int32))
    if min(one, other) < _STRAIGHT * max(one, other):  # it has no corner, as a hard shadow has none
        if dark > _DEEPEST_SHADOW * bright:
            return False
    elif share < _OWN_EDGE:
        return False
    around = np.ones((2 * _NEAR + 1, 2 * _NEAR + 1), np.uint8)
    fall = np.asarray(cv2.subtract(cv2.dilate(white, around), cv2.erode(white, around)))
    return float((fall[own] >= _STEP * (bright - dark)).mean()) >= _STEEP
