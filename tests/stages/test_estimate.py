import json
import struct
from pathlib import Path

import pytest

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.model import ModelConfig
from emocal_rl.stages.estimate import (
    count_parameters,
    estimate_memory,
    estimate_time,
    known_parameters,
    object_store_gib,
    with_object_store,
)


def test_parameters_are_counted_from_the_safetensors_headers(tmp_path: Path) -> None:
    for name, shapes in {"a": [[2, 3], [4]], "b": [[10]]}.items():
        header = {str(i): {"dtype": "F32", "shape": shape, "data_offsets": [0, 0]} for i, shape in enumerate(shapes)}
        text = json.dumps({"__metadata__": {"format": "pt"}, **header}).encode()
        (tmp_path / f"model-{name}.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)
    assert count_parameters(tmp_path) == 6 + 4 + 10


def test_the_papers_model_has_a_known_size_before_it_is_downloaded() -> None:
    assert known_parameters(ModelConfig(path="Qwen/Qwen2.5-VL-7B-Instruct")) == 8_292_166_656
    assert known_parameters(ModelConfig(path="somebody/another")) is None


def test_offloaded_optimizer_states_are_the_hosts_and_adapters_have_next_to_none() -> None:
    def learner(*sets: str) -> tuple[float, float]:
        config = resolve_config(None, sets=["model.dtype=bfloat16", "learner.zero_stage=0", *sets])
        estimate = estimate_memory(config, 2**30, on_gpu=True)
        return round(estimate.per_worker_gib["learner"] - 0.8, 6), estimate.offloaded_gib

    assert learner("learner.offload_optimizer=true") == (2 + 2, 12)
    assert learner("learner.lora.rank=8") == (2, 0)


def test_learner_memory_by_zero_stage_as_written() -> None:
    billion = 2**30

    def learner(stage: int) -> float:
        sets = [f"learner.zero_stage={stage}", "learner.num_workers=4", "model.dtype=bfloat16"]
        estimate = estimate_memory(resolve_config(None, sets=sets), billion, on_gpu=True)
        return estimate.per_worker_gib["learner"] - 0.8

    assert learner(0) == pytest.approx(2 + 2 + 12)
    assert learner(1) == pytest.approx(2 + 2 + 3)
    assert learner(2) == pytest.approx(2 + 1 + 3)
    assert learner(3) == pytest.approx(0.5 + 1 + 3)


def test_the_object_store_holds_two_snapshots_of_the_weights() -> None:
    def size(*sets: str, num_parameters: int | None = 8_292_166_656, on_gpu: bool = True) -> float:
        return object_store_gib(resolve_config(None, sets=sets), num_parameters, on_gpu=on_gpu)

    assert size() == pytest.approx(1 + 2 * 15.45)  # 16.6 GB in bfloat16
    assert size(on_gpu=False) == pytest.approx(1 + 2 * 30.9)
    assert size("model.dtype=float32") == size(on_gpu=False)
    assert size(num_parameters=1_000_000) == pytest.approx(1.1)
    assert size(num_parameters=None) == 1.0
    assert size("cluster.object_store_gib=3") == 3.0


def test_a_job_that_sends_weights_asks_for_a_store_of_their_size() -> None:
    assert with_object_store(resolve_config("synthvec")).object_store_gib == pytest.approx(1.1)
    assert with_object_store(resolve_config("synthvec", sets=["cluster.object_store_gib=2"])).object_store_gib == 2.0


SYNTHVEC = {"num_prompts": 2000, "num_test": 2100, "on_gpu": False}


def test_the_default_run_takes_what_was_measured_on_two_cores() -> None:
    parts = estimate_time(resolve_config("synthvec"), 1_000_000, builds_cold_start=False, **SYNTHVEC).parts_s
    assert parts["start"] == 40
    assert parts["evaluation"] == pytest.approx(2 * 55, rel=0.05)  # before and after, sampled and greedy
    assert parts["calibration"] == pytest.approx(120 * 3.1, rel=0.05)  # 32 prompts x 4 responses
    assert parts["validation"] == pytest.approx(2 * 4.3, rel=0.15)  # none after the last step


def test_a_cold_start_takes_what_was_measured_on_two_cores() -> None:
    fresh, cached = (
        estimate_time(resolve_config("synthvec"), 1_000_000, builds_cold_start=builds, **SYNTHVEC).parts_s
        for builds in (True, False)
    )
    built = {name: seconds for name, seconds in fresh.items() if name not in cached}
    assert set(built) == {"vision pre-training", "language pre-training", "reasoning", "confidence"}
    assert sum(built.values()) == pytest.approx(560, rel=0.1)
    assert fresh["evaluation"] - cached["evaluation"] == pytest.approx(24, rel=0.1)  # it answers every prompt once


def test_own_files_are_validated_on_the_test_set() -> None:
    def estimate(*sets: str) -> dict[str, float]:
        config = resolve_config("synthvec", {"model.path": "m", "data.train": "t.jsonl"}, sets)
        sizes = {"num_prompts": 500, "num_test": 300, "on_gpu": False}
        return estimate_time(config, 1_000_000, builds_cold_start=False, **sizes).parts_s

    alarmed, silent = estimate(), estimate("alarms.cold_start_answers=false")
    assert silent["evaluation"] == pytest.approx(2 * silent["validation"])
    assert alarmed["evaluation"] / silent["evaluation"] == pytest.approx((4 * 300 + 500) / (4 * 300))
