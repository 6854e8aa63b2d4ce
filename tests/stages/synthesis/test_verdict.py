import json

import pytest

from emocal_rl.stages.synthesis.verdict import VERDICT_SCHEMA, read_verdict

GOOD = {"hallucination": False, "label_leakage": False, "logical_inconsistency": False, "reason": ""}


def test_faults_come_out_by_name_with_the_judges_words() -> None:
    assert read_verdict(json.dumps(GOOD)) == ((), "")
    found = {**GOOD, "logical_inconsistency": True, "hallucination": True, "reason": " no dog "}
    assert read_verdict(json.dumps(found)) == (("hallucination", "logical_inconsistency"), "no dog")
    assert read_verdict(f"\n```json\n{json.dumps(GOOD)}\n```\n") == ((), "")
    assert set(VERDICT_SCHEMA["required"]) == set(GOOD)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value"),
        ("It is fine. " + json.dumps(GOOD), "Expecting value"),
        (json.dumps(GOOD) + " Done.", "Extra data"),
        (json.dumps([GOOD]), "a list instead of an object"),
        (json.dumps({**GOOD, "score": 1}), "its members are"),
        (json.dumps({key: GOOD[key] for key in list(GOOD)[:3]}), "its members are"),
        (json.dumps({**GOOD, "hallucination": "false"}), "of another type"),
        (json.dumps({**GOOD, "hallucination": 0}), "of another type"),
        (json.dumps({**GOOD, "reason": None}), "of another type"),
        (json.dumps(GOOD)[:-1] + ', "hallucination": true}', "twice"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_anything_else_is_unreadable(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        read_verdict(text)
