"""`eval run` of the suites beyond VECBench, with scripted engines and a scripted judge in this process."""

import json
from collections.abc import Callable
from math import exp
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.actors.rollout.scripted import ScriptedEngine
from emocal_rl.actors.rollout.worker import RolloutWorker
from emocal_rl.benchmarks.suites.answer_files import read_answers
from emocal_rl.benchmarks.suites.registry import open_suite
from emocal_rl.benchmarks.suites.suite import Scoring
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutRequest
from emocal_rl.platform.errors import RunError, UserError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.inference.job import prepare, run
from emocal_rl.stages.inference.judging import read_score
from emocal_rl.stages.inference.output import Outcome

Configure = Callable[..., Config]


def single(number: int, kind: str, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "image_url": "face.png",
        "emotion_dict": "{'Joy': 39, 'Neutral': 37, 'Surprise': 33}",
        "valence": 6.0,
        "arousal": 4.0,
        "dominance": 6.0,
        "question": f"[s{number}] joy or not?",
        "question_type": kind,
        "correct_answer": "B",
        **more,
    }


@pytest.fixture
def eemo(tmp_path: Path, face_image: bytes) -> list[str]:
    """A perception question, a description and a pair, in two files."""
    (tmp_path / "images").mkdir()
    for name in ("face.png", "other.png"):
        (tmp_path / "images" / name).write_bytes(face_image)
    choice = {"options": "{'A': 'No.', 'B': 'Yes.'}", "perceptual_dimension": "Emotion perception"}
    free = {"describing_dimension": "Reasoning description", "correct_answer": "Joy, by the face."}
    pair = {"image1_url": "face.png", "image2_url": "other.png"}
    rows = {
        "single.json": [single(1, "Yes-or-No", **choice), single(2, "Open_ended", **free)],
        "pair.json": [{**single(3, "What/How", **choice), **pair}],
    }
    for name, content in rows.items():
        (tmp_path / name).write_text(json.dumps(content))
    return [str(tmp_path / name) for name in rows]


def says(request: RolloutRequest, _: int) -> str:
    task = request.sample.task
    if task == "ranking":
        return "[joy, neutral, surprise]"
    return "<answer>B</answer><confidence>0.8</confidence>" if task.startswith("perception") else "It looks happy."


def infer(config: Config, data: list[str], out: Path, bench: str = "eemo") -> Outcome:
    return run(prepare(config, bench, data, str(out)), SilentProgress())


@pytest.fixture
def use_model(use_pool: Any) -> Callable[[], Any]:
    def use() -> Any:
        pool = use_pool()
        pool.workers = [RolloutWorker("unused", Config(), ScriptedEngine(says))]
        return pool

    return use


def test_all_four_tasks_run_and_are_scored(
    eemo: list[str], tmp_path: Path, configure: Configure, use_model: Any
) -> None:
    pool = use_model()
    job = prepare(configure(sampling__temperature=0.5), "eemo", eemo, str(tmp_path / "out"))
    assert job.config.rollout.max_images == 2
    outcome = run(job, SilentProgress())
    levels = [request for request in pool.requests if request.sampling.first_words]
    assert [request.sample.task for request in levels] == [
        "assessment|valence", "assessment|arousal", "assessment|dominance"
    ]  # fmt: skip
    assert {(r.sampling.temperature, r.sampling.max_new_tokens) for r in levels} == {(1.0, 1)}
    assert {r.sampling.temperature for r in pool.requests if not r.sampling.first_words} == {0.5}
    (report,) = outcome.scores
    assert report["tables"]["Perception"]["Overall"]["accuracy"] == 1.0
    assert report["tables"]["Perception"]["Overall"]["mean_confidence"] == pytest.approx(0.8)
    assert report["tables"]["Ranking"]["Ranking"]["exact"] == 1.0
    assert report["tables"]["Description"]["Overall"] == {"score": None, "num_judged": 0, "num_samples": 1}
    assert report["tables"]["Assessment"]["Valence"]["num_read"] == 1
    rows = {row["id"]: row for row in map(json.loads, Path(outcome.predictions[0]).read_text().splitlines())}
    total = exp(-1) + exp(-2) + exp(-3)
    assert rows["valence-face.png"]["first_words"]["Neutral"] == pytest.approx(exp(-2) / total)
    assert {row["bench"] for row in rows.values()} == {"eemo"}
    assert (outcome.elicitation, outcome.num_failures) == ({}, 0)
    again = open_suite("eemo").report(read_answers(outcome.predictions, SilentProgress()), Scoring())
    assert again.to_dict() == json.loads(json.dumps(report))


def judged(configure: Configure, endpoint: Any, **more: Any) -> Config:
    settings = {"model": "wise", "base_url": endpoint.url, "api_key_env": "EMOCAL_TEST_KEY", "num_rounds": 3, **more}
    return configure(**{f"judge__{name}": value for name, value in settings.items()})


def test_a_judge_scores_descriptions_and_is_asked_once(
    eemo: list[str], tmp_path: Path, configure: Configure, use_model: Any, endpoint: Any
) -> None:
    use_model()
    replies = ["Score: 2", "I think it is fine\n**Score: 1**", "between 1 and 2"]
    endpoint.script = lambda _, __, before: endpoint.say(replies[before % 3])
    outcome = infer(judged(configure, endpoint, concurrency=1), eemo, tmp_path / "out")
    assert outcome.scores[0]["tables"]["Description"]["Overall"] == {
        "score": pytest.approx(0.75), "num_judged": 1, "num_samples": 1
    }  # fmt: skip
    assert [request["messages"][0]["content"][0]["type"] for request in endpoint.requests] == ["text"] * 3
    prompt = endpoint.requests[0]["messages"][0]["content"][0]["text"]
    assert all(text in prompt for text in ("[s2] joy or not?", "Joy, by the face.", "It looks happy."))
    again = infer(judged(configure, endpoint, concurrency=1), eemo, tmp_path / "out")
    assert (again.scores, len(endpoint.requests)) == (outcome.scores, 3)
    with pytest.raises(RunError, match=r"evaluation\.judge\.model was wise and is other"):
        infer(judged(configure, endpoint, model="other"), eemo, tmp_path / "out")


def test_a_judge_whose_budget_is_spent_scores_nothing_and_goes_on(
    eemo: list[str], tmp_path: Path, configure: Configure, use_model: Any, endpoint: Any
) -> None:
    use_model()
    endpoint.script = lambda *_: endpoint.say("Score: 2")
    with pytest.raises(UserError, match=r"evaluation\.judge\.max_requests = 2: is spent, 1 scores are open"):
        infer(judged(configure, endpoint, max_requests=2), eemo, tmp_path / "out")
    outcome = infer(judged(configure, endpoint, max_requests=3), eemo, tmp_path / "out")
    assert outcome.scores[0]["tables"]["Description"]["Overall"]["score"] == 1.0
    assert len(endpoint.requests) == 3


def test_a_judge_that_answers_nothing_ends_it_and_the_answers_stay(
    eemo: list[str], tmp_path: Path, configure: Configure, use_model: Any, endpoint: Any
) -> None:
    use_model()
    endpoint.script = lambda *_: endpoint.say("no", status=400)
    with pytest.raises(UserError, match=r"evaluation\.judge: 2 samples in a row were refused"):
        infer(judged(configure, endpoint, max_failures=2), eemo, tmp_path / "out")
    endpoint.script = lambda *_: endpoint.say("Score: 2")
    pool = use_model()
    outcome = infer(judged(configure, endpoint, max_failures=2), eemo, tmp_path / "out")
    assert pool.asked == []
    assert outcome.scores[0]["tables"]["Description"]["Overall"]["score"] == 1.0


@pytest.mark.parametrize(
    ("text", "score"),
    [
        ("Score: 2", 2), ("score:0.", 0), ("**Score: 1**", 1), ("Score: **2**", 2), ("1", 1), ("Good.\n\n2\n", 2),
        ("Score: 3", None), ("Score: 2/2", None), ("2 or 1", None), ("", None), ("Score:", None), ("Score: 1.5", None),
    ],
)  # fmt: skip
def test_a_score_is_read_and_never_guessed(text: str, score: int | None) -> None:
    assert read_score(text) == score


def test_an_endpoint_is_asked_for_first_words_only_where_it_may_tell_them(
    eemo: list[str], tmp_path: Path, configure: Configure, endpoint: Any
) -> None:
    top = [{"token": "Neutral", "logprob": -1.0, "bytes": None}, {"token": "The", "logprob": -0.5, "bytes": None}]
    token = {"token": "Neutral", "logprob": -1.0, "bytes": None, "top_logprobs": top}
    endpoint.script = lambda *_: endpoint.say("B", logprobs=[token])
    endpoint.respond = lambda request: endpoint.requests.append(request) or endpoint.script()

    def settings(**more: Any) -> Config:
        shared = {"model": "big", "base_url": endpoint.url, "api_key_env": "EMOCAL_TEST_KEY", **more}
        return configure(**{f"endpoint__{name}": value for name, value in shared.items()})

    without = prepare(settings(), "eemo", eemo, str(tmp_path / "without"))
    assert (len(without.questions), without.num_left_out) == (4, 3)
    outcome = infer(settings(logprobs=True), eemo, tmp_path / "with")
    wanted = [request for request in endpoint.requests if "top_logprobs" in request]
    assert [(r["top_logprobs"], r["max_completion_tokens"], r["logprobs"]) for r in wanted] == [(20, 1, True)] * 3
    rows = {row["id"]: row for row in map(json.loads, Path(outcome.predictions[0]).read_text().splitlines())}
    assert rows["valence-face.png"]["first_words"] == {"Positive": 0.0, "Neutral": 1.0, "Negative": 0.0}
    assert "first_words" not in rows["arousal-face.png"]  # neither High, Medium nor Low is among the likeliest


def test_mvei_asks_for_a_confidence_and_holds_it_against_the_truth(
    tmp_path: Path, face_image: bytes, configure: Configure, use_pool: Any
) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(face_image)
    statement = {"statement": "It evokes joy.", "label": "correct", "class": "scene context", "subclass": "none"}
    false = {**statement, "statement": "It evokes fear.", "label": "incorrect"}
    row = {"image_id": "a.png", "ov_emotion": ["joy"], "statement_list": [statement, false]}
    (tmp_path / "m.json").write_text(json.dumps([row]))
    pool = use_pool()
    reply = "<answer>Correct</answer><confidence>0.75</confidence>"
    pool.workers = [RolloutWorker("unused", Config(), ScriptedEngine(lambda *_: reply))]
    outcome = infer(configure(prompt="zero-shot-confidence"), [str(tmp_path / "m.json")], tmp_path / "out", "mvei")
    assert all("<confidence></confidence>" in request.sample.question for request in pool.requests)
    overall = outcome.scores[0]["tables"]["MVEI"]["Overall"]
    assert (overall["accuracy"], overall["yes_rate"], overall["ece"]) == (0.5, 1.0, pytest.approx(0.25))
    rows = [json.loads(line) for line in Path(outcome.predictions[0]).read_text().splitlines()]
    assert [row["confidence_ans"] for row in rows] == [1.0, 1.0]
