from collections.abc import Sequence
from pathlib import Path

import pytest

from emocal_rl.actors.rollout.scripted import ScriptedEngine
from emocal_rl.actors.rollout.token_ends import token_ends
from emocal_rl.platform.contracts import RolloutRequest, Sample, SamplingParameters


def decode_bytes(token_ids: Sequence[int]) -> str:
    return bytes(token_ids).decode(errors="replace")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("awe", [1, 2, 3]),
        ("é.", [0, 1, 2]),
        ("a\N{GRINNING FACE}b", [1, 1, 1, 1, 2, 3]),  # of four bytes
        ("", []),
    ],
)
def test_a_character_belongs_to_its_last_token(text: str, expected: list[int]) -> None:
    assert token_ends(list(text.encode()), decode_bytes).tolist() == expected


def test_bytes_that_are_no_text_are_made_up_for_by_the_next_token() -> None:
    broken = [97, 255, 98]
    assert decode_bytes(broken) == "a\N{REPLACEMENT CHARACTER}b"
    assert token_ends(broken, decode_bytes).tolist() == [1, 1, 3]


def test_a_real_tokenizer_whose_pieces_depend_on_what_is_before_them(tiny_policy: Path) -> None:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tiny_policy / "tokenizer.json"))
    text = "<think>Smiling – at “ease”</think><answer>awe</answer><confidence>0.75</confidence><|im_end|>"
    token_ids = tokenizer.encode(text, add_special_tokens=False).ids

    def decode(some: Sequence[int]) -> str:
        return str(tokenizer.decode(some, skip_special_tokens=False))

    assert decode(token_ids) == text
    ends = token_ends(token_ids, decode).tolist()
    assert ends[-1] == len(text)
    for index, end in enumerate(ends):
        known = decode(token_ids[: index + 1])
        if not known.endswith("\N{REPLACEMENT CHARACTER}"):
            assert end == len(known)


def test_an_engine_tells_them_only_where_asked() -> None:
    sample = Sample("s", (), "?", ("awe",), "awe", "FI-8")
    engine = ScriptedEngine(lambda *_: "né")
    for wanted in (True, False):
        request = RolloutRequest(sample, (), SamplingParameters(1, 1.0, 9, token_ends=wanted))
        ((_, group),) = engine.generate([request], 0)
        ends = group.responses[0].token_ends
        assert (ends is None) if not wanted else (ends is not None and ends.tolist() == [1, 1, 2, 2])
