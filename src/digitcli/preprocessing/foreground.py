"""Foreground extraction: strokes without paper, whatever the paper, light and colours.

The result is the same kind of picture for all sources: 0 where there is paper, 255 where the foreground
is full, antialiased in between. Where a pixel has to be one or the other, `cleaning.HALF` divides them.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from digitcli.preprocessing.geometry import Grey, downscale_to
from digitcli.preprocessing.sheet import SHEET_SHARE, find_sheet, spread


@dataclass(frozen=True)
class ForegroundParameters:
    """How foreground is told from paper. Grey levels are 0..255; windows are pixels.

    Attributes:
        least_contrast: grey levels between paper and foreground, below which an image counts as blank.
        opaque_contrast: grey levels within the opaque part of an image with an alpha channel, from which
            on that part is paper with foreground of its own.
        opaque_percentiles: of its brightness, between which that contrast is measured.
        least_opacity: 0..1, from which on a pixel belongs to the opaque part.
        flat_tolerance: grey levels by which a flat background varies, either way.
        flat_share: of all pixels that have the background's colour where it counts as flat, as on a screen.
        dark: grey level below which a flat background may be a desk under a sheet of paper.
        least_photograph: pixels, the longer side of what may be a photograph.
        paper_side: pixels, the longer side at which uneven paper is estimated.
        paper_window: pixels at that size, of the median filter; it removes strokes narrower than half of it.
        paper_smoothing: standard deviation of the Gaussian after it, as a share of the window.
        denoising: pixels, the window of the Gaussian that the whole image passes first.
        noise_factor: standard deviations of the paper's noise by which foreground differs from paper.
        deviation_per_mad: standard deviation of normally distributed noise, in median absolute deviations.
        darkest_paper: grey level; differences are divided by the paper's brightness, at least this one, so
            that noise in the deepest shadow is not amplified.
        strongest_percentile: of the marked pixels' differences, taken as the strongest foreground.
        channel_percentile: of the differences of a colour channel, by which channels are compared.
        faint, full: shares of the strongest foreground between which the result rises from 0 to 255.
        peak: share of the strongest foreground that a mark reaches somewhere; others are shadows or stains.
    """

    least_contrast: int = 32
    opaque_contrast: int = 64
    opaque_percentiles: tuple[int, int] = (2, 98)
    least_opacity: float = 0.5
    flat_tolerance: int = 2
    flat_share: float = 0.4
    dark: int = 128
    least_photograph: int = 512
    paper_side: int = 128
    paper_window: int = 41
    paper_smoothing: float = 1 / 8
    denoising: int = 3
    noise_factor: float = 6
    deviation_per_mad: float = 1.4826
    darkest_paper: int = 32
    strongest_percentile: int = 90
    channel_percentile: int = 98
    faint: float = 0.3
    full: float = 0.7
    peak: float = 0.55


FOREGROUND = ForegroundParameters()


def extract_foreground(image: NDArray[Any]) -> Grey:
    """Return how much foreground each pixel holds.

    Args:
        image: (H, W), (H, W, 3) or (H, W, 4), uint8 or uint16; the last of four channels is opacity,
            the order of the colours does not matter; foreground dark on bright or bright on dark.

    Returns:
        (H, W) uint8; all 0 where nothing differs enough from the paper: by `FOREGROUND.least_contrast`,
        on uneven paper relative to its brightness.
    """
    image = opaque(image)
    paper = _flat_paper(image)
    foreground = _on_flat_paper(image, paper) if paper is not None else None
    if foreground is None or _may_be_desk(paper, foreground):
        on_sheet = _on_sheet(image)
        foreground = on_sheet if on_sheet is not None else foreground
    if foreground is None:
        foreground = _on_uneven_paper(image)
    if int(foreground.max()) < FOREGROUND.least_contrast:
        return np.zeros(foreground.shape, np.uint8)
    return foreground


def has_flat_paper(image: NDArray[Any]) -> bool:
    """Tell whether the paper has one colour, as on a screen; see `extract_foreground`."""
    return _flat_paper(opaque(image)) is not None


def opaque(image: NDArray[Any]) -> Grey:
    """Return the image, as `extract_foreground` takes it, with 8 bits and without opacity.

    What is transparent becomes paper that the rest stands out from.
    """
    has_opacity = image.ndim == 3 and image.shape[2] == 4
    colours = _eight_bits(image[..., :3] if has_opacity else image)
    if not has_opacity:
        return colours
    share = image[..., 3:].astype(np.float32) / np.iinfo(image.dtype).max
    seen = colours[share[..., 0] > FOREGROUND.least_opacity]  # (M, 3)
    if (
        len(seen)
        and np.ptp(np.percentile(seen.mean(axis=1), FOREGROUND.opaque_percentiles))
        > FOREGROUND.opaque_contrast
    ):
        paper = np.median(seen, axis=0)  # the opaque part is paper with foreground
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
        wide = np.convolve(counts, np.ones(2 * FOREGROUND.flat_tolerance + 1), "same")
        level = int(wide.argmax())
        if wide[level] < FOREGROUND.flat_share * channel.size:
            return None
        near = slice(max(0, level - FOREGROUND.flat_tolerance), level + FOREGROUND.flat_tolerance + 1)
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
    if FOREGROUND.least_contrast <= strongest < 255:
        return np.asarray(cv2.convertScaleAbs(difference, alpha=255 / strongest), np.uint8)
    return difference


def _may_be_desk(paper: tuple[int, ...] | None, foreground: Grey) -> bool:
    """Tell whether what is everywhere the same may be a dark desk, and what is on it a sheet of paper."""
    if paper is None or max(paper) >= FOREGROUND.dark or max(foreground.shape) < FOREGROUND.least_photograph:
        return False
    written = cv2.countNonZero(
        np.asarray(cv2.threshold(foreground, FOREGROUND.dark, 1, cv2.THRESH_BINARY)[1])
    )
    # a pen on a screen is everywhere the same, too; paper is not
    return (
        written > SHEET_SHARE * foreground.size
        and 2 * cv2.countNonZero(np.asarray(foreground == foreground.max(), np.uint8)) < written
    )


def _on_sheet(image: Grey) -> Grey | None:
    """The foreground on a sheet of paper that does not fill the picture; None where there is none."""
    sheet = find_sheet(image)
    if sheet is None:
        return None
    foreground = np.where(sheet, _on_uneven_paper(spread(image, sheet)), 0).astype(np.uint8)
    return foreground if foreground.any() else None


def _on_uneven_paper(image: Grey) -> Grey:
    """The difference from the paper nearby, relative to its brightness, beyond its noise."""
    grey = image if image.ndim == 2 else _strongest_channel(image)
    grey = np.asarray(cv2.GaussianBlur(grey, (FOREGROUND.denoising,) * 2, 0), np.uint8)
    paper = _paper(grey)
    difference = grey.astype(np.float32) - paper
    dark, bright = np.maximum(-difference, 0), np.maximum(difference, 0)
    noise = FOREGROUND.deviation_per_mad * float(np.median(np.abs(difference)))
    far = max(FOREGROUND.noise_factor * noise, 1.0)
    is_dark = np.maximum(dark - far, 0).sum() >= np.maximum(bright - far, 0).sum()
    if is_dark:  # as dark on bright paper as on paper in the shade, noise included
        foreground = dark / np.maximum(paper, FOREGROUND.darkest_paper) * 255
        far *= 255 / max(float(np.median(paper)), FOREGROUND.darkest_paper)
    else:
        foreground = bright
    marked = foreground > max(far, FOREGROUND.least_contrast / 2)
    if not marked.any():
        return np.zeros(grey.shape, np.uint8)
    strongest = float(np.percentile(foreground[marked], FOREGROUND.strongest_percentile))
    if strongest < max(FOREGROUND.least_contrast, far):
        return np.zeros(grey.shape, np.uint8)
    low = max(FOREGROUND.faint * strongest, far)
    high = max(FOREGROUND.full * strongest, low + 1)
    strength = np.clip((foreground - low) * (255 / (high - low)), 0, 255).astype(np.uint8)
    return _only_strong_marks(strength, foreground, FOREGROUND.peak * strongest)


def _strongest_channel(image: Grey) -> Grey:
    """Return the channel in which the marks differ most from the paper."""
    small = downscale_to(image, FOREGROUND.paper_side)
    differences = []
    for channel in range(image.shape[2]):
        plane = np.ascontiguousarray(small[..., channel])
        difference = cv2.absdiff(plane, cv2.medianBlur(plane, FOREGROUND.paper_window))
        differences.append(float(np.percentile(difference, FOREGROUND.channel_percentile)))
    return np.ascontiguousarray(image[..., int(np.argmax(differences))])


def _paper(grey: Grey) -> NDArray[np.float32]:
    """Estimate the paper's brightness at every pixel: the median over a window wider than strokes."""
    small = cv2.medianBlur(downscale_to(grey, FOREGROUND.paper_side), FOREGROUND.paper_window)
    smooth = cv2.GaussianBlur(small, (0, 0), FOREGROUND.paper_window * FOREGROUND.paper_smoothing)
    height, width = grey.shape
    return cv2.resize(smooth, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32)


def _only_strong_marks(strength: Grey, foreground: NDArray[np.float32], peak: float) -> Grey:
    """Wipe out the marks that nowhere reach `peak`."""
    count, marks = cv2.connectedComponents((strength > 0).astype(np.uint8), connectivity=8)
    strong = np.zeros(count, bool)
    strong[np.unique(marks[foreground >= peak])] = True
    strong[0] = False
    return np.where(strong[marks], strength, 0).astype(np.uint8)
