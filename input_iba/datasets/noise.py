"""Noise that is drawn by a seed: smoothed, and with the spectrum of natural images."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from PIL import Image
from torch import Tensor

from input_iba.datasets.images import ImageDataset
from input_iba.datasets.pipeline import PipelineConfig
from input_iba.errors import ConfigError
from input_iba.registry import DATASETS

Array: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

COMMON = 0.8
"""Share of the variance of noise that its three colours have in common."""

NONE = "none"
"""Name of the class of inputs in which nothing is planted."""


def draws_of(seed: int, index: int) -> np.random.Generator:
    """Return the generator of one sample, so that no sample depends on how many there are."""
    return np.random.default_rng((seed, index))


def check_drawn(kind: str, n: int, seed: int) -> None:
    """Raise a ConfigError unless a data set draws at least one sample, by a seed from 0 on."""
    if n < 1 or seed < 0:
        raise ConfigError(f"{kind} needs n ≥ 1 samples and a seed ≥ 0; got n={n!r}, seed={seed!r}.")


def numbered_ids(name: str, n: int) -> list[str]:
    """Return ids by position.

    >>> numbered_ids("noise", 11)[-2:]
    ['noise_09', 'noise_10']
    """
    return [f"{name}_{i:0{len(str(n - 1))}d}" for i in range(n)]


def smoothed_noise(draws: np.random.Generator, size: int, sigma: float) -> Array:
    """Return normal noise (size, size), smoothed by a Gaussian of `sigma` pixels; 0 for white."""
    from scipy.ndimage import gaussian_filter

    noise = draws.standard_normal((size, size))
    return noise if sigma == 0 else gaussian_filter(noise, sigma, mode="wrap")


def natural_noise(draws: np.random.Generator, size: int) -> Array:
    """Return noise (size, size, 3) of mean 0 and variance 1, whose amplitude falls as 1/frequency.

    References:
        Field 1987, "Relations between the statistics of natural images and the response properties
        of cortical cells" (J. Opt. Soc. Am. A 4), on the spectrum of natural images.
    """
    rows, columns = np.fft.fftfreq(size)[:, None], np.fft.rfftfreq(size)[None]
    frequency = np.hypot(rows, columns)
    frequency[0, 0] = np.inf  # no mean
    spectrum = np.fft.rfft2(draws.standard_normal((4, size, size))) / frequency
    noise = np.fft.irfft2(spectrum, s=(size, size))
    noise /= noise.std((1, 2), keepdims=True)
    mixed = np.sqrt(COMMON) * noise[:1] + np.sqrt(1 - COMMON) * noise[1:]
    return np.moveaxis(mixed, 0, -1)


@DATASETS.register_module()
class NaturalNoise(ImageDataset):
    """Square images of coloured noise with the spectrum of natural images; they have no class.

    Args:
        n: Number of images.
        size: Pixels per side, before the pipeline.
        seed: Draws the images; see `ImageDataset` for `pipeline` and `channels`.
    """

    def __init__(
        self,
        n: int = 1000,
        size: int = 64,
        pipeline: PipelineConfig = (),
        seed: int = 0,
        channels: int = 3,
    ) -> None:
        check_drawn("NaturalNoise", n, seed)
        if size < 2:
            raise ConfigError(f"NaturalNoise needs a `size` of at least 2 pixels; got {size!r}.")
        paths = [f"noise {i} of seed {seed}" for i in range(n)]
        super().__init__(numbered_ids("noise", n), pipeline, None, channels, seed, paths=paths)
        self.size = size

    def read(self, index: int) -> tuple[Image.Image, Tensor | None]:
        """Return the image, RGB, two standard deviations being from grey to black or white."""
        noise = natural_noise(draws_of(self.seed, range(len(self))[index]), self.size)
        return Image.fromarray(np.rint(255 * np.clip(0.5 + noise / 4, 0, 1)).astype(np.uint8)), None

    def content(self) -> list[Any]:
        """Return number, size and seed of the images."""
        return [len(self), self.size, self.seed]
