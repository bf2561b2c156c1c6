"""From any pixels to ink: how much of the pen is where, whatever the paper, the light and the colours.

The result is the same kind of picture for all sources: 0 where there is paper, 255 where the ink is
full, antialiased in between.
"""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.geometry import Grey, downscale_to
from digitcli.preprocessing.sheet import SHEET_SHARE, find_sheet, spread

MIN_CONTRAST = 32  # grey levels between paper and ink, below which an image counts as blank
_OWN_CONTRAST = 64  # grey levels within what is opaque, from which on it is paper with ink

# Drawn on a screen: most pixels are exactly the paper's colour.
_FLAT_TOLERANCE = 2  # grey levels
_FLAT_SHARE = 0.4  # of all pixels

_DARK = 128  # grey levels, below which a desk is dark
_LEAST_PHOTOGRAPH = 512  # pixels, the longer side of what may be one

# Photographed or scanned: paper is what remains when everything narrow is taken away.
_PAPER_SIDE = 128  # pixels, the longer side at which the paper is estimated
_PAPER_WINDOW = 41  # pixels of that; strokes are narrower than half of it
_NOISE_FACTOR = 6  # ink is that many standard deviations of the paper's noise away from it
FAINT, FULL = 0.3, 0.7  # shares of the strongest ink between which a pixel's ink rises from 0 to 255
_MARK_PEAK = 0.55  # of the strongest ink: a mark that is nowhere stronger is a shadow or a stain


def extract(image: NDArray[Any]) -> Grey:
    """Return how much ink each pixel holds.

    Args:
        image: (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16; the last of four channels is opacity,
            the order of the colours does not matter; ink dark on bright or bright on dark.

    Returns:
        (H, W) uint8; all 0 where nothing differs enough from the paper: by `MIN_CONTRAST` grey levels,
        on uneven paper relative to its brightness.
    """
    image = opaque(image)
    paper = _flat_paper(image)
    ink = _on_flat_paper(image, paper) if paper is not None else None
    if ink is None or _may_be_desk(paper, ink):
        on_sheet = _on_sheet(image)
        ink = on_sheet if on_sheet is not None else ink
    if ink is None:
        ink = _on_uneven_paper(image)
    if int(ink.max()) < MIN_CONTRAST:
        return np.zeros(ink.shape, np.uint8)
    return ink


def opaque(image: NDArray[Any]) -> Grey:
    """Return the image, as `extract` takes it, with 8 bits and without opacity.

    What is transparent becomes paper that the rest stands out from.
    """
    has_opacity = image.ndim == 3 and image.shape[2] == 4
    colours = _eight_bits(image[..., :3] if has_opacity else image)
    if not has_opacity:
        return colours
    share = image[..., 3:].astype(np.float32) / np.iinfo(image.dtype).max
    seen = colours[share[..., 0] > 0.5]  # (M, 3)
    if len(seen) and np.ptp(np.percentile(seen.mean(axis=1), (2, 98))) > _OWN_CONTRAST:
        paper = np.median(seen, axis=0)  # the opaque part is paper with ink
    else:
        paper = np.full(3, 255.0 if len(seen) == 0 or seen.mean() < 255 / 2 else 0.0)
    return np.asarray(np.rint(colours * share + paper * (1 - share)), np.uint8)


def _eight_bits(image: NDArray[Any]) -> Grey:
    if image.dtype == np.uint8:
        return image
    # cameras and scanners often use only a part of the sixteen bits
    most = max(int(image.max()), 255)
    return np.asarray(image.astype(np.float32) * (255.0 / most), np.uint8)


def _flat_paper(image: Grey) -> tuple[int, ...] | None:
    """Return the colour that most pixels have, if there is one: that of a screen's canvas."""
    channels = cv2.split(image) if image.ndim == 3 else [image]
    paper = []
    for channel in channels:
        corner = int(channel[0, 0])
        if 2 * np.count_nonzero(channel == corner) > channel.size:  # what is found below, at once
            paper.append(corner)
            continue
        counts = cv2.calcHist([channel], [0], None, [256], [0, 256]).ravel()
        wide = np.convolve(counts, np.ones(2 * _FLAT_TOLERANCE + 1), "same")
        level = int(wide.argmax())
        if wide[level] < _FLAT_SHARE * channel.size:
            return None
        near = slice(max(0, level - _FLAT_TOLERANCE), level + _FLAT_TOLERANCE + 1)
        paper.append(near.start + int(counts[near].argmax()))
    return tuple(paper)


def _on_flat_paper(image: Grey, paper: tuple[int, ...]) -> Grey:
    """The difference from the paper, in the channel where it is largest, whichever its sign."""
    channels = cv2.split(image) if image.ndim == 3 else [image]
    differences = [
        # a whole picture of the level: OpenCV takes a (4, 1) image beside a number for a scalar
        cv2.absdiff(channel, np.full_like(channel, level))
        for channel, level in zip(channels, paper, strict=True)
    ]
    difference = np.asarray(differences[0], np.uint8)
    for other in differences[1:]:
        difference = np.asarray(cv2.max(difference, other), np.uint8)
    strongest = int(difference.max())
    if MIN_CONTRAST <= strongest < 255:
        return np.asarray(cv2.convertScaleAbs(difference, alpha=255 / strongest), np.uint8)
    return difference


def _may_be_desk(paper: tuple[int, ...] | None, ink: Grey) -> bool:
    """Tell whether what is everywhere the same may be a dark desk, and the ink on it a sheet of paper."""
    if paper is None or max(paper) >= _DARK or max(ink.shape) < _LEAST_PHOTOGRAPH:
        return False
    written = cv2.countNonZero(np.asarray(cv2.threshold(ink, _DARK, 1, cv2.THRESH_BINARY)[1]))
    # a pen on a screen is everywhere the same, too; paper is not
    return (
        written > SHEET_SHARE * ink.size
        and 2 * cv2.countNonZero(np.asarray(ink == ink.max(), np.uint8)) < written
    )


def _on_sheet(image: Grey) -> Grey | None:
    """The ink on a sheet of paper that does not fill the picture; None where there is no such thing."""
    sheet = find_sheet(image)
    if sheet is None:
        return None
    ink = np.where(sheet, _on_uneven_paper(spread(image, sheet)), 0).astype(np.uint8)
    return ink if ink.any() else None


def _on_uneven_paper(image: Grey) -> Grey:
    """The difference from the paper nearby, relative to its brightness, beyond its noise."""
    grey = image if image.ndim == 2 else _strongest_channel(image)
    grey = np.asarray(cv2.GaussianBlur(grey, (3, 3), 0), np.uint8)
    paper = _paper(grey)
    difference = grey.astype(np.float32) - paper
    dark, bright = np.maximum(-difference, 0), np.maximum(difference, 0)
    noise = 1.4826 * float(np.median(np.abs(difference)))
    far = max(_NOISE_FACTOR * noise, 1.0)
    is_dark = np.maximum(dark - far, 0).sum() >= np.maximum(bright - far, 0).sum()
    if is_dark:  # as dark on bright paper as on paper in the shade, noise included
        ink = dark / np.maximum(paper, 32) * 255
        far *= 255 / max(float(np.median(paper)), 32)
    else:
        ink = bright
    marked = ink > max(far, MIN_CONTRAST / 2)
    if not marked.any():
        return np.zeros(grey.shape, np.uint8)
    strongest = float(np.percentile(ink[marked], 90))
    if strongest < max(MIN_CONTRAST, far):
        return np.zeros(grey.shape, np.uint8)
    low = max(FAINT * strongest, far)
    high = max(FULL * strongest, low + 1)
    strength = np.clip((ink - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    return _only_strong_marks(strength, ink, _MARK_PEAK * strongest)


def _strongest_channel(image: Grey) -> Grey:
    """Return the channel in which the marks differ most from the paper."""
    small = downscale_to(image, _PAPER_SIDE)
    differences = []
    for channel in range(image.shape[2]):
        plane = np.ascontiguousarray(small[..., channel])
        difference = cv2.absdiff(plane, cv2.medianBlur(plane, _PAPER_WINDOW))
        differences.append(float(np.percentile(difference, 98)))
    return np.ascontiguousarray(image[..., int(np.argmax(differences))])


def _paper(grey: Grey) -> NDArray[np.float32]:
    """Estimate the paper's brightness at every pixel: the median over a window wider than strokes."""
    small = cv2.medianBlur(downscale_to(grey, _PAPER_SIDE), _PAPER_WINDOW)
    smooth = cv2.GaussianBlur(small, (0, 0), _PAPER_WINDOW / 8)
    height, width = grey.shape
    return cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _only_strong_marks(strength: Grey, ink: NDArray[np.float32], peak: float) -> Grey:
    """Wipe out the marks that nowhere reach `peak`."""
    count, marks = cv2.connectedComponents((strength > 0).astype(np.uint8), connectivity=8)
    strong = np.zeros(count, bool)
    strong[np.unique(marks[ink >= peak])] = True
    strong[0] = False
    return np.where(strong[marks], strength, 0).astype(np.uint8)
