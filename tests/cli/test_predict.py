import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.errors import UserError
from emocal_rl.stages.inference import predict as inference
from emocal_rl.stages.inference.answer import Answer, Receive
from emocal_rl.stages.inference.question import Question


class MadeUpModel:
    """Sure of what it sees."""

    def answer(self, questions: Sequence[Question], receive: Receive) -> None:
        for question in questions:
            thought = "<element>a face</element><human>a smile</human><context>blue</context>"
            thought += "<interaction>at ease</interaction><analysis>[calm]</analysis>"
            said = f"<answer>{question.sample.candidates[1]}</answer><confidence>0.65</confidence>"
            receive(question, Answer(f"<think>{thought}</think>{said}", "stop"))


@pytest.fixture
def arguments(tmp_path: Path, face_image: bytes, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    @contextmanager
    def answering(*_: object) -> Iterator[MadeUpModel]:
        yield MadeUpModel()

    monkeypatch.setattr(inference, "answering", answering)
    monkeypatch.setattr(inference, "check_model", lambda _: {})
    (tmp_path / "a.png").write_bytes(face_image)
    return ["predict", str(tmp_path / "a.png"), "--model", "m"]


def printed(arguments: list[str], *more: str) -> str:
    result = CliRunner().invoke(app, [*arguments, *more], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


def test_answer_confidence_and_the_five_parts(arguments: list[str]) -> None:
    assert printed(arguments).splitlines() == [
        arguments[1],
        "  answer       awe",
        "  confidence   0.65",
        "  element      a face",
        "  human        a smile",
        "  context      blue",
        "  interaction  at ease",
        "  analysis     [calm]",
    ]


def test_it_abstains_below_min_confidence(arguments: list[str]) -> None:
    said = printed(arguments, "--min-confidence", "0.7", "--taxonomy", "polarity2").splitlines()
    assert said[1] == "  answer       abstains: not sure enough of negative (below 0.7)"
    assert printed(arguments, "--min-confidence", "0.65").splitlines()[1] == "  answer       awe"


def test_json_alone_on_standard_output(arguments: list[str]) -> None:
    (row,) = json.loads(printed(arguments, "--json", "--candidates", "calm, storm"))
    assert (row["answer"], row["confidence"], row["abstains"]) == ("storm", 0.65, False)
    assert row["parts"]["analysis"] == "[calm]"


def test_labels_and_questions_that_make_no_sense_are_refused(arguments: list[str]) -> None:
    for option, value, message in (
        ("--taxonomy", "mikels", "Did you mean 'mikels8'"),
        ("--candidates", "awe,Awe", "none twice"),
        ("--candidates", "awe", "two labels or more"),
        ("--candidates", "awe,,fear", "none empty"),
        ("--question", " ", "must ask something"),
    ):
        with pytest.raises(UserError, match=message):
            CliRunner().invoke(app, [*arguments, option, value], catch_exceptions=False)
