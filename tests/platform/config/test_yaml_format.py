import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from emocal_rl.platform.config.yaml_format import dump_yaml, parse_mapping, parse_value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-4", 1e-4), ("1E3", 1000.0), (".5", 0.5), ("1.", 1.0), ("-2", -2), ("+3", 3), ("50_000_000", 50_000_000),
        ("0", 0), ("010", "010"), ("0x10", "0x10"), ("1:30", "1:30"), ("2024-01-01", "2024-01-01"), ("on", "on"),
        ("yes", "yes"), ("No", "No"), ("true", True), ("False", False), ("null", None), ("~", None), ("", None),
        ("'1'", "1"), ("[a, 1]", ["a", 1]), ("1.2.3", "1.2.3"), ("-", "-"),
    ],
)  # fmt: skip
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    if text == "-":
        assert parse_value(text) == [None]
    else:
        parsed = parse_value(text)
        assert parsed == value
        assert type(parsed) is type(value)


def test_keys_stay_text_and_lines_are_known() -> None:
    document = parse_mapping("on:\n  1: x\n  null: y\n", "f.yaml")
    assert document.values == {"on": {"1": "x", "null": "y"}}
    assert document.lines == {("on",): 1, ("on", "1"): 2, ("on", "null"): 3}


scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()


@given(st.dictionaries(st.text(min_size=1), scalars | st.lists(scalars), max_size=4))
def test_what_is_dumped_is_read_back(values: dict[str, object]) -> None:
    assert parse_mapping(dump_yaml(values), "f").values == values


@given(st.text())
def test_other_yaml_readers_see_the_same_text(text: str) -> None:
    assert yaml.safe_load(dump_yaml({"a": text})) == {"a": text}
