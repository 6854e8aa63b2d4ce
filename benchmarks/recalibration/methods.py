"""Post-hoc recalibration: a monotone map of the stated confidence, fitted to outcomes. The cheap alternative to RL."""

from collections.abc import Callable, Mapping

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression

from emocal_rl.benchmarks.vecbench.outcomes import FloatArray

Calibrator = Callable[[FloatArray], FloatArray]
"""(n,) confidences to (n,) recalibrated ones, all in [0, 1]."""

CLIP = 1e-3
"""A confidence of 0 or 1 has no finite logit: it counts as this far from it, as in the log score of the rewards."""

_MAX_SLOPE, _MAX_OFFSET = 100.0, 100.0


def fit_temperature(confidence: FloatArray, outcome: FloatArray) -> Calibrator:
    """Fit c -> σ(logit(c) / T), T > 0 (Guo et al. 2017, on the stated confidence: there are no logits to be had)."""
    return _fit_logistic(lambda c: logit(c)[:, None], [(1 / _MAX_SLOPE, _MAX_SLOPE)], confidence, outcome)


def fit_platt(confidence: FloatArray, outcome: FloatArray) -> Calibrator:
    """Fit c -> σ(a logit(c) + b), a >= 0 (Platt 1999)."""
    return _fit_logistic(
        lambda c: np.stack([logit(c), np.ones_like(c)], axis=1),
        [(0.0, _MAX_SLOPE), (-_MAX_OFFSET, _MAX_OFFSET)],
        confidence,
        outcome,
    )


def fit_beta(confidence: FloatArray, outcome: FloatArray) -> Calibrator:
    """Fit c -> σ(a ln c - b ln(1 - c) + m), a, b >= 0 (Kull, Silva Filho & Flach 2017)."""
    return _fit_logistic(
        lambda c: np.stack([np.log(c), -np.log1p(-c), np.ones_like(c)], axis=1),
        [(0.0, _MAX_SLOPE), (0.0, _MAX_SLOPE), (-_MAX_OFFSET, _MAX_OFFSET)],
        confidence,
        outcome,
    )


def fit_isotonic(confidence: FloatArray, outcome: FloatArray) -> Calibrator:
    """Fit a monotone step function, interpolated between its steps (Zadrozny & Elkan 2002; scikit-learn's)."""
    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(confidence, outcome)
    return lambda values: np.asarray(fitted.predict(values), dtype=np.float64)


METHODS: Mapping[str, Callable[[FloatArray, FloatArray], Calibrator]] = {
    "temperature": fit_temperature,
    "platt": fit_platt,
    "beta": fit_beta,
    "isotonic": fit_isotonic,
}
"""By name: fit on (n,) confidences in [0, 1] and (n,) outcomes, 0 or 1, n > 0."""


def _fit_logistic(
    features: Callable[[FloatArray], FloatArray],
    bounds: list[tuple[float, float]],
    confidence: FloatArray,
    outcome: FloatArray,
) -> Calibrator:
    """Fit c -> σ(features(c) · w) by maximum likelihood, w within bounds that keep the map monotone.

    The targets are Platt's, a hair inside 0 and 1, so that outcomes of one kind only have a finite fit too.
    """
    inputs = features(_clipped(confidence))
    num_right = outcome.sum()
    targets = np.where(outcome > 0, (num_right + 1) / (num_right + 2), 1 / (len(outcome) - num_right + 2))

    def loss(weights: FloatArray) -> tuple[float, FloatArray]:
        score = inputs @ weights
        gradient = inputs.T @ (expit(score) - targets)
        return float(np.mean(np.logaddexp(0, score) - targets * score)), gradient / len(targets)

    start = np.array([0.0 if low < 0 else 1.0 for low, _ in bounds])
    options = {"ftol": 1e-14, "gtol": 1e-10, "maxiter": 1000}
    weights = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options).x
    return lambda values: np.asarray(expit(features(_clipped(values)) @ weights), dtype=np.float64)


def _clipped(confidence: FloatArray) -> FloatArray:
    return np.clip(confidence, CLIP, 1 - CLIP)
