import io

import pytest
from PIL import Image

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.platform.data.lengths import count_words, token_counter
from emocal_rl.platform.data.sources import column_order, source_of, source_pattern
from emocal_rl.platform.data.statistics import measure_stage, summarize
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.errors import DataError, ModelError
from emocal_rl.platform.progress import SilentProgress


def sample(index, task="FI-8", label="awe", image="memory://statistics/a.png"):
    return Sample(str(index), (image,), "Which one?", ("awe", "fear"), label, task)


def test_summaries():
    assert summarize(range(101)) == {"count": 101, "min": 0, "p5": 5, "median": 50, "mean": 50, "p95": 95, "max": 100}
    assert summarize([]) is None


def test_a_file_is_measured(tmp_path):
    file = io.BytesIO()
    Image.new("RGB", (40, 30)).save(file, "PNG")
    (tmp_path / "a.png").write_bytes(file.getvalue())
    rows = [
        DemonstrationSample(sample(1, image=f"{tmp_path}/a.png"), "one two three"),
        DemonstrationSample(sample(2, "WebEmo-2", "fear", image=f"{tmp_path}/none.png"), "one"),
        sample(3, "", image=f"{tmp_path}/a.png"),
    ]
    from emocal_rl.platform.data.jsonl import write_jsonl
    from emocal_rl.platform.data.vec_cot import vec_cot_row

    url = str(tmp_path / "vec-cot-1.jsonl.gz")
    write_jsonl(url, map(vec_cot_row, rows))
    stage = measure_stage(url, SilentProgress(), count_words, limits=ImageLimits())
    assert (stage.name, stage.num_rows, stage.num_images) == ("vec-cot-1", 3, 3)
    assert stage.sources == {"FI-8": 1, "WebEmo-2": 1, "(no task)": 1}
    assert stage.labels == {"FI-8": {"awe": 1}, "WebEmo-2": {"fear": 1}, "(no task)": {"awe": 1}}
    assert (list(stage.question_lengths), list(stage.response_lengths)) == ([2, 2, 2], [3, 1])
    assert list(stage.pixels) == [1200, 1200]
    unopened = measure_stage(url, SilentProgress(), count_words)
    assert (list(unopened.pixels), unopened.digest) == ([], stage.digest)
    assert stage.to_dict()["response_length"] == summarize([1, 3])


def test_tokens(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"a": 0, "b": 1, "?": 2}, unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    for path in (tmp_path, tmp_path / "tokenizer.json"):
        assert token_counter(str(path))(["abc", "", "b"]) == [3, 0, 1]
    with pytest.raises(ModelError, match="--tokenizer"):
        token_counter(str(tmp_path / "none"))


def test_sources():
    assert source_of(sample(1, "UnbaisedEmo-6")) == "UnbiasedEmo-6"
    pattern = source_pattern("/([^/]+)/images/")
    assert source_of(sample(1, image="/data/EmoSet/images/1.jpg"), pattern) == "EmoSet"
    assert source_of(sample(1, image="/data/1.jpg"), pattern) == "(no match)"
    assert source_of(sample(1, image="data:image/png;base64,/a/images/"), pattern) == "(no match)"
    assert column_order({"FI-2", "SynthFI-2", "EmoSet-8", "A"}) == ["EmoSet-8", "FI-2", "A", "SynthFI-2"]
    for text, rule in (("(", "must be a regular expression"), ("a", "exactly one group")):
        with pytest.raises(DataError, match=rule):
            source_pattern(text)


def test_a_malformed_row_stops_it():
    write_vec_cot("memory://statistics/same.jsonl", [DemonstrationSample(sample(1), "r")] * 2)
    with pytest.raises(DataError, match=r"same.jsonl:2 id"):
        measure_stage("memory://statistics/same.jsonl", SilentProgress(), count_words)
