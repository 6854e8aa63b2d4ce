import gzip
import json
from pathlib import Path

import pytest

from emocal_rl.benchmarks.suites.json_rows import literal_dict, number, one_of, read_json_rows
from emocal_rl.platform.data.rows import Row
from emocal_rl.platform.errors import DataError, UserError


def row(**value: object) -> Row:
    return Row("f.json", 7, value, None)


def test_a_list_jsonl_and_compressed_are_read_alike(tmp_path: Path) -> None:
    rows = [{"a": 1}, {"a": 2}]
    (tmp_path / "x.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(rows, indent=2).encode())
    (tmp_path / "x.json.gz").write_bytes(gzip.compress(json.dumps(rows).encode()))
    (tmp_path / "x.jsonl").write_text("".join(json.dumps(each) + "\n" for each in rows))
    for name in ("x.json", "x.json.gz", "x.jsonl"):
        found = list(read_json_rows([str(tmp_path / name)], "b", None))
        assert [(each.line, each.value["a"]) for each in found] == [(1, 1), (2, 2)]
        assert found[0].image("image", "i.png") == str(tmp_path / "images" / "i.png")
    (moved, _) = read_json_rows([str(tmp_path / "x.json")], "b", "/data")
    assert moved.image("image", "i.png") == "/data/i.png"
    with pytest.raises(DataError, match="must lie in the image root"):
        moved.image("image", "../i.png")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "must be a list of rows, not a dict"),
        ("[]", "not an empty list"),
        ("[1", "must be JSON: Expecting"),
        ("[" * 100_000, "must be JSON: maximum recursion"),
        ('[{"a": 1}, 3]', r"x\.json:2 row = 3: must be a JSON object"),
    ],
)
def test_what_is_no_list_of_objects_is_named(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(DataError, match=message):
        list(read_json_rows([str(tmp_path / "x.json")], "b", None))


def test_no_file_names_the_way_out() -> None:
    with pytest.raises(UserError, match=r"--data: must name the files of mvei\. .*synthvec suite BENCH --out DIR"):
        list(read_json_rows([], "mvei", None))


def test_a_dict_may_be_text_and_is_never_evaluated() -> None:
    assert literal_dict(row(o="{'A': 'No.', 'B': \"It's\"}"), "o") == {"A": "No.", "B": "It's"}
    assert literal_dict(row(o={"A": "x"}), "o") == {"A": "x"}
    assert literal_dict(row(o=" {'Joy': 39} "), "o") == {"Joy": 39}


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("{'A': __import__('os').system('true')}", "must be the text of a Python dict"),
        ("{'A': 'x'", "must be the text of a Python dict"),
        ("{'A': " * 3000, "must be of at most 10,000 characters"),
        ("[" * 5000, "must be the text of a Python dict"),
        ("{'A': 'x'}" + " " * 10_000, "must be of at most 10,000 characters"),
        ("\0", "must be the text of a Python dict"),
        ("['A']", "must be an object, or the text of one, of 1 to 26 entries"),
        ("{}", "of 1 to 26 entries"),
        (str(dict.fromkeys(map(str, range(27)), "x")), "of 1 to 26 entries"),
        ("{1: 'x'}", "must have texts as keys"),
        (None, "must be an object"),
        (5, "must be an object"),
    ],
)
def test_any_other_text_is_refused_by_row(text: object, rule: str) -> None:
    with pytest.raises(DataError, match=r"^f\.json:7 o.*" + rule.replace("(", r"\(")):
        literal_dict(row(o=text), "o")


def test_numbers_and_words() -> None:
    assert (number(row(v=3), "v", 1, 9), one_of(row(k="correct "), "k", ("Correct", "Incorrect"))) == (3.0, "Correct")
    for value in ("3", True, None, 9.5, float("nan")):
        with pytest.raises(DataError, match=r"f\.json:7 v.*must be a number from 1 to 9"):
            number(row(v=value), "v", 1, 9)
    with pytest.raises(DataError, match="must be one of: Correct, Incorrect"):
        one_of(row(k="right"), "k", ("Correct", "Incorrect"))
