import numpy as np
import pytest

from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.stages.confidence_label import confidence_label, mean_token_probability


@pytest.mark.parametrize(
    ("answer", "label", "probability", "expected"),
    [
        ("awe", "awe", 0.9, 0.95),  # 0.5 (1 + 0.9)
        ("awe", "awe", 0.0, 0.5),
        ("awe", "awe", 1.0, 1.0),
        ("anger", "amusement", 0.9, 0.29),  # 0.5 - 0.2371 * 0.9 = 0.28661
        ("contentment", "amusement", 0.5, 0.46),  # 0.5 - 0.0808 * 0.5 = 0.4596
        ("anger", "amusement", 0.0, 0.5),
    ],
)
def test_equation_2_by_hand(answer: str, label: str, probability: float, expected: float) -> None:
    assert confidence_label(answer, label, probability, TAXONOMIES["mikels8"]) == expected


def test_the_wrong_one_of_two_classes_gets_half_of_one_minus_p() -> None:
    assert confidence_label("positive", "negative", 0.8, TAXONOMIES["polarity2"]) == 0.1


def test_probability_is_the_mean_over_tokens_not_the_geometric_one() -> None:
    logprobs = np.log(np.array([1.0, 0.5, 0.3], dtype=np.float32))
    assert mean_token_probability(logprobs) == pytest.approx(0.6, abs=1e-6)
