"""`eval run` with scripted engines in this process: what it asks, writes, refuses and resumes."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.benchmarks.vecbench.strict import score_strict
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.vecbench import read_predictions
from emocal_rl.platform.errors import DataError, ModelError, RunError, UserError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.inference.job import prepare, run
from emocal_rl.stages.inference.output import Outcome

NUM_ROWS = 8
Configure = Callable[..., Config]


def infer(config: Config, data: str, out: Path) -> Outcome:
    return run(prepare(config, "vecbench", [data], str(out)), SilentProgress())


def rows(path: Path | str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(path).read_text().splitlines()]


def test_rows_are_in_input_order_with_all_three_confidences(
    data: str, tmp_path: Path, configure: Configure, use_pool: Any
) -> None:
    use_pool()
    outcome = infer(configure(sampling__temperature=0.7), data, tmp_path / "out")
    assert outcome.predictions == (str(tmp_path / "out" / "predictions.jsonl"),)
    written = rows(outcome.predictions[0])
    assert [row["id"] for row in written] == [f"s{number}" for number in range(NUM_ROWS)]
    for row, asked in zip(written, rows(data), strict=True):
        stated = float(row["response"].split("<confidence>")[1].split("<")[0])
        assert (row["confidence"], row["confidence_ans"], row["confidence_avg"]) == (stated, 1.0, 1.0)
        # the scripted engine has a token for every byte, each certain; the part texts are of two bytes
        assert row["num_tokens"] == len(row["response"].encode()) + 1
        assert (row["finish_reason"], row["seed"]) == ("stop", 0)
        assert row["ground_truth"] == asked["ground_truth"]
    report = score_strict(read_predictions(outcome.predictions[0])).to_dict()
    assert outcome.scores[0]["overall"] == report["overall"]
    assert outcome.elicitation["verb"] == report["overall"]
    assert outcome.elicitation["avg"]["mean_confidence"] == 1.0
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["scores"][0]["overall"] == report["overall"]


def test_what_is_sampled_depends_on_the_evaluation_settings(
    data: str, tmp_path: Path, configure: Configure, use_pool: Any
) -> None:
    pool = use_pool()
    infer(configure(seed=5, sampling__temperature=0.7, sampling__max_new_tokens=99), data, tmp_path / "out")
    assert {(r.sampling.temperature, r.sampling.max_new_tokens, r.sampling.seed) for r in pool.requests} == {
        (0.7, 99, 5)
    }
    assert {r.sampling.num_responses for r in pool.requests} == {1}


@pytest.mark.parametrize("torn_bytes", [0, 1, 40])
def test_killed_three_times_it_ends_with_each_sample_once(
    data: str, tmp_path: Path, configure: Configure, use_pool: Any, torn_bytes: int
) -> None:
    use_pool()
    infer(configure(), data, tmp_path / "whole")
    out, asked = tmp_path / "broken", []
    for dies_after in (3, 0, 2):
        pool = use_pool(2, dies_after)
        with pytest.raises(KeyboardInterrupt):
            infer(configure(), data, out)
        assert not (out / "predictions.jsonl").exists()
        journal = out / "journal.jsonl"
        if pool.asked and torn_bytes:  # the last line was being written
            journal.write_bytes(journal.read_bytes()[:-torn_bytes])
            pool.asked.pop()
        asked += pool.asked
    done = prepare(configure(), "vecbench", [data], str(out)).num_done
    assert done == len(asked) == (3 if torn_bytes else 5)
    pool = use_pool(1)
    infer(configure(), data, out)
    assert sorted(asked + pool.asked) == [(f"s{number}", 0) for number in range(NUM_ROWS)]
    for name in ("predictions.jsonl", "summary.json"):
        whole = (tmp_path / "whole" / name).read_text().replace(str(tmp_path / "whole"), str(out))
        assert (out / name).read_text() == whole
    pool = use_pool(1)
    infer(configure(), data, out)
    assert pool.asked == []


def test_two_workers_write_what_one_writes(data: str, tmp_path: Path, configure: Configure, use_pool: Any) -> None:
    written = []
    for num_workers in (1, 2, 3):
        pool = use_pool(num_workers)
        outcome = infer(configure(), data, tmp_path / f"out{num_workers}")
        written.append(Path(outcome.predictions[0]).read_bytes())
        assert Counter(pool.asked) == Counter((f"s{number}", 0) for number in range(NUM_ROWS))
    assert written[0] == written[1] == written[2]


def test_repeats_have_seeds_and_files_of_their_own_and_more_of_them_continue(
    data: str, tmp_path: Path, configure: Configure, use_pool: Any
) -> None:
    use_pool()
    infer(configure(num_repeats=1), data, tmp_path / "out")
    pool = use_pool(2)
    outcome = infer(configure(num_repeats=3), data, tmp_path / "out")
    assert sorted(pool.asked) == sorted((f"s{number}", seed) for number in range(NUM_ROWS) for seed in (1, 2))
    assert [Path(path).name for path in outcome.predictions] == [f"predictions-seed{seed}.jsonl" for seed in range(3)]
    assert len(outcome.scores) == 3
    use_pool()
    other = infer(configure(seed=2), data, tmp_path / "other")
    assert Path(outcome.predictions[2]).read_bytes() == Path(other.predictions[0]).read_bytes()
    texts = [[row["response"] for row in rows(path)] for path in outcome.predictions]
    assert texts[0] != texts[1] != texts[2]


def test_a_subset_is_continued_by_a_larger_one(data: str, tmp_path: Path, configure: Configure, use_pool: Any) -> None:
    first, second = use_pool(), None
    outcome = infer(configure(max_samples=3), data, tmp_path / "out")
    assert outcome.scores[0]["overall"]["num_samples"] == len(first.asked) == 3
    second = use_pool()
    infer(configure(), data, tmp_path / "out")
    assert sorted(first.asked + second.asked) == [(f"s{number}", 0) for number in range(NUM_ROWS)]


def test_a_damaged_image_is_an_error_row_that_counts_as_wrong(
    data: str, tmp_path: Path, configure: Configure, use_pool: Any
) -> None:
    damaged = tmp_path / "images" / "3.png"
    damaged.write_bytes(damaged.read_bytes()[:120])
    pool = use_pool()
    outcome = infer(configure(), data, tmp_path / "out")
    assert len(pool.asked) == NUM_ROWS - 1
    row = rows(outcome.predictions[0])[3]
    assert row["original_data"]["id"] == "s3"
    assert "is truncated or corrupt" in row["error"]
    assert (outcome.num_failures, outcome.scores[0]["num_errors"]) == (1, 1)
    assert outcome.scores[0]["overall"]["num_samples"] == NUM_ROWS
    damaged.write_bytes((tmp_path / "images" / "2.png").read_bytes())
    pool = use_pool()
    assert infer(configure(), data, tmp_path / "out").num_failures == 0
    assert pool.asked == [("s3", 0)]


def test_base_models_get_a_question_of_their_own(
    data: str, tmp_path: Path, configure: Configure, use_pool: Any
) -> None:
    for prompt, asks in (("zero-shot", False), ("zero-shot-confidence", True)):
        pool = use_pool()
        outcome = infer(configure(prompt=prompt), data, tmp_path / prompt)
        (question,) = {request.sample.question for request in pool.requests}
        assert "['amusement', 'awe'," in question
        assert ("<answer></answer>" in question, "<confidence></confidence>" in question) == (True, asks)
        assert rows(outcome.predictions[0])[0]["conversations"][0]["content"][1]["text"] == question
    with pytest.raises(RunError, match=r"other settings: evaluation\.prompt was zero-shot and is trained"):
        prepare(configure(), "vecbench", [data], str(tmp_path / "zero-shot"))


def test_a_question_that_is_too_long_costs_itself_and_is_asked_again_with_a_longer_context(
    data: str, tmp_path: Path, configure: Configure, use_pool: Any
) -> None:
    config, out = configure(), tmp_path / "out"
    use_pool().too_long = {"s2"}
    outcome = infer(config, data, out)
    assert outcome.num_failures == 1
    assert [row.get("error") for row in rows(outcome.predictions[0])][2] == "s2: is too long."
    pool = use_pool()
    longer = config.rollout.model_copy(update={"max_model_len": 2 * config.rollout.max_model_len})
    assert infer(config.model_copy(update={"rollout": longer}), data, out).num_failures == 0
    assert [request.sample.id for request in pool.requests] == ["s2"]


def test_what_is_wrong_is_said_before_anything_starts(
    data: str, tmp_path: Path, configure: Configure, use_pool: Any
) -> None:
    pool, out = use_pool(), str(tmp_path / "out")
    config = configure()
    with pytest.raises(UserError, match=r"--model: must be given"):
        prepare(Config(), "vecbench", [data], out)
    missing = config.model.model_copy(update={"path": str(tmp_path / "none")})
    with pytest.raises(ModelError, match="no such directory"):
        prepare(config.model_copy(update={"model": missing}), "vecbench", [data], out)
    with pytest.raises(UserError, match="--data: must name the test files"):
        prepare(config, "vecbench", [], out)
    with pytest.raises(UserError, match="does not go with --bench synthvec"):
        prepare(config, "synthvec", [data], out)
    with pytest.raises(DataError, match=r"unique over all files; .*rows.jsonl:1 has it too"):
        prepare(config, "vecbench", [data, data], out)
    with pytest.raises(UserError, match="exists already and is not from `eval run`"):
        prepare(config, "vecbench", [data], str(tmp_path / "images"))
    with pytest.raises(UserError, match="must be a local folder"):
        prepare(config, "vecbench", [data], "s3://bucket/out")
    bare = {key: value for key, value in rows(data)[0].items() if key != "candidates"}
    (tmp_path / "bare.jsonl").write_text(json.dumps(bare) + "\n")
    with pytest.raises(DataError, match=r"bare.jsonl:1 candidates.*must list the labels"):
        prepare(config, "vecbench", [str(tmp_path / "bare.jsonl")], out)
    (tmp_path / "images" / "5.png").unlink()
    with pytest.raises(DataError, match=r"rows.jsonl:6 image.*there is no such file"):
        infer(config, data, Path(out))
    assert pool.asked == []


def test_without_a_folder_the_model_and_the_benchmark_name_it(
    data: str, tmp_path: Path, configure: Configure, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    named = f"{tmp_path.name}-model-vecbench"
    assert prepare(configure(), "vecbench", [data], None).files.folder == tmp_path / "predictions" / named
    zero = prepare(configure(prompt="zero-shot"), "vecbench", [data], None).files.folder
    assert zero.name == f"{named}-zero-shot"
    assert not (tmp_path / "predictions").exists()


def test_synthvec_is_made_and_scored_under_its_known_truth(
    tmp_path: Path, configure: Configure, use_pool: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    sizes = {"num_pretrain": 32, "num_reasoning": 32, "num_confidence": 32, "num_calibration": 16}
    sizes |= {"num_validation": 9, "num_test": 12, "num_test_ood": 9}
    config = configure()
    config = config.model_copy(update={"synthvec": config.synthvec.model_copy(update=sizes)})
    use_pool()
    outcome = run(prepare(config, "synthvec", [], str(tmp_path / "out")), SilentProgress())
    assert (outcome.scores[0]["overall"]["num_samples"], outcome.scores[0]["in_domain"]["overall"]["num_samples"]) == (
        21, 12
    )  # fmt: skip
    assert 0 < outcome.scores[0]["expected"]["accuracy"] < outcome.scores[0]["oracle"]["accuracy"] < 1
