import time

import pytest

from emocal_rl.platform.responses.repeated_tags import keep_last


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("<answer>a</answer>", "<answer>a</answer>"),
        ("<answer>a</answer><answer>b</answer>", "<answer>b</answer>"),
        (
            "1<answer>a</answer>2<confidence>.2</confidence>3<answer>b</answer>4<confidence>.9</confidence>5",
            "123<answer>b</answer>4<confidence>.9</confidence>5",
        ),
        ("<confidence>.1</confidence><confidence>.2", "<confidence>.1</confidence><confidence>.2"),
        ("<answer>a<answer>b</answer>", "<answer>a<answer>b</answer>"),
        ("</answer><answer>a</answer></answer>", "</answer><answer>a</answer></answer>"),
        ("<element>a</element><element>b</element>", "<element>a</element><element>b</element>"),
    ],
)
def test_the_last_pair_of_each_stays(text: str, kept: str) -> None:
    assert keep_last(text) == kept


@pytest.mark.parametrize("piece", ["<answer>", "</answer>", "<answer></answer>", "<confidence>1</confidence>x"])
def test_time_is_linear(piece: str) -> None:
    started = time.process_time()
    keep_last(piece * 100_000)
    assert time.process_time() - started < 2
