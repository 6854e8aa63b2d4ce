"""The `object_store` backend of vLLM's weight-transfer registry: the engine side. Written against vLLM 0.32."""

from dataclasses import dataclass

from torch import nn
from vllm.distributed.weight_transfer import WeightTransferEngineFactory
from vllm.distributed.weight_transfer.base import (
    WeightTransferEngine,
    WeightTransferInitInfo,
    WeightTransferUpdateInfo,
)
from vllm.model_executor.layers.utils import dispatch_cpu_unquantized_gemm
from vllm.model_executor.layers.vocab_parallel_embedding import ParallelLMHead
from vllm.model_executor.model_loader.reload import finalize_layerwise_reload, initialize_layerwise_reload

from emocal_rl.actors.weight_transfer.snapshot import WeightSnapshot
from emocal_rl.platform.errors import EngineError

BACKEND = "object_store"


@dataclass
class ObjectStoreInitInfo(WeightTransferInitInfo):  # type: ignore[misc]  # vLLM has no types to check
    """Nothing to agree on beforehand."""


@dataclass
class ObjectStoreUpdateInfo(WeightTransferUpdateInfo):  # type: ignore[misc]
    """One update is one snapshot."""

    snapshot: WeightSnapshot


class ObjectStoreWeightTransferEngine(WeightTransferEngine):  # type: ignore[misc]
    """Loads a `WeightSnapshot`, which Ray's object store hands to this process without a copy."""

    init_info_cls = ObjectStoreInitInfo
    update_info_cls = ObjectStoreUpdateInfo

    def init_transfer_engine(self, init_info: ObjectStoreInitInfo) -> None:
        """Do nothing: the object store is always there."""

    def start_weight_update(self) -> None:
        """Let the model take checkpoint-format weights again; by now it holds packed ones."""
        self._wanted = {name for name, _ in self.model.named_parameters()}
        initialize_layerwise_reload(self.model)

    def receive_weights(self, update_info: ObjectStoreUpdateInfo) -> None:
        """Load every weight.

        Raises:
            EngineError: a weight of the model is not in the snapshot.
        """
        missing = self._wanted - self.model.load_weights(update_info.snapshot.tensors())
        if missing:
            raise EngineError(f"the weight snapshot lacks {len(missing)} weights of the model, e.g. {min(missing)}")

    def finish_weight_update(self) -> None:
        """Pack the weights for inference."""
        finalize_layerwise_reload(self.model, self.model_config)
        if self.device.type == "cpu":
            _repack_lm_heads(self.model)

    def shutdown(self) -> None:
        """Do nothing: there is no connection."""


def register_object_store_backend() -> None:
    """Add the backend to vLLM's registry, once per process."""
    if BACKEND not in WeightTransferEngineFactory._registry:
        WeightTransferEngineFactory.register_engine(BACKEND, ObjectStoreWeightTransferEngine)


def _repack_lm_heads(model: nn.Module) -> None:
    """Pack output layers anew: a tied one is not reloaded and would keep its packed copy of the old embedding."""
    for module in model.modules():
        if isinstance(module, ParallelLMHead):
            dispatch_cpu_unquantized_gemm(module, remove_weight=False)
