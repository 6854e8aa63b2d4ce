import logging
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

import numpy as np

from emocal_rl.actors.families.family import family_of
from emocal_rl.actors.prompt_rendering import render_prompt
from emocal_rl.actors.rollout import torchvision_shim
from emocal_rl.actors.rollout.engine import Sampled, TransferStep
from emocal_rl.actors.rollout.sampling_seed import response_seed
from emocal_rl.actors.rollout.token_ends import token_ends
from emocal_rl.actors.suppression import suppressed_token_ids
from emocal_rl.actors.weight_transfer.backend import Backend
from emocal_rl.actors.weight_transfer.session import close_half_open_update, forget_computed_features, load_snapshot
from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import FinishReason, Response, RolloutGroup, RolloutRequest, SamplingParameters
from emocal_rl.platform.data.images import ImageLimits, decode_image
from emocal_rl.platform.errors import DataError

_SUPPRESSING_BIAS = -100.0
"""vLLM's lower limit."""
_MAX_BATCHED_TOKENS = 8192
ImageSizes = tuple[tuple[int, int], ...]


class VLLMEngine:
    """vLLM's `LLMEngine` in this very process: a `RolloutEngine`. Needs `engine_environment` from before its start.

    Args:
        model_dir: local Hugging Face checkpoint.
        config: of the run; `rollout`, `model` and `data` matter here.
        backend: how it receives weights that the learner sends step by step; snapshots it takes in any case.
    """

    def __init__(self, model_dir: str, config: Config, backend: Backend = "object_store") -> None:
        torchvision_shim.register()
        from emocal_rl.actors.policy_model import load_processor

        self._processor = load_processor(model_dir, config.model)
        self._llm = _create_llm_engine(model_dir, config, backend, self._processor)
        self._limits = ImageLimits.from_config(config.data)
        self._max_num_seqs = config.rollout.max_num_seqs
        self._max_images = config.rollout.max_images
        self._suppressed = dict.fromkeys(suppressed_token_ids(self._processor), _SUPPRESSING_BIAS)
        self._serial = count()
        self._family = family_of(type(self._processor).__name__)
        self._image_sizes: dict[str, tuple[int, int]] = {}

    def generate(self, requests: Sequence[RolloutRequest], weight_version: int) -> Iterator[tuple[int, Sampled]]:
        """Yield groups as they finish; see `RolloutEngine`. One vLLM request samples a whole group."""
        waiting = list(enumerate(requests))[::-1]
        running: dict[str, int] = {}
        sizes: dict[int, ImageSizes] = {}
        try:
            while waiting or running:
                # Decoding images ahead of need costs memory; two batches keep the engine full.
                while waiting and self._num_sequences(requests, running) < 2 * self._max_num_seqs:
                    index, request = waiting.pop()
                    try:
                        request_id, sizes[index] = self._add(request)
                    except DataError as error:
                        yield index, error
                    else:
                        running[request_id] = index
                for output in self._llm.step():
                    if output.finished:
                        index = running.pop(output.request_id)
                        yield index, self._group(requests[index], output, sizes.pop(index), weight_version)
        finally:
            self._llm.abort_request(list(running))

    def load_weights(self, snapshot: WeightSnapshot) -> None:
        """Replace all weights; see `RolloutEngine`."""
        load_snapshot(self._llm, snapshot)

    def transfer_step(self, step: TransferStep, payload: dict[str, Any]) -> None:
        """Do one step of a weight update that the learner drives; see `RolloutEngine`."""
        match step:
            case "init":
                # A connection from before another worker's death has to go first.
                self._llm.collective_rpc("shutdown_weight_transfer_engine")
                self._llm.collective_rpc("init_weight_transfer_engine", kwargs={"init_info": payload})
            case "start":
                self._llm.collective_rpc("start_weight_update")
            case "update":
                self._llm.collective_rpc("update_weights", kwargs={"update_info": payload})
            case "finish":
                self._llm.collective_rpc("finish_weight_update")
                forget_computed_features(self._llm)
            case "abort":
                close_half_open_update(self._llm)

    def _add(self, request: RolloutRequest) -> tuple[str, ImageSizes]:
        from vllm.exceptions import VLLMClientError

        request_id, sample = str(next(self._serial)), request.sample
        images = [decode_image(data, self._limits, key=f"{sample.id} image") for data in _encoded(request)]
        prompt: dict[str, Any] = {"prompt": render_prompt(self._processor, sample)}
        if images:
            prompt["multi_modal_data"] = {"image": images}
        try:
            (rendered,) = self._llm.renderer.render_cmpl([prompt])
            self._llm.add_request(request_id, rendered, self._sampling_params(request.sampling, sample.id))
        except (VLLMClientError, ValueError) as error:
            fix = "Raise rollout.max_model_len, or lower model.max_pixels."
            if len(images) > self._max_images:
                fix = f"Raise rollout.max_images to {len(images)}."
            raise DataError(f"{sample.source}:{sample.line}", sample.id, rule=str(error), fix=fix) from error
        return request_id, self._sizes(rendered) if images else ()

    def _sizes(self, rendered: Any) -> ImageSizes:
        """Sizes of a prompt's images as processed; an image that vLLM has cached comes without its tensors."""
        hashes = rendered["mm_hashes"]["image"]
        for name, item, tokens in zip(
            hashes, rendered["mm_kwargs"]["image"], rendered["mm_placeholders"]["image"], strict=True
        ):
            if item is not None:
                self._image_sizes[name] = self._family.engine_image_size(
                    self._processor, item.get_data(), tokens.get_num_embeds()
                )
        return tuple(self._image_sizes[name] for name in hashes)

    def _sampling_params(self, sampling: SamplingParameters, sample_id: str) -> Any:
        from vllm import SamplingParams
        from vllm.sampling_params import RequestOutputKind

        return SamplingParams(
            n=sampling.num_responses,
            temperature=sampling.temperature,
            top_p=sampling.top_p,
            seed=response_seed(sampling.seed, sample_id),
            max_tokens=sampling.max_new_tokens,
            logprobs=len(sampling.first_words),
            logprob_token_ids=self._first_tokens(sampling.first_words) or None,
            flat_logprobs=True,
            detokenize=False,
            logit_bias=self._suppressed,
            output_kind=RequestOutputKind.FINAL_ONLY,
        )

    def _group(
        self, request: RolloutRequest, output: Any, image_sizes: ImageSizes, weight_version: int
    ) -> RolloutGroup:
        return RolloutGroup(
            sample=request.sample,
            images=request.images,
            prompt_token_ids=np.asarray(output.prompt_token_ids, np.int32),
            responses=tuple(
                self._response(completion, weight_version, request.sampling) for completion in output.outputs
            ),
            image_sizes=image_sizes,
        )

    def _response(self, completion: Any, weight_version: int, sampling: SamplingParameters) -> Response:
        finish_reason: FinishReason = "stop" if completion.finish_reason == "stop" else "length"
        spoken = completion.token_ids[:-1] if finish_reason == "stop" else completion.token_ids
        return Response(
            # Special tokens stay visible: a response that wastes tokens on them is not well-formed.
            text=self._processor.tokenizer.decode(spoken, skip_special_tokens=False),
            token_ids=np.asarray(completion.token_ids, np.int32),
            logprobs=np.asarray(completion.logprobs.logprobs, np.float32)[completion.logprobs.start_indices],
            finish_reason=finish_reason,
            weight_version=weight_version,
            token_ends=token_ends(list(completion.token_ids), self._decode) if sampling.token_ends else None,
            first_word_logprobs=self._of_first_words(completion.logprobs, sampling.first_words),
        )

    def _first_tokens(self, words: Sequence[str]) -> list[int]:
        tokenizer = self._processor.tokenizer
        return [tokenizer(word, add_special_tokens=False).input_ids[0] for word in words]

    def _of_first_words(self, logprobs: Any, words: Sequence[str]) -> tuple[float, ...]:
        tokens = self._first_tokens(words)
        if len(set(tokens)) < len(words):
            return ()
        end = logprobs.end_indices[0]
        known = dict(zip(logprobs.token_ids[:end], logprobs.logprobs[:end], strict=True))
        return tuple(known[token] for token in tokens)

    def _decode(self, token_ids: Sequence[int]) -> str:
        """What `tokenizer.decode` does, without its conversions: it is called for every token."""
        text: str = self._processor.tokenizer.backend_tokenizer.decode(token_ids, skip_special_tokens=False)
        return text

    @staticmethod
    def _num_sequences(requests: Sequence[RolloutRequest], running: dict[str, int]) -> int:
        return sum(requests[index].sampling.num_responses for index in running.values())


def _encoded(request: RolloutRequest) -> Iterator[bytes]:
    for image in request.images:
        assert isinstance(image, bytes), f"the worker resolves object refs; got {type(image)}"
        yield image


def _create_llm_engine(model_dir: str, config: Config, backend: Backend, processor: Any) -> Any:
    import torch
    from vllm import EngineArgs, LLMEngine
    from vllm.config import WeightTransferConfig

    from emocal_rl.actors.policy_model import parameter_dtype

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    rollout = config.rollout
    device_options: dict[str, Any] = {
        "enforce_eager": rollout.enforce_eager,
        "gpu_memory_utilization": rollout.gpu_memory_utilization,
    }
    if device.type == "cpu":
        logging.getLogger("vllm.v1.worker.cpu_worker").addFilter(_is_not_about_threads)
        device_options = {
            "enforce_eager": True,
            "kv_cache_memory_bytes": int(rollout.kv_cache_gib * 2**30),
            # After a chunk of a prompt vLLM rewinds the request's random generator, which a CPU generator cannot do.
            "enable_chunked_prefill": False,
            "max_num_batched_tokens": max(rollout.max_model_len, _MAX_BATCHED_TOKENS),
        }
    arguments = EngineArgs(
        model=model_dir,
        dtype=str(parameter_dtype(config.model, device)).removeprefix("torch."),
        trust_remote_code=config.model.trust_remote_code,
        tensor_parallel_size=rollout.tensor_parallel_size,
        # Left to itself vLLM sees the roles' placement group, wants it for its own workers, and refuses a bundle of
        # several GPUs. Child processes find all of the engine's GPUs in this one's CUDA_VISIBLE_DEVICES.
        distributed_executor_backend="mp" if rollout.tensor_parallel_size > 1 else None,
        max_model_len=rollout.max_model_len,
        max_num_seqs=rollout.max_num_seqs,
        limit_mm_per_prompt={"image": rollout.max_images, "video": 0},
        mm_processor_kwargs=family_of(type(processor).__name__).engine_options(processor),
        logprobs_mode="processed_logprobs",
        # vLLM builds this engine at start, in each worker process; ours is lent to the workers for an update.
        weight_transfer_config=None if backend == "object_store" else WeightTransferConfig(backend=backend),
        disable_log_stats=True,
        use_tqdm_on_load=False,
        seed=config.run.seed,
        **device_options,
    )
    return LLMEngine.from_engine_args(arguments)


def _is_not_about_threads(record: logging.LogRecord) -> bool:
    """Whether to show a log record: the CPU worker warns at each of the thousands of calls of torch.set_num_threads."""
    return "set_num_threads" not in record.getMessage()
