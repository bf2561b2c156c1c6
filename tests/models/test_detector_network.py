"""The detector's network: how it sees contrast."""

import numpy as np

from digitcli.models.backend import keras
from digitcli.models.detector_network import contrasts


def seen(grey: np.ndarray) -> np.ndarray:
    """Return the contrasts (H, W, 2) of a picture (H, W)."""
    inputs = keras.Input((None, None, 1))
    network = keras.Model(inputs, contrasts(inputs))
    return np.asarray(network(grey[np.newaxis, ..., np.newaxis].astype(np.float32)))[0]


def page() -> np.ndarray:
    grey = np.full((128, 128), 180.0)
    grey += np.random.default_rng(0).normal(0, 1, grey.shape)
    grey[40:90, 60:66] -= 60
    return grey


def test_ink_has_contrast_of_its_own_sign_and_paper_next_to_none() -> None:
    dark, bright = seen(page()), seen(255 - page())
    ink, paper = (slice(50, 80), slice(61, 65)), (slice(5, 30), slice(5, 30))
    assert dark.shape[:2] == (128, 128)
    assert dark.shape[2] == 2
    for channel in range(2):
        assert abs(dark[ink][..., channel].mean()) > 4 * abs(dark[paper][..., channel]).mean()
    assert np.allclose(dark, -bright, atol=1e-3)


def test_light_and_exposure_change_it_little() -> None:
    plain, light = seen(page()), seen(page() * 0.8 + np.linspace(0, 25, 128))
    inner = (slice(32, 96), slice(32, 96))
    assert np.corrcoef(plain[inner].ravel(), light[inner].ravel())[0, 1] > 0.97
