import json
import multiprocessing
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.vec_cot import read_vec_cot
from emocal_rl.platform.errors import ConfigError, DataError, UserError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.synthesis.construction import Construction, run
from emocal_rl.stages.synthesis.files import SynthesisFiles
from emocal_rl.stages.synthesis.output import Summary

Construct = Callable[[Config], Summary]


@pytest.fixture
def files(tmp_path: Path) -> SynthesisFiles:
    files = SynthesisFiles.at(str(tmp_path / "out" / "cot.jsonl"))
    files.folder.mkdir(parents=True)
    return files


@pytest.fixture
def construct(files: SynthesisFiles) -> Construct:
    return lambda config: run(Construction(config), files, SilentProgress())


def kept(files: SynthesisFiles, folder: Path) -> list[str]:
    return [demonstration.sample.id for demonstration in read_vec_cot(str(files.out), str(folder))]


def rejected(files: SynthesisFiles) -> list[dict[str, Any]]:
    return [json.loads(line) for line in files.rejected.read_text().splitlines()]


def test_kept_and_rejected_rows_in_the_order_of_the_pairs(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles, tmp_path: Path
) -> None:
    texts = {
        ("teacher", "s1"): ["<think>", "<think>"],
        ("teacher", "s2"): ["oh no", endpoint.reasoning("contentment")],
        ("teacher", "s3"): [endpoint.reasoning("excitement", "pure Excitement")],
        ("teacher", "s4"): [endpoint.reasoning("awe"), endpoint.reasoning("fear")],
        ("judge", "s5"): [endpoint.verdict(hallucination=True, logical_inconsistency=True, reason="no dog there")],
        ("judge", "s6"): ["fine by me", endpoint.verdict()],
        ("judge", "s7"): ["fine by me", "really"],
    }

    def script(role: str, sample_id: str, asked: int) -> Any:
        # The later a pair, the sooner it is answered.
        told = texts.get((role, sample_id))
        return endpoint.say(told[asked], delay_s=(10 - int(sample_id[1:])) / 50) if told else None

    endpoint.script = script
    prices = {"input_price": 10.0, "output_price": 100.0}
    summary = construct(configure(pairs(10), teacher=prices))

    assert kept(files, tmp_path) == ["s0", "s2", "s6", "s8", "s9"]
    assert [(row["id"], row["reasons"], row["detail"][:12]) for row in rejected(files)] == [
        ("s1", ["format"], "missing:thin"),
        ("s3", ["label_named"], "excitement i"),
        ("s4", ["wrong_answer"], "fear"),
        ("s5", ["hallucination", "logical_inconsistency"], "no dog there"),
        ("s7", ["unreadable_verdict"], "Expecting va"),
    ]
    audit = rejected(files)[3]
    assert audit["reasoning"]["analysis"] == "it moves"
    assert [reply["role"] for reply in audit["replies"]] == ["teacher", "judge"]
    assert (tmp_path / audit["images"][0]).name == "face.png"

    assert (summary.kept, summary.rejected, summary.open, summary.malformed) == (5, 5, 0, 5)
    assert summary.reasons == Counter(
        format=1, label_named=1, wrong_answer=1, unreadable_verdict=1, hallucination=1, logical_inconsistency=1
    )
    used = {"replies": 13, "prompt_tokens": 13_000, "completion_tokens": 1300}
    assert summary.usage["teacher"] == {**used, "cost": pytest.approx(0.13 + 0.13)}
    assert summary.usage["judge"]["replies"] == 9  # three were rejected without it, two were asked for again
    written = json.loads(files.summary.read_text())
    assert (written["kept"], written["reasons"]["format"], written["cost"]) == (5, 1, pytest.approx(0.26))

    first = next(iter(read_vec_cot(str(files.out), str(tmp_path))))
    assert first.response == endpoint.reasoning("amusement")
    assert (first.sample.question, first.sample.label, first.loss_spans) == ("[s0]", "amusement", None)


def test_the_same_command_again_asks_nothing_and_writes_the_same(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles
) -> None:
    config = configure(pairs(5))
    construct(config)
    written, asked = files.out.read_bytes(), len(endpoint.requests)
    assert construct(config).kept == 5
    assert files.out.read_bytes() == written
    assert len(endpoint.requests) == asked == 10


def test_a_trial_is_continued_and_changed_rows_are_asked_about_again(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles, tmp_path: Path
) -> None:
    path = pairs(6)
    construct(configure(path, max_samples=2, chunk_size=1))
    assert endpoint.asked == [("teacher", "s0"), ("judge", "s0"), ("teacher", "s1"), ("judge", "s1")]
    rows = Path(path).read_text().splitlines()
    rows[1] = rows[1].replace('"ground_truth": "awe"', '"ground_truth": "fear"')
    Path(path).write_text("\n".join(rows[:5]) + "\n")
    endpoint.asked.clear()
    construct(configure(path))
    assert Counter(endpoint.asked) == Counter((role, f"s{i}") for role in ("teacher", "judge") for i in (1, 2, 3, 4))
    assert kept(files, tmp_path) == ["s0", "s1", "s2", "s3", "s4"]


def test_the_cost_cap_holds_and_what_is_finished_is_written(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles, tmp_path: Path
) -> None:
    # 1,000 tokens in and 100 out cost 0.0011 at a price of 1; 200 out at worst cost 0.0012.
    prices = {"input_price": 1.0, "output_price": 1.0, "max_new_tokens": 200}
    config = configure(pairs(20), teacher=prices, judge=prices, chunk_size=4, max_cost=0.0125)
    summary = construct(config)
    assert (summary.is_budget_spent, summary.kept, summary.open) == (True, 4, 16)
    assert len(endpoint.requests) == 11
    assert summary.cost == pytest.approx(0.0121)
    assert kept(files, tmp_path) == ["s0", "s1", "s2", "s3"]

    assert construct(config).is_budget_spent
    assert len(endpoint.requests) == 11

    synthesis = config.synthesis.model_copy(update={"max_cost": 1.0})
    summary = construct(config.model_copy(update={"synthesis": synthesis}))
    assert (summary.is_budget_spent, summary.kept, summary.open) == (False, 20, 0)
    assert set(Counter(endpoint.asked).values()) == {1}


def test_the_request_cap_counts_both_roles(endpoint: Any, pairs: Any, configure: Any, construct: Construct) -> None:
    summary = construct(configure(pairs(10), max_requests=7, chunk_size=2))
    assert (len(endpoint.requests), summary.kept, summary.is_budget_spent) == (7, 3, True)


def test_a_sample_without_an_answer_stays_open_until_it_gets_one(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles, tmp_path: Path
) -> None:
    config = configure(pairs(4), judge={"max_retries": 1})
    endpoint.script = lambda role, sample_id, _: (
        endpoint.say(status=500) if (role, sample_id) == ("judge", "s1") else None
    )
    assert construct(config).open == 1
    assert kept(files, tmp_path) == ["s0", "s2", "s3"]
    endpoint.script = lambda *_: None
    endpoint.asked.clear()
    assert construct(config).open == 0
    assert endpoint.asked == [("judge", "s1")]
    assert kept(files, tmp_path) == ["s0", "s1", "s2", "s3"]


def test_an_endpoint_that_refuses_everything_is_told_from_refused_samples(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles, tmp_path: Path
) -> None:
    config = configure(pairs(6), max_failures=3)
    endpoint.script = lambda *_: endpoint.say("unknown parameter", status=400)
    with pytest.raises(UserError, match=r"3 samples in a row were refused or got no answer, .*unknown parameter"):
        construct(config)
    assert files.out.read_text() == ""
    assert json.loads(files.summary.read_text())["open"] == 6
    endpoint.script = lambda role, sample_id, _: (
        endpoint.say("a policy", status=400) if (role, sample_id) == ("teacher", "s2") else None
    )
    summary = construct(config)
    assert (summary.kept, summary.reasons) == (5, Counter(teacher_refused=1))
    assert "a policy" in rejected(files)[0]["detail"]


def test_what_is_wrong_is_said_before_anything_is_asked(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles
) -> None:
    path = pairs(2)
    with pytest.raises(ConfigError, match=r"synthesis.judge.model: must be set"):
        construct(configure(path, judge={"model": None}))
    with pytest.raises(UserError, match=r"synthesis.judge.api_key_env"):
        construct(configure(path, judge={"api_key_env": "NO_SUCH_KEY"}))
    row = {"query": "<image>[s0]", "response": "x", "images": ["face.png"], "ground_truth": "awe"}
    Path(path).write_text(json.dumps(row) + "\n")
    with pytest.raises(DataError, match=r"pairs.jsonl:1 candidates: must be there"):
        construct(configure(path))
    path = pairs(3)
    construct(configure(path))
    asked = len(endpoint.requests)
    with pytest.raises(UserError, match=r"synthesis.judge.temperature = 0.5: .*synthesis.judge.temperature = 0.0"):
        construct(configure(path, judge={"temperature": 0.5}))
    assert len(endpoint.requests) == asked


def test_whatever_a_kill_leaves_of_the_journal_the_same_command_finishes_the_same(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles
) -> None:
    texts = {("teacher", "s1"): ["oh no", endpoint.reasoning("awe")], ("judge", "s2"): ["hm", endpoint.verdict()]}
    endpoint.script = lambda role, sample_id, asked: (
        endpoint.say(texts[role, sample_id][asked]) if (role, sample_id) in texts else None
    )
    config = configure(pairs(3), teacher={"concurrency": 1}, judge={"concurrency": 1})
    construct(config)
    whole, written, asked = files.journal.read_bytes(), files.out.read_bytes(), list(endpoint.asked)
    for cut in range(10, len(whole), len(whole) // 5):
        files.journal.write_bytes(whole[:cut])
        num_lines = whole[:cut].count(b"\n")
        endpoint.asked[:] = asked[: max(0, num_lines - 1)]  # what the journal still knows was asked
        construct(config)
        assert endpoint.asked == asked
        assert files.out.read_bytes() == written


def test_killed_the_same_command_finishes_with_no_sample_lost_repeated_or_out_of_order(
    endpoint: Any, pairs: Any, configure: Any, construct: Construct, files: SynthesisFiles, tmp_path: Path
) -> None:
    count = 40
    config = configure(pairs(count), chunk_size=20)
    endpoint.script = lambda *_: endpoint.say(endpoint.verdict(), delay_s=0.02) if _[0] == "judge" else None
    process = multiprocessing.get_context("fork").Process(target=construct, args=(config,))
    process.start()
    deadline = time.monotonic() + 60
    while not files.journal.exists() or files.journal.read_bytes().count(b"\n") <= 28:
        assert process.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    process.join()
    lines = files.journal.read_bytes().split(b"\n")[1:-1]
    journaled = {(row["role"], row["sample_id"]) for row in map(json.loads, lines)}
    time.sleep(0.1)  # what is in flight ends
    endpoint.asked.clear()
    summary = construct(config)
    assert (summary.kept, summary.open) == (count, 0)
    assert kept(files, tmp_path) == [f"s{i}" for i in range(count)]
    everything = {(role, f"s{i}") for role in ("teacher", "judge") for i in range(count)}
    assert Counter(endpoint.asked) == Counter(everything - journaled)  # each once, and none that was answered before
    assert summary.usage["teacher"]["replies"] == summary.usage["judge"]["replies"] == count
