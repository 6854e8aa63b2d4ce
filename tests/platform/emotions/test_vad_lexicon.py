import re
from pathlib import Path

import pytest

from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.platform.emotions.vad_lexicon import read_vad_points, spellings_of
from emocal_rl.platform.errors import DataError

WORDS = {"joy": ("joy",), "fear": ("fear",)}
POINTS = {"joy": (0.98, 0.5, -0.25), "fear": (0.125, 0.75, 0.0)}


@pytest.mark.parametrize(
    "text",
    [
        "term\tvalence\tarousal\tdominance\naback\t0\t0\t0\njoy\t0.98\t0.5\t-0.25\nfear\t0.125\t0.75\t0\n",
        "Word\tValence\tArousal\tDominance\r\nJoy\t0.98\t0.5\t-0.25\r\nfear\t0.125\t0.75\t0\r\n",
        "\ufeffWord,Valence,Arousal,Dominance\nfear,0.125,0.75,0\njoy,0.98,0.5,-0.25\n",
        ",word,arousal,valence,dominance,note\n0,fear,0.75,0.125,0,\n1,joy,0.5,0.98,-0.25,x\n",
        "joy\t0.98\t0.5\t-0.25\nfear\t0.125\t0.75\t0",
        "term\tvalence\tarousal\tdominance\nin fear of\t0\t0\t0\nshort\n"
        "fear\t.125\t.75\t0\njoy\t0.98\t0.5\t-0.25\njoy\t0\t0\t0\n",
    ],
    ids=["v2.1", "v1, CRLF", "CSV with a byte order mark", "other columns", "no header", "phrases, a repeated word"],
)
def test_both_versions_and_their_conversions_are_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_bytes(text.encode())
    assert read_vad_points(str(path), WORDS) == POINTS


def test_missing_words_are_all_named_in_one_message(tmp_path: Path) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_text("term\tvalence\tarousal\tdominance\njoy\t0\t0\t0\n")
    with pytest.raises(DataError) as caught:
        read_vad_points(str(path), spellings_of(TAXONOMIES["webemo7"], {"love": "loving"}))
    assert caught.value.rule == "lacks 6 of the 7 words: loving, surprise, confusion, sadness, anger, fear"
    assert "--word LABEL=WORD" in caught.value.fix


def test_a_label_is_found_under_another_spelling_or_a_stand_in(tmp_path: Path) -> None:
    spellings = spellings_of(TAXONOMIES["webemo25"], {"zest": "gusto"})
    assert spellings["cheerfulness"] == ("cheerfulness", "cheerfullness")
    assert spellings["enthrallment"] == ("enthrallment", "enthralment")
    assert spellings["zest"] == ("gusto",)
    path = tmp_path / "lexicon.csv"
    lines = [f"{words[-1]},0.1,0.2,0.3" for words in spellings.values()] + ["cheerfulness,0.9,0.2,0.3"]
    path.write_text("word,valence,arousal,dominance\n" + "\n".join(lines))
    points = read_vad_points(str(path), spellings)
    assert points["enthrallment"] == (0.1, 0.2, 0.3)
    assert points["cheerfulness"] == (0.9, 0.2, 0.3)  # the label's own spelling comes first


@pytest.mark.parametrize(
    ("text", "key", "rule"),
    [
        ("word\tvalence\n", ":1", "must be lines of word, valence, arousal, dominance"),
        ("joy\n", ":1", "must be lines of word"),
        ("", ":1", "must be lines of word"),
        ("term\tvalence\tarousal\tdominance\njoy\t0\tmuch\t0\n", ":2 arousal", "must be a number in [-1, 1]"),
        ("term\tvalence\tarousal\tdominance\njoy\t7.4\t0\t0\n", ":2 valence", "must be a number in [-1, 1]"),
        ("term\tvalence\tarousal\tdominance\njoy\tnan\t0\t0\n", ":2 valence", "must be a number in [-1, 1]"),
    ],
)
def test_what_is_no_lexicon_is_one_message(tmp_path: Path, text: str, key: str, rule: str) -> None:
    path = tmp_path / "lexicon.txt"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(rule)) as caught:
        read_vad_points(str(path), WORDS)
    assert caught.value.key == f"{path}{key}"


def test_a_lexicon_that_is_not_there() -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_vad_points("/nowhere/lexicon.txt", WORDS)
