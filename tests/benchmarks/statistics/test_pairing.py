import pytest

from emocal_rl.benchmarks.statistics.pairing import pair_predictions
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import DataError

LABELS = ("positive", "negative")


def predictions(file, *names, own_id=True, label="positive", task="FI-2"):
    return [
        Prediction(
            name if own_id else f"{file}:{line}",
            (f"/data/{file}/{name}.png",),
            f"How sure is {file}?",
            LABELS,
            label,
            task,
            f"{file}.jsonl",
            line,
            response="<answer>positive</answer>",
        )
        for line, name in enumerate(names, start=1)
    ]


def images(pairs):
    return [tuple(prediction.images[0].removeprefix("/data/") for prediction in pair) for pair in pairs]


@pytest.mark.parametrize("own_id", [True, False])
def test_samples_are_matched_in_any_order(own_id):
    pairs = pair_predictions(
        predictions("one", "a", "b", "c", own_id=own_id), predictions("two", "c", "a", "b", own_id=own_id)
    )
    assert images(pairs) == [("one/a.png", "two/a.png"), ("one/b.png", "two/b.png"), ("one/c.png", "two/c.png")]


def test_an_image_that_is_asked_about_twice_is_two_samples():
    first = predictions("one", "a", "a", own_id=False) + predictions("one", "a", own_id=False, task="WebEmo-2")
    second = predictions("two", "a", own_id=False, task="webemo-2") + predictions("two", "a", "a", own_id=False)
    pairs = pair_predictions(first, second)
    assert [(one.task, one.line, other.line) for one, other in pairs] == [
        ("FI-2", 1, 1),
        ("FI-2", 2, 2),
        ("WebEmo-2", 1, 1),
    ]


@pytest.mark.parametrize("swapped", [False, True])
def test_samples_of_one_file_only_are_named(swapped):
    files = [predictions("one", *"abcdefg"), predictions("two", "b", "c")]
    with pytest.raises(
        DataError, match=r"^one\.jsonl: 5 of its samples are not in two\.jsonl: a, d, e and 2 more\. Give two files"
    ):
        pair_predictions(*(files[::-1] if swapped else files))


def test_without_ids_they_are_named_by_line_and_image():
    with pytest.raises(DataError, match=r"1 of its samples are not in two\.jsonl: line 2 \(FI-2, /data/one/b\.png\)\."):
        pair_predictions(predictions("one", "a", "b", own_id=False), predictions("two", "a", own_id=False))


def test_one_sample_has_one_label_and_task():
    with pytest.raises(
        DataError, match=r"one\.jsonl:1 ground_truth = 'positive': .* two\.jsonl:1, which has 'negative'"
    ):
        pair_predictions(predictions("one", "a"), predictions("two", "a", label="negative"))
    with pytest.raises(DataError, match=r"one\.jsonl:1 task = 'FI-2': .* two\.jsonl:1, which has 'WebEmo-2'"):
        pair_predictions(predictions("one", "a"), predictions("two", "a", task="WebEmo-2"))
    assert len(pair_predictions(predictions("one", "a"), predictions("two", "a", label="Positive", task="fi-2"))) == 1
