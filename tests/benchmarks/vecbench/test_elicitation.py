import itertools

import pytest

from emocal_rl.benchmarks.vecbench.elicitation import decisive_token

MIKELS8 = ("amusement", "awe", "contentment", "excitement", "anger", "disgust", "fear", "sadness")


def token_of(pieces: list[str], candidates: tuple[str, ...] = MIKELS8) -> str | None:
    """The decisive token of a response that is given token by token."""
    ends = list(itertools.accumulate(len(piece) for piece in pieces))
    index = decisive_token("".join(pieces), ends, "FI-8", candidates)
    return None if index is None else f"{index}:{pieces[index]}"


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        (["<answer>", "s", "adness", "</answer>"], "1:s"),  # nothing else begins with s
        (["<answer>", "a", "we", "</answer>"], "2:we"),  # amusement and anger share the a
        (["<answer>", "a", "w", "e", "</answer>"], "2:w"),
        (["<answer>", "awe", "</answer>"], "1:awe"),
        (["<answer>a", "ng", "er</answer>"], "1:ng"),
        (["<answer>awe</answer>"], "0:<answer>awe</answer>"),
        (["x", "<answer>", " \n", "A", "WE", " ", "</answer>"], "4:WE"),  # as `strict` reads it
        (["<answer>", "**", "fe", "ar", "**", "</answer>", "<confidence>0.5</confidence>", ""], "2:fe"),
        (["<answer>", "aw", "", "e</answer>"], "1:aw"),
    ],
)
def test_it_is_the_token_that_tells_the_answer_from_every_other_candidate(pieces: list[str], expected: str) -> None:
    assert token_of(pieces) == expected


def test_an_answer_that_begins_another_candidate_is_decided_by_its_end() -> None:
    candidates = ("joy", "joyful", "fear")
    assert token_of(["<answer>", "joy", "</", "answer>"], candidates) == "2:</"
    assert token_of(["<answer>", "joy", "ful", "</answer>"], candidates) == "2:ful"
    assert token_of(["<answer>", "fe", "ar", "</answer>"], candidates) == "1:fe"


def test_other_spellings_of_the_same_label_are_no_rivals() -> None:
    webemo = (
        "affection cheerfullness confusion contentment disappointment disgust enthrallment envy exasperation gratitude "
        "horror irritabilty lust neglect nervousness optimism pride rage relief sadness shame suffering surprise "
        "sympathy zest"
    )
    candidates = tuple(webemo.split())
    assert token_of(["<answer>", "c", "heer", "fulness", "</answer>"], candidates) == "2:heer"
    assert token_of(["<answer>", "su", "r", "prise", "</answer>"], candidates) == "2:r"  # suffering


@pytest.mark.parametrize(
    "pieces",
    [
        ["awe"],
        ["<answer>", "bliss", "</answer>"],
        ["<answer>", "", "</answer>"],
        ["<answer>awe</answer>", "<answer>fear</answer>"],
        ["<answer>", "awe"],
        ["<answer>", "awe or fear", "</answer>"],
    ],
)
def test_without_one_answer_nothing_is_decisive(pieces: list[str]) -> None:
    assert token_of(pieces) is None


def test_without_candidates_the_task_has_them() -> None:
    assert decisive_token("<answer>awe</answer>", [8, 9, 11, 20], "FI-8", ()) == 2
