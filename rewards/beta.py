from typing import Annotated

from pydantic import Field
from scipy.special import beta as beta_function
from scipy.special import betaincc

from emocal_rl.rewards.registry import RewardInput, reward

Shape = Annotated[float, Field(gt=0, le=100)]


@reward("beta", worst=-1.0)
def beta(x: RewardInput, *, alpha: Shape = 1.0, beta: Shape = 1.0) -> float:
    """Beta family of bounded strictly proper scores, in [-1, 0]: `brier` at alpha = beta = 1, towards `loglik` at 0.

    A proper score is a mixture of decisions, each at a threshold t between acting and not acting. Here t has the weight
    t^(alpha - 1) (1 - t)^(beta - 1): small parameters look closely at confidences near 0 and 1, large ones near
    alpha / (alpha + beta). The loss is the integral of (1 - t) times the weight from c to 1 if the answer is right, of
    t times the weight from 0 to c if it is wrong, divided by the larger of its two suprema, so that the worst value is
    -1.

    Source: Buja, Stuetzle and Shen (2005), "Loss Functions for Binary Class Probability Estimation and Classification";
    Merkle and Steyvers (2013), "Choosing a Strictly Proper Scoring Rule".
    """
    confidence = x.parsed.confidence
    assert confidence is not None
    largest_if_right, largest_if_wrong = beta_function(alpha, beta + 1.0), beta_function(alpha + 1.0, beta)
    if x.correct:
        loss = largest_if_right * betaincc(alpha, beta + 1.0, confidence)
    else:
        loss = largest_if_wrong * betaincc(beta, alpha + 1.0, 1.0 - confidence)
    return float(-loss / max(largest_if_right, largest_if_wrong))
