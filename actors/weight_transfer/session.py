"""The weight side of a vLLM `LLMEngine` in this process. Written against vLLM 0.32."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.errors import EngineError


def load_snapshot(llm_engine: Any, snapshot: WeightSnapshot) -> None:
    """Run one whole update from a snapshot, whatever backend the engine was created with.

    A failed update is closed again, which leaves a model that runs, on a mixture of old and new weights: only another,
    complete update makes it usable.

    Raises:
        EngineError: the snapshot does not fit the model, or requests are running.
    """
    if llm_engine.has_unfinished_requests():
        raise EngineError("weights cannot change while requests are running")
    with _object_store_backend(llm_engine):
        try:
            llm_engine.collective_rpc("start_weight_update")
            llm_engine.collective_rpc("update_weights", kwargs={"update_info": {"snapshot": snapshot}})
            llm_engine.collective_rpc("finish_weight_update")
        except (ValueError, RuntimeError, KeyError, AssertionError, EngineError) as error:
            close_half_open_update(llm_engine)
            raise EngineError(f"the engine could not load the new weights: {error}") from error
    forget_computed_features(llm_engine)


def forget_computed_features(llm_engine: Any) -> None:
    """Empty the caches that hold results of the old weights: keys and values of prompt prefixes, and image features.

    They are keyed by content, not by weights: without this a trained vision tower is silently ignored for images seen
    before.
    """
    if not llm_engine.reset_prefix_cache():
        raise EngineError("vLLM did not reset its prefix cache after a weight update")
    llm_engine.reset_encoder_cache()
    llm_engine.reset_mm_cache()


def close_half_open_update(llm_engine: Any) -> None:
    """Give a model whose update broke off its packed form back, so that another update can begin."""
    llm_engine.collective_rpc(_ensure_update_is_open)
    llm_engine.collective_rpc("finish_weight_update")


def _ensure_update_is_open(worker: Any) -> None:
    if not worker._weight_update_active:
        worker.start_weight_update()


@contextmanager
def _object_store_backend(llm_engine: Any) -> Iterator[None]:
    """For the time of an update, let the engine's workers receive through the object store.

    So nothing has to be registered in their processes beforehand, and a worker that restarts beside an NCCL group it no
    longer belongs to can still catch up.
    """
    llm_engine.collective_rpc(_receive_snapshots)
    try:
        yield
    finally:
        llm_engine.collective_rpc(_receive_as_usual)


def _receive_snapshots(wrapper: Any) -> None:
    from vllm.config import WeightTransferConfig
    from vllm.distributed.weight_transfer import WeightTransferEngineFactory

    from emocal_rl.actors.weight_transfer.object_store_engine import BACKEND, register_object_store_backend

    register_object_store_backend()
    worker = wrapper.worker
    # Kept on the worker: under tensor parallelism it lives in another process than the caller.
    worker.usual_weight_transfer_engine = worker.weight_transfer_engine
    worker.weight_transfer_engine = WeightTransferEngineFactory.create_engine(
        WeightTransferConfig(backend=BACKEND), worker.vllm_config, worker.device, worker.get_model()
    )


def _receive_as_usual(wrapper: Any) -> None:
    wrapper.worker.weight_transfer_engine = wrapper.worker.usual_weight_transfer_engine
