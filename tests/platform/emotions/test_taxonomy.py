import pytest

from emocal_rl.platform.emotions.taxonomy import (
    TASK_TAXONOMIES,
    TAXONOMIES,
    canonical_task,
    taxonomy_of_candidates,
    taxonomy_of_question,
    taxonomy_of_task,
)
from emocal_rl.platform.errors import DataError


def test_sizes():
    sizes = {name: len(taxonomy.labels) for name, taxonomy in TAXONOMIES.items()}
    assert sizes == {"mikels8": 8, "webemo7": 7, "webemo25": 25, "unbiased6": 6, "polarity2": 2}


def test_every_label_has_a_polarity_and_webemo25_a_parent_of_the_same_polarity():
    for taxonomy in TAXONOMIES.values():
        assert set(taxonomy.polarity) == set(taxonomy.labels)
        assert set(taxonomy.polarity.values()) == {"positive", "negative"}
    coarse, fine = TAXONOMIES["webemo7"], TAXONOMIES["webemo25"]
    assert set(fine.parents.values()) == set(coarse.labels)
    assert fine.parents["zest"] == "joy"
    assert all(fine.polarity[child] == coarse.polarity[parent] for child, parent in fine.parents.items())


@pytest.mark.parametrize(
    ("text", "label"),
    [("awe", "awe"), (" AWE. ", "awe"), ("**Awe**", "awe"), ("awesome", None), ("awe or fear", None), ("", None)],
)
def test_resolve_is_exact_after_normalising(text, label):
    assert TAXONOMIES["mikels8"].resolve(text) == label


def test_the_released_misspellings_are_the_same_labels():
    assert TAXONOMIES["webemo25"].resolve("Cheerfullness") == "cheerfulness"
    assert TAXONOMIES["webemo25"].resolve("irritabilty") == "irritability"


@pytest.mark.parametrize(
    ("alias", "task"),
    [
        ("ArtPhoto-8", "Artphoto-8"),
        ("UnbiasedEmo-8", "UnbiasedEmo-6"),
        ("UnbaisedEmo-6", "UnbiasedEmo-6"),
        ("EmoSet-6", "EmoSet-8"),
        ("webemo_25", "WebEmo-25"),
        ("Synth-8", "Synth-8"),
        ("other", "other"),
    ],
)
def test_task_aliases(alias, task):
    assert canonical_task(alias) == task


@pytest.mark.parametrize(
    ("task", "taxonomy"),
    [
        *TASK_TAXONOMIES.items(),
        ("Synth-8", "mikels8"),
        ("Synth-7", "webemo7"),
        ("Synth-2", "polarity2"),
        ("Synth-25", "webemo25"),
        ("Synth-6", "unbiased6"),
        ("SynthTexture-8", "mikels8"),
        ("SynthSketch-8", "mikels8"),
    ],
)
def test_the_taxonomy_of_a_task(task, taxonomy):
    assert taxonomy_of_task(task) is TAXONOMIES[taxonomy]


def test_an_unknown_task_names_the_nearest():
    with pytest.raises(DataError, match=r"task = 'EmoSte-8': .*Did you mean 'EmoSet-8'\?"):
        taxonomy_of_task("EmoSte-8")


def test_candidates_are_recognised_in_any_order_and_spelling():
    shuffled = [*TAXONOMIES["webemo25"].labels[::-1]]
    shuffled[shuffled.index("cheerfulness")] = "cheerfullness"
    assert taxonomy_of_candidates(shuffled) is TAXONOMIES["webemo25"]
    assert taxonomy_of_candidates(["Positive", "negative"]) is TAXONOMIES["polarity2"]
    assert taxonomy_of_candidates(["awe", "fear"]) is None
    assert taxonomy_of_candidates([]) is None


def test_the_candidates_of_a_question_decide_over_its_task():
    assert taxonomy_of_question("EmoSet-6", TAXONOMIES["unbiased6"].labels) is TAXONOMIES["unbiased6"]
    assert taxonomy_of_question("FI-8", ()) is TAXONOMIES["mikels8"]
    assert taxonomy_of_question("pets", ("self-pity", "cat")).resolve("Self pity!") == "self-pity"
