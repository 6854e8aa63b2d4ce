"""The real engine, in a process of its own as in a run; log-probs are checked against plain transformers."""

import io
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.managers import SyncManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from emocal_rl.actors.prompt_rendering import render_prompt
from emocal_rl.actors.rollout import torchvision_shim
from emocal_rl.actors.rollout.engine_environment import engine_environment
from emocal_rl.actors.rollout.vllm_engine import _create_llm_engine
from emocal_rl.actors.rollout.worker import RolloutWorker
from emocal_rl.actors.suppression import suppressed_token_ids
from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.config.rollout import RolloutConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutGroup, RolloutRequest, Sample, SamplingParameters
from emocal_rl.platform.errors import DataError, EngineError

pytestmark = pytest.mark.slow
TOLERANCE = 1e-4
CONFIG = Config(rollout=RolloutConfig(max_model_len=512, kv_cache_gib=0.125))

SyncManager.register(
    "RolloutWorker",
    RolloutWorker,
    exposed=("update_weights", "generate", "stream"),
    method_to_typeid={"generate": "Iterator", "stream": "Iterator"},
)


@pytest.fixture(scope="module")
def start_worker() -> Iterator[Callable[[Path], Any]]:
    """Start a rollout worker in a fresh process; its generators become iterators here."""
    managers = []

    def start(model_dir: Path) -> Any:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in engine_environment(CONFIG, use_gpu=False).items():
                patch.setitem(os.environ, name, value)
            manager = SyncManager(ctx=get_context("spawn"))
            manager.start()
        managers.append(manager)
        return manager.RolloutWorker(str(model_dir), CONFIG)

    yield start
    for manager in managers:
        manager.shutdown()


@pytest.fixture(scope="module")
def worker(start_worker: Callable[[Path], Any], tiny_policy: Path) -> Any:
    return start_worker(tiny_policy)


def make_request(
    images: bytes,
    *,
    sample_id: str = "s",
    responses: int = 4,
    temperature: float = 1.0,
    tokens: int = 32,
    seed: int = 7,
) -> RolloutRequest:
    question = "Which emotion may this image evoke in a viewer? " * 20
    sample = Sample(sample_id, ("face.png",), question, ("awe",), "awe", "FI-8", system="Be brief.")
    return RolloutRequest(sample, (images,), SamplingParameters(responses, temperature, tokens, seed=seed))


def make_greedy_request(images: bytes, number: int) -> RolloutRequest:
    """Ask once, each number another question."""
    asked = make_request(images, sample_id=f"s{number}", responses=1, temperature=0, tokens=16)
    return replace(asked, sample=replace(asked.sample, question=f"Emotion {number}? " * 9))


class Reference:
    """The policy in plain transformers."""

    def __init__(self, model_dir: Path) -> None:
        from transformers import AutoModelForImageTextToText, AutoProcessor

        self.model = AutoModelForImageTextToText.from_pretrained(model_dir, dtype=torch.float32).eval()
        self.processor = AutoProcessor.from_pretrained(model_dir)

    def train_a_little(self, seed: int, size: float = 0.02) -> WeightSnapshot:
        """Change every weight, vision tower included."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in self.model.parameters():
                parameter += size * torch.randn(parameter.shape, generator=generator)
        return WeightSnapshot.of(dict(self.model.named_parameters()))

    @torch.no_grad()
    def largest_difference(self, group: RolloutGroup, temperature: float = 1.0) -> float:
        """Between the engine's log-probs of the sampled tokens and transformers' own."""
        (image,) = group.images
        assert isinstance(image, bytes)
        prompt = self.processor(
            text=[render_prompt(self.processor, group.sample)],
            images=[Image.open(io.BytesIO(image))],
            return_tensors="pt",
            return_mm_token_type_ids=True,
        )
        assert prompt["input_ids"][0].tolist() == group.prompt_token_ids.tolist()
        return max(
            float(np.abs(self.logprobs(prompt, response.token_ids, temperature) - response.logprobs).max())
            for response in group.responses
        )

    def logprobs(self, prompt: Any, token_ids: Any, temperature: float) -> Any:
        taken = torch.tensor(token_ids, dtype=torch.int64)[None]
        logits = self.model(
            input_ids=torch.cat([prompt["input_ids"], taken], 1),
            mm_token_type_ids=torch.cat([prompt["mm_token_type_ids"], torch.zeros_like(taken)], 1),
            pixel_values=prompt["pixel_values"],
            image_grid_thw=prompt["image_grid_thw"],
        ).logits[:, -taken.shape[1] - 1 : -1]
        logits[..., list(suppressed_token_ids(self.processor))] = -torch.inf
        return (logits / temperature).log_softmax(-1).gather(-1, taken[..., None])[0, :, 0].numpy()


@pytest.mark.parametrize("policy", ["tiny_policy", "tiny_policy_untied"])
def test_engine_and_transformers_agree_before_and_after_syncs(
    policy: str,
    start_worker: Callable[[Path], Any],
    face_image: bytes,
    request: pytest.FixtureRequest,
    plain_transformers: Callable[[Path], Any],
    tmp_path: Path,
) -> None:
    model_dir = request.getfixturevalue(policy)
    worker, reference = start_worker(model_dir), Reference(model_dir)
    asked = [make_request(face_image)]
    (before,) = worker.generate(asked, 0)
    assert len(before.prompt_token_ids) > 128  # a whole block, so that the prefix cache has something stale to offer
    assert reference.largest_difference(before) < TOLERANCE
    for version in (1, 2):
        worker.update_weights(reference.train_a_little(version), version)
        (after,) = worker.generate(asked, version)  # the very image and prompt it has cached results for
        assert reference.largest_difference(after) < TOLERANCE
        assert {response.weight_version for response in after.responses} == {version}
        assert after.responses[0].token_ids.tolist() != before.responses[0].token_ids.tolist()
    (cooler,) = worker.generate([make_request(face_image, temperature=0.7)], 2)
    assert reference.largest_difference(cooler, temperature=0.7) < TOLERANCE

    worker.update_weights(reference.train_a_little(3, size=0.1), 3)  # enough for answers that differ
    reference.model.save_pretrained(tmp_path)
    reference.processor.save_pretrained(tmp_path)
    answer, texts, differing = plain_transformers(tmp_path), set[str](), []
    for group in worker.generate([make_greedy_request(face_image, number) for number in range(16)], 3):
        text, margin = answer(group.sample, face_image, 16)
        texts.add(text)
        if group.responses[0].text != text:
            differing.append(margin)
    assert len(texts) > 1
    assert len(differing) <= 1
    assert all(margin < TOLERANCE for margin in differing)  # a near-tie, which rounding decides


def test_an_update_that_fails_leaves_no_usable_version_until_one_succeeds(
    start_worker: Callable[[Path], Any], tiny_policy: Path, face_image: bytes
) -> None:
    worker, reference = start_worker(tiny_policy), Reference(tiny_policy)
    good = reference.train_a_little(3)
    lacking = replace(good, arrays={name: array for name, array in good.arrays.items() if "layers.1.mlp" not in name})
    name = "model.language_model.layers.1.self_attn.q_proj.weight"
    misshapen = replace(good, arrays=good.arrays | {name: good.arrays[name][:5]})
    for bad in (lacking, misshapen):
        with pytest.raises(EngineError, match="could not load the new weights"):
            worker.update_weights(bad, 1)
        for version in (0, 1):
            with pytest.raises(EngineError, match="asked to sample with weights"):
                list(worker.generate([make_request(face_image)], version))
    assert worker.update_weights(good, 2) == 2
    (group,) = worker.generate([make_request(face_image)], 2)
    assert reference.largest_difference(group) < TOLERANCE


def test_responses_depend_on_seed_and_sample_not_on_the_rest_of_the_batch(worker: Any, face_image: bytes) -> None:
    def token_ids(groups: Any, sample_id: str) -> list[list[int]]:
        (group,) = [group for group in groups if group.sample.id == sample_id]
        return [response.token_ids.tolist() for response in group.responses]

    alone = token_ids(worker.generate([make_request(face_image)], 0), "s")
    crowd = [make_request(face_image, sample_id=f"other-{i}", tokens=9 + i) for i in range(6)]
    assert token_ids(worker.generate([*crowd, make_request(face_image)], 0), "s") == alone
    assert len({tuple(ids) for ids in alone}) == len(alone)
    assert token_ids(worker.generate([make_request(face_image, seed=8)], 0), "s") != alone
    assert token_ids(worker.generate([make_request(face_image, sample_id="t")], 0), "t") != alone


def test_short_groups_leave_first_and_numbers_precede_groups(worker: Any, face_image: bytes) -> None:
    long, short = make_request(face_image, sample_id="long", tokens=200), make_request(face_image, tokens=2)
    items = list(worker.stream([(11, long), (22, short)], 0))
    assert [items[0], items[2]] == [22, 11]
    assert [items[1].sample.id, items[3].sample.id] == ["s", "long"]


def test_a_closed_generator_leaves_nothing_running(worker: Any, face_image: bytes) -> None:
    groups = worker.generate([make_request(face_image, tokens=2), make_request(face_image, tokens=200)], 0)
    next(groups)
    groups.close()
    (group,) = worker.generate([make_request(face_image, sample_id="next")], 0)
    assert group.sample.id == "next"


def test_image_tokens_are_never_drawn_and_finish_reasons_are_true(
    worker: Any, tiny_policy: Path, face_image: bytes
) -> None:
    processor = Reference(tiny_policy).processor
    requests = [make_request(face_image, sample_id=f"s{i}", responses=16, tokens=64) for i in range(16)]
    responses = [response for group in worker.generate(requests, 0) for response in group.responses]
    suppressed = set(suppressed_token_ids(processor))
    assert len(suppressed) == 5
    assert suppressed.isdisjoint(np.concatenate([response.token_ids for response in responses]).tolist())
    ends = {processor.tokenizer.eos_token_id, processor.tokenizer.pad_token_id}
    assert {response.finish_reason for response in responses} == {"stop", "length"}
    for response in responses:
        assert len(response.logprobs) == len(response.token_ids)
        assert (response.finish_reason == "stop") == (response.token_ids[-1] in ends)
        if response.finish_reason == "length":
            assert len(response.token_ids) == 64
        spoken = response.token_ids[:-1] if response.finish_reason == "stop" else response.token_ids
        assert response.text == processor.tokenizer.decode(spoken)


def test_tokens_end_where_the_text_says_and_images_have_the_size_that_the_vision_tower_saw(
    worker: Any, tiny_policy: Path
) -> None:
    processor = Reference(tiny_policy).processor
    for width, height in ((200, 90), (90, 200), (200, 90)):  # the last comes from the engine's cache
        image = Image.new("RGB", (width, height), (width, height, 0))
        file = io.BytesIO()
        image.save(file, "PNG")
        asked = make_request(file.getvalue(), sample_id=f"{width}", tokens=64)
        asked = replace(asked, sampling=replace(asked.sampling, token_ends=True))
        (group,) = worker.generate([asked], 0)
        _, rows, columns = processor.image_processor([image], return_tensors="pt")["image_grid_thw"][0].tolist()
        patch = processor.image_processor.patch_size
        assert group.image_sizes == ((rows * patch, columns * patch),)
        assert (rows > columns) == (height > width)
        for response in group.responses:
            assert len(response.token_ends) == len(response.token_ids)
            for index, end in enumerate(response.token_ends[:-1].tolist()):
                known = processor.tokenizer.decode(response.token_ids[: index + 1])
                assert known.endswith("\N{REPLACEMENT CHARACTER}") or response.text[:end] == known
    (plain,) = worker.generate([make_request(file.getvalue())], 0)
    assert {response.token_ends for response in plain.responses} == {None}


def test_first_words_have_the_log_probs_of_their_first_tokens_and_a_prompt_may_be_words_alone(
    worker: Any, tiny_policy: Path, face_image: bytes
) -> None:
    words, reference = ("Positive", "Neutral", "Xylophone"), Reference(tiny_policy)
    asked = make_request(face_image, responses=1)
    asked = replace(asked, sampling=SamplingParameters(1, 1.0, 1, seed=7, first_words=words))
    (group,) = worker.generate([asked], 0)
    (response,) = group.responses
    assert (len(response.token_ids), len(response.logprobs)) == (1, 1)
    tokens = [reference.processor.tokenizer(word).input_ids[0] for word in words]
    for token, found in zip(tokens, response.first_word_logprobs, strict=True):
        instead = replace(response, token_ids=np.array([token], np.int32), logprobs=np.array([found], np.float32))
        assert reference.largest_difference(replace(group, responses=(instead,))) < TOLERANCE
    alike = replace(asked, sampling=replace(asked.sampling, first_words=("Positive", "Positive")))
    (group,) = worker.generate([alike], 0)
    assert group.responses[0].first_word_logprobs == ()
    text = replace(make_request(face_image, tokens=8), images=())
    (group,) = worker.generate([replace(text, sample=replace(text.sample, images=()))], 0)
    assert group.image_sizes == ()
    assert len(group.responses) == 4


def test_greedy_decoding_takes_the_likeliest_token_each_time(worker: Any, face_image: bytes) -> None:
    first, second = (
        next(worker.generate([make_request(face_image, responses=1, temperature=0, seed=seed)], 0)) for seed in (1, 2)
    )
    assert first.responses[0].token_ids.tolist() == second.responses[0].token_ids.tolist()


def test_a_prompt_that_is_too_long_names_its_row_and_the_way_out(worker: Any, face_image: bytes) -> None:
    asked = make_request(face_image)
    wordy = replace(asked, sample=replace(asked.sample, question="why " * 900, source="rows.jsonl", line=12))
    with pytest.raises(DataError, match=r"rows.jsonl:12.*Raise rollout.max_model_len"):
        list(worker.generate([wordy], 0))


def test_an_engine_with_a_gpu_backend_catches_up_through_the_object_store(
    tiny_policy: Path, face_image: bytes, tmp_path: Path
) -> None:
    reference = Reference(tiny_policy)
    task = (str(tiny_policy), CONFIG, reference.train_a_little(5), make_request(face_image))
    (tmp_path / "task").write_bytes(pickle.dumps(task))
    code = (
        "import pickle, pathlib\n"
        "from emocal_rl.actors.rollout.worker import RolloutWorker\n"
        "model_dir, config, snapshot, request = pickle.loads(pathlib.Path('task').read_bytes())\n"
        "worker = RolloutWorker(model_dir, config, backend='nccl')\n"
        "worker.update_weights(snapshot, 1)\n"
        "pathlib.Path('group').write_bytes(pickle.dumps(next(worker.generate([request], 1))))\n"
    )
    environment = os.environ | engine_environment(CONFIG, use_gpu=False)
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment, check=True)
    group = pickle.loads((tmp_path / "group").read_bytes())
    assert reference.largest_difference(group) < TOLERANCE


@pytest.mark.parametrize(
    ("tensor_parallel_size", "backend", "executor", "built_at_start"),
    [(1, "object_store", None, None), (2, "object_store", "mp", None), (2, "nccl", "mp", "nccl")],
)
def test_an_engine_that_spans_gpus_has_child_processes_which_need_no_registration(
    tiny_policy: Path,
    monkeypatch: pytest.MonkeyPatch,
    tensor_parallel_size: int,
    backend: Any,
    executor: str | None,
    built_at_start: str | None,
) -> None:
    torchvision_shim.register()
    import vllm

    from emocal_rl.actors.policy_model import load_processor

    monkeypatch.setattr(vllm.LLMEngine, "from_engine_args", lambda arguments: arguments)
    config = Config(rollout=RolloutConfig(tensor_parallel_size=tensor_parallel_size))
    arguments = _create_llm_engine(str(tiny_policy), config, backend, load_processor(str(tiny_policy), config.model))
    assert arguments.tensor_parallel_size == tensor_parallel_size
    assert arguments.distributed_executor_backend == executor
    transfer = arguments.weight_transfer_config
    assert (transfer and transfer.backend) == built_at_start
