import pytest

from emocal_rl.platform.contracts import ParsedResponse, Sample
from emocal_rl.platform.errors import DataError
from emocal_rl.rewards.correctness import correctness
from emocal_rl.rewards.registry import RewardInput

MIKELS = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")


def answered(answer, label="amusement", candidates=MIKELS, *, correct=False):
    sample = Sample("s", (), "Q?", candidates, label, "FI-8")
    return RewardInput(sample, "", ParsedResponse({}, answer, 0.5, None, True), correct, "stop")


def test_right_is_one_and_wrong_is_zero():
    assert correctness(answered("amusement", correct=True)) == 1.0
    assert correctness(answered("contentment")) == 0.0


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("Contentment.", 0.5 * (1 - 2 * 0.0808)),  # d = 1 - .9192
        ("anger", 0.5 * (1 - 2 * 0.2371)),
        ("sadness", 0.5 * (1 - 2 * 0.4697)),
        ("joy", 0.0),  # no label of the taxonomy
        (None, 0.0),
    ],
)
def test_a_wrong_answer_earns_credit_by_its_distance_on_the_ring(answer, value):
    assert correctness(answered(answer), ring_credit=0.5) == pytest.approx(value, rel=1e-9)


def test_a_right_answer_earns_no_more_than_one():
    assert correctness(answered("amusement", correct=True), ring_credit=0.5) == 1.0


def test_labels_without_a_ring_are_an_error_and_not_zero():
    with pytest.raises(DataError, match=r"only mikels8, webemo7.* have a ring"):
        correctness(answered("calm", "self-pity", ("self-pity", "calm")), ring_credit=0.5)
