import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import expit, logit
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score

from emocal_rl.benchmarks.recalibration.methods import CLIP, METHODS

GRID = np.array([0.0, 0.05, 0.3, 0.5, 0.7, 0.95, 1.0])


def overconfident(num_samples=400, seed=0):
    """Confidences whose logit is twice what it should be."""
    rng = np.random.default_rng(seed)
    confidence = rng.beta(5, 2, num_samples).round(2)
    return confidence, (rng.random(num_samples) < expit(logit(np.clip(confidence, CLIP, 1 - CLIP)) / 2)).astype(float)


def with_soft_targets(outcome):
    """Platt's targets as (labels, weights) of twice the rows."""
    right = outcome.sum()
    target = np.where(outcome > 0, (right + 1) / (right + 2), 1 / (len(outcome) - right + 2))
    return np.repeat([1, 0], len(outcome)), np.concatenate([target, 1 - target])


def test_temperature_maximises_the_likelihood_and_finds_the_truth():
    confidence, outcome = overconfident(4000)
    scores = logit(np.clip(confidence, CLIP, 1 - CLIP))
    labels, weights = with_soft_targets(outcome)
    best = minimize_scalar(
        lambda log_t: log_loss(labels, np.tile(expit(scores / np.exp(log_t)), 2), sample_weight=weights),
        bounds=(-3, 3),
        method="bounded",
        options={"xatol": 1e-9},
    )
    found = METHODS["temperature"](confidence, outcome)(GRID)
    assert found == pytest.approx(expit(logit(np.clip(GRID, CLIP, 1 - CLIP)) / np.exp(best.x)), abs=1e-6)
    assert np.exp(best.x) == pytest.approx(2.0, abs=0.25)
    assert found[3] == pytest.approx(0.5)


@pytest.mark.parametrize("method", ["platt", "beta"])
def test_platt_and_beta_are_scikit_learns_logistic_regression(method):
    confidence, outcome = overconfident()

    def features(values):
        values = np.clip(values, CLIP, 1 - CLIP)
        return logit(values)[:, None] if method == "platt" else np.stack([np.log(values), -np.log1p(-values)], axis=1)

    labels, weights = with_soft_targets(outcome)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000)
    model.fit(np.tile(features(confidence), (2, 1)), labels, sample_weight=weights)
    assert (model.coef_ > 0).all()
    assert METHODS[method](confidence, outcome)(GRID) == pytest.approx(
        model.predict_proba(features(GRID))[:, 1], abs=1e-5
    )


def test_isotonic_is_scikit_learns():
    confidence, outcome = overconfident()
    expected = IsotonicRegression(y_min=0, y_max=1, out_of_bounds="clip").fit(confidence, outcome).predict(GRID)
    assert METHODS["isotonic"](confidence, outcome)(GRID) == pytest.approx(expected)


@pytest.mark.parametrize("method", METHODS)
def test_every_map_is_monotone_even_where_confidence_misleads(method):
    rng = np.random.default_rng(1)
    confidence = rng.random(200)
    misleading = (rng.random(200) < 1 - confidence).astype(float)
    for outcome in (overconfident()[1][:200], misleading):
        values = METHODS[method](confidence, outcome)(np.linspace(0, 1, 101))
        assert (np.diff(values) >= -1e-12).all()
        assert ((values >= 0) & (values <= 1)).all()
    assert roc_auc_score(misleading, confidence) < 0.3


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("value", [0.0, 1.0])
def test_outcomes_of_one_kind_have_a_fit(method, value, recwarn):
    confidence, _ = overconfident(50)
    values = METHODS[method](confidence, np.full(50, value))(GRID)
    assert np.isfinite(values).all()
    if method != "temperature":
        assert values[3] == pytest.approx(value, abs=0.1)
    assert not recwarn.list
