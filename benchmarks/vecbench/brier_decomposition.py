from emocal_rl.benchmarks.vecbench.metrics import FloatArray, brier_score, reliability_bins


def decompose_brier(confidence: FloatArray, outcome: FloatArray, *, num_bins: int = 10) -> dict[str, float | None]:
    """Split the Brier score: reliability - resolution + uncertainty, exactly. None each where there are no responses.

    Reliability is the mean squared distance between confidence and accuracy of the bins: what recalibrating could gain.
    Uncertainty, a (1 - a) with the overall accuracy a, is the score of always stating a. Resolution, how well
    confidence tells right answers from wrong ones, takes in what varies within the bins, without which the sum would
    not be exact.

    Source: Murphy 1973; the generalised resolution of Stephenson, Coelho and Jolliffe 2008, equation 7.

    Args:
        confidence: (n,) in [0, 1].
        outcome: (n,) 0 or 1.
        num_bins: equal-width bins over [0, 1].
    """
    if not len(confidence):
        return dict.fromkeys(("reliability", "resolution", "uncertainty"))
    reliability = 0.0
    for entry in reliability_bins(confidence, outcome, num_bins=num_bins):
        if entry.mean_confidence is not None and entry.accuracy is not None:
            reliability += entry.count * (entry.mean_confidence - entry.accuracy) ** 2 / len(confidence)
    accuracy = float(outcome.mean())
    uncertainty = accuracy * (1 - accuracy)
    resolution = uncertainty + reliability - brier_score(confidence, outcome)
    return {"reliability": reliability, "resolution": resolution, "uncertainty": uncertainty}
