import os
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest

from emocal_rl.actors.reward.scoring_process import ScoringProcess
from emocal_rl.actors.reward.worker import RewardWorker
from emocal_rl.platform.config.reward import AdvantageConfig, LossConfig, RewardConfig
from emocal_rl.platform.contracts import REASONING_PARTS, Response, RolloutGroup, Sample
from emocal_rl.platform.errors import RewardError
from emocal_rl.platform.responses.grammar import render_response

SAMPLE = Sample("s", (), "?", ("awe", "fear"), "awe", "FI-8")
PARTS = dict.fromkeys(REASONING_PARTS, "x")


def group(*texts: str) -> RolloutGroup:
    tokens = np.arange(3, dtype=np.int32)
    responses = tuple(Response(text, tokens, -tokens.astype(np.float32), "stop", 7) for text in texts)
    return RolloutGroup(SAMPLE, (), tokens, responses)


def answered(answer: str, confidence: str) -> str:
    return render_response(PARTS, answer, confidence)


@pytest.fixture
def start() -> Iterator[object]:
    workers: list[RewardWorker] = []

    def start_worker(
        search_path: Path | str = "",
        advantage: AdvantageConfig | None = None,
        loss: LossConfig | None = None,
        **config: object,
    ) -> RewardWorker:
        reward = RewardConfig.model_validate(config)
        worker = RewardWorker(reward, advantage or AdvantageConfig(), str(search_path), loss)
        workers.append(worker)
        return worker

    yield start_worker
    for worker in workers:
        worker.close()


def plugin(folder: Path, body: str) -> str:
    (folder / "my_reward.py").write_text(f"import os, time\n\ndef rule(x):\n{body}\n")
    return "my_reward:rule"


def test_terms_totals_and_advantages_of_a_group(start) -> None:
    scored = start().score(group(answered("awe", "0.8"), answered("fear", "0.8")))
    right, wrong = scored.rewarded
    assert right.terms == pytest.approx({"format": 1, "correctness": 1, "confidence": np.log(0.8)})
    assert wrong.terms == pytest.approx({"format": 1, "correctness": 0, "confidence": np.log(0.2)})
    half = (2 + np.log(0.8) - 1 - np.log(0.2)) / 2
    assert scored.advantages == pytest.approx((half, -half))
    assert (scored.num_tokens, scored.prompt_tokens, scored.weight_versions) == ((3, 3), 3, (7, 7))
    assert scored.num_unmasked == 2


def test_a_kl_penalty_is_a_term_of_its_own_before_the_advantages(start) -> None:
    loss = LossConfig(kl_placement="reward", kl_coefficient=0.5, kl_estimator="k1")
    worker = start(loss=loss)
    responses = group(answered("awe", "0.8"), answered("awe", "0.8"))  # sampled log-probs 0, -1, -2
    reference = [np.array([0.0, -1.0, -2.0], np.float32), np.array([-1.0, -1.5, -4.0], np.float32)]
    scored = worker.score(responses, reference)
    assert [response.terms["kl"] for response in scored.rewarded] == [0.0, -0.5 * 3.5]
    assert [response.total for response in scored.rewarded] == pytest.approx([2 + np.log(0.8), 0.25 + np.log(0.8)])
    assert scored.advantages == pytest.approx((0.875, -0.875))


def test_a_kl_penalty_that_is_not_finite_masks_the_response(start) -> None:
    worker = start(loss=LossConfig(kl_placement="reward"))
    reference = [np.array([np.nan, 0, 0], np.float32), np.zeros(3, np.float32)]
    scored = worker.score(group(answered("awe", "0.8"), answered("fear", "0.8")), reference)
    assert [response.masked for response in scored.rewarded] == ["non-finite", None]


def test_terms_are_normalised_one_by_one_by_their_weights(start) -> None:
    advantage = AdvantageConfig(estimator="per-term", normalize=True, epsilon=0.0)
    worker = start(advantage=advantage, confidence={"rule": "brier", "weight": 3.0}, correctness={"weight": 2.0})
    scored = worker.score(group(answered("awe", "0.8"), answered("fear", "0.8")))
    half = (2 + 3) / np.sqrt(2)  # the format is the same in both
    assert scored.advantages == pytest.approx((half, -half))


def test_a_server_that_is_not_there_masks_the_whole_group(start) -> None:
    rule = {"rule": "http://127.0.0.1:9/score", "invalid": -1.0, "params": {"retries": 0, "timeout_s": 2.0}}
    scored = start(confidence=rule).score(group(answered("awe", "0.8"), answered("fear", "0.8"), "no confidence"))
    unasked = scored.rewarded[2]
    assert [response.masked is None for response in scored.rewarded] == [False, False, True]
    assert "Connection refused" in str(scored.rewarded[0].masked)
    assert unasked.total == -1.0


def test_a_plugin_that_raises_masks_its_response_and_only_that(start, tmp_path: Path) -> None:
    rule = plugin(tmp_path, "    if 'fear' in x.text: raise ValueError('no idea')\n    return 0.5")
    worker = start(tmp_path, confidence={"rule": rule, "invalid": "zero"})
    scored = worker.score(group(answered("awe", "0.8"), answered("fear", "0.8"), answered("awe", "0.1")))
    assert [response.masked for response in scored.rewarded] == [None, "error: ValueError: no idea", None]
    assert scored.advantages == (0.0, 0.0, 0.0)  # the two that count earn the same
    assert scored.zero_variance


def test_a_hanging_plugin_is_killed_at_the_deadline_and_scoring_goes_on(start, tmp_path: Path) -> None:
    rule = plugin(tmp_path, "    if 'fear' in x.text: time.sleep(60)\n    return 0.5")
    worker = start(tmp_path, confidence={"rule": rule, "invalid": "zero"}, timeout_s=0.5)
    (before,) = worker.process_ids()
    started = time.monotonic()
    scored = worker.score(group(answered("fear", "0.8"), answered("awe", "0.8")))
    assert time.monotonic() - started < 30
    assert [response.masked for response in scored.rewarded] == ["timeout: no reward within 0.5 s", None]
    assert worker.process_ids() != [before]
    assert not psutil.pid_exists(before)


def test_a_killed_process_costs_a_retry_and_no_response(start) -> None:
    worker = start()
    os.kill(worker.process_ids()[0], signal.SIGKILL)
    scored = worker.score(group(answered("awe", "0.8")))
    assert scored.rewarded[0].masked is None
    assert scored.rewarded[0].total == pytest.approx(2 + np.log(0.8))


def test_a_response_that_kills_every_process_is_masked(start, tmp_path: Path) -> None:
    worker = start(tmp_path, confidence={"rule": plugin(tmp_path, "    os._exit(3)"), "invalid": "zero"})
    (response,) = worker.score(group(answered("awe", "0.8"))).rewarded
    assert response.masked == "error: the scoring process died twice"


def test_a_process_that_does_not_come_up_masks_before_it_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    process = ScoringProcess(RewardConfig())
    for _ in range(2):
        first, second = process.score(SAMPLE, [("x", "stop"), ("y", "stop")])
        assert first.masked == second.masked
        assert str(first.masked).startswith("error: reward: the scoring process died at start. ")
    with pytest.raises(RewardError, match="died at start"):
        process.score(SAMPLE, [("x", "stop")])


def test_what_a_plugin_prints_does_not_disturb_the_protocol(start, tmp_path: Path) -> None:
    worker = start(
        tmp_path, confidence={"rule": plugin(tmp_path, "    print('hello'); return 0.25"), "invalid": "zero"}
    )
    (response,) = worker.score(group(answered("awe", "0.8"))).rewarded
    assert response.terms["confidence"] == 0.25


def test_an_unknown_rule_fails_at_start_with_its_message(start) -> None:
    with pytest.raises(RewardError, match="Did you mean 'brier'"):
        start(confidence={"rule": "brie"})


def test_scoring_processes_end_with_the_worker(start) -> None:
    worker = start(num_processes=2)
    pids = worker.process_ids()
    assert len(pids) == 2
    worker.close()
    assert not any(psutil.pid_exists(pid) for pid in pids)


def test_a_confidence_that_teaches_its_own_tokens_has_its_own_advantages(start) -> None:
    own = start(confidence={"rule": "brier", "teaches": "confidence"})
    scored = own.score(group(answered("awe", "0.8"), answered("fear", "0.6"), answered("awe", "sure")))
    # format + correctness of the first two: 2 and 1, of all 5/3; the third by its total, 2 - 1, against 1.96, .64 and 1
    assert scored.advantages == pytest.approx((1 / 3, -2 / 3, 1 - 3.6 / 3))
    first, second, third = scored.confidence_advantages
    assert (first, second) == pytest.approx((0.16, -0.16))  # -.04 and -.36, mean -.2
    assert third is None
    assert start().score(group(answered("awe", "0.8"))).confidence_advantages == ()
