import pytest

from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.stages.synthesis.leakage import parts_naming_label

WEBEMO = TAXONOMIES["webemo25"].labels


@pytest.mark.parametrize(
    ("label", "text", "is_named"),
    [
        ("awe", "One is filled with AWE.", True),
        ("awe", "an awesome, awful, awed view", False),
        ("cheerfulness", "sheer cheerfullness!", True),  # as the released data spells it
        ("cheerfullness", "sheer cheerfulness!", True),
        ("joy", "enjoyable", False),
        ("positive", "a positive mood", True),
    ],
)
def test_the_label_or_an_alias_as_a_word(label: str, text: str, is_named: bool) -> None:
    candidates = WEBEMO if label.startswith("cheer") else (label, "other")
    sample = Sample("s", (), "?", candidates, label, "")
    assert parts_naming_label(sample, {"element": "a dog", "analysis": text}, REASONING_PARTS) == (
        ("analysis",) if is_named else ()
    )
    assert parts_naming_label(sample, {"element": "a dog", "analysis": text}, ("element", "human")) == ()


def test_other_candidates_may_be_named_and_labels_of_several_words_are_found() -> None:
    sample = Sample("s", (), "?", ("self-pity", "awe"), "self-pity", "")
    assert parts_naming_label(sample, {"human": "No awe, only Self Pity"}, ("human",)) == ("human",)
    assert parts_naming_label(sample, {"human": "awe of the self; pity"}, ("human",)) == ("human",)
    assert parts_naming_label(sample, {"human": "awe of the self. A pity"}, ("human",)) == ()
