from typing import Any

from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.errors import EngineError


def load_snapshot(llm_engine: Any, snapshot: WeightSnapshot) -> None:
    """Run one whole weight update of a vLLM `LLMEngine` created with the `object_store` backend.

    A failed update is closed again, which leaves a model that runs, on a mixture of old and new weights: only another,
    complete update makes it usable.

    Raises:
        EngineError: the snapshot does not fit the model, or requests are running.
    """
    if llm_engine.has_unfinished_requests():
        raise EngineError("weights cannot change while requests are running")
    try:
        llm_engine.collective_rpc("start_weight_update")
        llm_engine.collective_rpc("update_weights", kwargs={"update_info": {"snapshot": snapshot}})
        llm_engine.collective_rpc("finish_weight_update")
    except (ValueError, RuntimeError, KeyError, AssertionError, EngineError) as error:
        _close_half_open_update(llm_engine)
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


def _close_half_open_update(llm_engine: Any) -> None:
    llm_engine.collective_rpc("start_weight_update")
    llm_engine.collective_rpc("finish_weight_update")
