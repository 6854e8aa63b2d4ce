from emocal_rl.benchmarks.vecbench.sample_key import sample_keys
from emocal_rl.platform.data.vecbench import Prediction

LABELS = ("positive", "negative")


def prediction(name: str | None, image: str, line: int = 1, label: str = "positive", task: str = "FI-2") -> Prediction:
    row_id = f"file:{line}" if name is None else name
    return Prediction(row_id, (image,), "?", LABELS, label, task, "file.jsonl", line, response="x")


def keys(*predictions: Prediction, by_id: bool = True) -> list[tuple[object, ...]]:
    return list(sample_keys(predictions, by_id=by_id))


def test_an_own_id_is_all_there_is_to_know() -> None:
    assert keys(prediction("a", "x.png"), prediction("b", "x.png")) == [("a", 0), ("b", 0)]
    assert keys(prediction("a", "x.png"), by_id=False) == [("FI-2", "positive", "x.png", 0)]


def test_without_one_folders_and_spellings_do_not_count() -> None:
    here, there = prediction(None, "/data/x.png"), prediction(None, "s3://b/x.png", label="Positive", task="fi-2")
    assert keys(here) == keys(there) == [("FI-2", "positive", "x.png", 0)]
    assert keys(prediction(None, "x.png", label="negative")) != keys(here)  # FI's files are numbered within a label


def test_what_looks_alike_in_one_file_is_numbered() -> None:
    rows = [prediction(None, "x.png", 1), prediction(None, "y.png", 2), prediction(None, "x.png", 3)]
    assert [key[-2:] for key in keys(*rows)] == [("x.png", 0), ("y.png", 0), ("x.png", 1)]
