import pytest

from emocal_rl.benchmarks.suites.reading_answers import answer_part, chosen_option, named_in_order

OPTIONS = {"A": "Neutral", "B": "Fear", "C": "Much higher.", "D": "Joy"}
EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")


@pytest.mark.parametrize(
    ("response", "letter"),
    [
        ("B", "B"),
        ("(B).", "B"),
        ("B: Fear", "B"),
        ("**B: Fear**", "B"),
        ("C) Much higher than in the first", "C"),
        ("A\n\nBecause of the colours.", "A"),
        ("The closest option would be:\n\nA: Neutral\n\nnone captures it.", "A"),
        ("Image 1: B: Fear. Image 2: B: Fear. Overall: B: Fear", "B"),
        ("Image 1: B: Fear. Image 2: A: Neutral.", None),
        ("A: Neutral, or perhaps B: Fear", "A"),  # it begins with its choice
        ("It evokes much HIGHER arousal", "C"),
        ("joy", "D"),
        ("joy and fear", None),
        ("enjoyable", None),
        ("A person looks happy", None),  # a word, not a letter
        ("", None),
        ("E", None),
        ("<think>B: Fear?</think><answer>D</answer><confidence>0.4</confidence>", "D"),
        ("<answer>B</answer> <answer>D</answer>", None),
    ],
)
def test_an_option_is_chosen_by_letter_or_text(response: str, letter: str | None) -> None:
    assert chosen_option(response, OPTIONS) == letter


def test_letters_may_be_pattern_characters() -> None:
    assert chosen_option("B", {"A": "a+(", "B": "[b"}) == "B"


def test_without_one_answer_part_all_is_read() -> None:
    assert answer_part("x <answer> y </answer> z") == "y"
    assert answer_part("x") == "x"
    assert answer_part("<answer>x") == "<answer>x"


@pytest.mark.parametrize(
    ("response", "named"),
    [
        ("[Joy, surprise, Neutral]", ("joy", "surprise", "neutral")),
        ("Of [anger, joy] I choose [fear, sadness, anger].", ("fear", "sadness", "anger")),
        ("Mostly sadness, then fear; again sadness.", ("sadness", "fear")),
        ("joyful", ()),
        ("[]", ()),
        ("<think>anger</think><answer>joy, fear</answer>", ("joy", "fear")),
    ],
)
def test_emotions_are_read_in_order(response: str, named: tuple[str, ...]) -> None:
    assert named_in_order(response, EMOTIONS) == named
