from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emocal_rl.actors.learner.examples import SFTItem
from emocal_rl.actors.learner.group import LearnerGroup
from emocal_rl.actors.learner.worker import LearnerWorker
from emocal_rl.actors.reference.worker import ReferenceWorker
from emocal_rl.cluster.session import ray_session
from emocal_rl.platform.config.cluster import ClusterConfig
from emocal_rl.platform.config.learner import OptimizerConfig
from emocal_rl.platform.contracts import DemonstrationSample, UpdateStatistics

OPTIMIZER = OptimizerConfig(learning_rate=1e-3, warmup_fraction=0.5, schedule="cosine")
Factory = Callable[..., Any]

pytestmark = [pytest.mark.ray, pytest.mark.slow]


@pytest.fixture(scope="module")
def ray() -> Iterator[Any]:
    import ray

    with ray_session(ClusterConfig(num_cpus=2, object_store_gib=0.2)):
        yield ray


@pytest.fixture
def start_group(ray: Any, make_config: Factory, tiny_policy: Path) -> Iterator[Callable[[int, int], LearnerGroup]]:
    workers: list[Any] = []

    def start(num_workers: int, zero_stage: int) -> LearnerGroup:
        config = make_config(
            num_workers=num_workers, zero_stage=zero_stage, num_threads=1, micro_batch_tokens=96, timeout_s=60
        )
        actor = ray.remote(LearnerWorker).options(num_cpus=0)
        started = [actor.remote(config, rank) for rank in range(num_workers)]
        workers.extend(started)
        group = LearnerGroup(started)
        group.start(tiny_policy, OPTIMIZER, total_steps=8)
        return group

    yield start
    for worker in workers:
        ray.kill(worker)


def train(ray: Any, group: LearnerGroup, make_group: Factory, image: bytes) -> tuple[list[UpdateStatistics], Any]:
    """Four policy updates, one of them with fewer groups than ranks, and two supervised ones; then the weights."""
    image_ref = ray.put(image)
    statistics = []
    for seeds in ((1, 2, 3), (4, 5), (6,), (7, 8, 9, 10)):
        mini_batch = []
        for seed in seeds:
            item = make_group(seed, (5, 9, 3, 14)[: 2 + seed % 3], masked=(1,) if seed % 4 == 1 else ())
            group_ref = ray.put(replace(item.group, images=(image_ref,)))
            mini_batch.append((group_ref, item.scored, ray.put(item.reference_logprobs)))
        statistics.append(group.update(mini_batch))
    sample = make_group(1).group.sample
    texts = ("awe", "<answer>fear</answer>", "<answer>awe</answer><confidence>0.5</confidence>")
    items = [SFTItem(DemonstrationSample(sample, text), (image_ref,)) for text in texts]
    statistics += [group.sft_step(items, max_length=100), group.sft_step(items[:1], max_length=100)]
    snapshot, version = group.publish()
    assert version == 1
    return statistics, ray.get(snapshot).arrays


@pytest.fixture(scope="module")
def one_rank(ray: Any, make_config: Factory, make_group: Factory, tiny_policy: Path, face_image: bytes) -> Any:
    worker = ray.remote(LearnerWorker).remote(make_config(num_threads=1, zero_stage=0), 0)
    group = LearnerGroup([worker])
    group.start(tiny_policy, OPTIMIZER, total_steps=8)
    result = train(ray, group, make_group, face_image)
    ray.kill(worker)
    return result


@pytest.mark.parametrize("zero_stage", [0, 2, 3])
def test_two_ranks_give_the_updates_of_one(
    ray: Any, start_group: Factory, one_rank: Any, make_group: Factory, face_image: bytes, zero_stage: int
) -> None:
    expected, expected_weights = one_rank
    statistics, weights = train(ray, start_group(2, zero_stage), make_group, face_image)
    for ours, theirs in zip(statistics, expected, strict=True):
        assert ours.loss == pytest.approx(theirs.loss, abs=1e-4)
        assert ours.grad_norm == pytest.approx(theirs.grad_norm, rel=1e-3)
        assert (ours.learning_rate, ours.num_tokens, ours.skipped) == (theirs.learning_rate, theirs.num_tokens, None)
        assert ours.extra == pytest.approx(theirs.extra, abs=1e-4)
    assert weights.keys() == expected_weights.keys()
    for name, array in weights.items():
        np.testing.assert_allclose(array, expected_weights[name], atol=1e-4, err_msg=name)


def test_two_sharded_ranks_resume_exactly_and_score_as_the_reference(
    ray: Any, start_group: Factory, make_group: Factory, make_config: Factory, tmp_path: Path
) -> None:
    group = start_group(2, 3)
    items = [make_group(seed) for seed in (1, 2, 3)]
    mini_batch = [(item.group, item.scored, item.reference_logprobs) for item in items]
    group.update(mini_batch)
    group.publish()
    group.save_checkpoint(tmp_path / "checkpoint")
    group.export_hf(tmp_path / "export")
    logprobs = group.logprobs([item.group for item in items])
    reference = ReferenceWorker(tmp_path / "export", make_config())
    for item, ours in zip(items, logprobs, strict=True):
        for one, other in zip(ours, reference.logprobs(item.group), strict=True):
            np.testing.assert_allclose(one, other, atol=1e-5)

    after = group.update(mini_batch, old_logprobs=logprobs)
    assert after.extra["ratio_mean"] == pytest.approx(1.0, abs=1e-5)
    group.load_checkpoint(tmp_path / "checkpoint")
    assert group.weight_version == 1
    assert group.update(mini_batch, old_logprobs=logprobs) == after


def test_merged_metrics_are_means_and_the_first_mismatch() -> None:
    updates = [
        UpdateStatistics(0.0, 2.0, 1e-4, 10, None, {"policy": 1.0, "kl": 0.1, "logprob_mismatch": 1e-6}),
        UpdateStatistics(0.0, 4.0, 2e-4, 10, None, {"policy": 3.0, "kl": 0.3, "logprob_mismatch": 0.5}),
        UpdateStatistics(float("nan"), float("nan"), 2e-4, 0, "no unmasked response"),
    ]
    merged = LearnerGroup([]).merge(updates)
    assert merged["loss/policy"] == 2.0
    assert merged["loss/kl"] == pytest.approx(0.2)
    assert merged["loss/logprob_mismatch"] == 1e-6
    assert merged["optimizer/grad_norm"] == 3.0
    assert merged["optimizer/learning_rate"] == 2e-4
    assert merged["optimizer/skipped_updates"] == 1.0
