import numpy as np
from scipy.fft import dct, idct
from scipy.optimize import brentq

from emocal_rl.benchmarks.vecbench.outcomes import FloatArray

_NUM_CELLS = 4096


def smooth_calibration_error(confidence: FloatArray, outcome: FloatArray) -> float:
    """Return the smooth ECE of Błasiok & Nakkiran 2023: no bins, and continuous in the confidences.

    The residuals outcome - confidence, smoothed over the confidence axis by a Gaussian of width σ reflected at 0 and 1,
    have the mean size smECE(σ), which falls as σ grows; the result is the σ that equals its own smECE.

    Args:
        confidence: (n,) in [0, 1], n > 0.
        outcome: (n,) 0 or 1, or the known probability of being right.
    """
    # The reflected Gaussian is the heat kernel of [0, 1] with closed ends: the cosine transform makes it a product.
    spectrum = dct(_on_grid(confidence, (outcome - confidence) / len(confidence)), type=2)
    frequency = np.pi * np.arange(_NUM_CELLS)

    def excess(width: float) -> float:
        smoothed = idct(spectrum * np.exp(-((frequency * width) ** 2) / 2), type=2)
        return float(np.abs(smoothed).sum()) - width

    return float(brentq(excess, 0.0, 1.0, xtol=1e-9)) if excess(0.0) > 1e-12 else 0.0


def _on_grid(position: FloatArray, value: FloatArray) -> FloatArray:
    """Share every value among the two cells whose centres are nearest, so that its place is kept on average."""
    place = np.clip(position * _NUM_CELLS - 0.5, 0, _NUM_CELLS - 1)
    cell = np.minimum(place.astype(np.int64), _NUM_CELLS - 2)
    upper = (place - cell) * value
    cells, shares = np.concatenate([cell, cell + 1]), np.concatenate([value - upper, upper])
    return np.asarray(np.bincount(cells, weights=shares, minlength=_NUM_CELLS), dtype=np.float64)
