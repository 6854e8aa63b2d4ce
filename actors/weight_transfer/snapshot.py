import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch


@dataclass(frozen=True, slots=True)
class WeightSnapshot:
    """All weights of one version under their Hugging Face names, as numpy arrays.

    `ray.put` stores it as one object: every reader on a node maps the same memory without a copy.
    `bfloat16_names` are those whose array holds the raw bits as uint16, a type numpy knows.
    """

    arrays: dict[str, npt.NDArray[np.generic]]
    bfloat16_names: frozenset[str]

    @classmethod
    def of(cls, state: Mapping[str, torch.Tensor]) -> "WeightSnapshot":
        """Wrap full (gathered) tensors, named as by `named_parameters()`; those on CPU share memory with it."""
        host = {name: tensor.detach().cpu().contiguous() for name, tensor in state.items()}
        raw = frozenset(name for name, tensor in host.items() if tensor.dtype == torch.bfloat16)
        return cls(
            {name: (tensor.view(torch.uint16) if name in raw else tensor).numpy() for name, tensor in host.items()}, raw
        )

    def tensors(self) -> Iterator[tuple[str, torch.Tensor]]:
        """Yield (name, tensor), read-only views of the arrays."""
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="The given NumPy array is not writable")
            for name, array in self.arrays.items():
                tensor = torch.from_numpy(array)
                yield name, tensor.view(torch.bfloat16) if name in self.bfloat16_names else tensor

    @property
    def num_bytes(self) -> int:
        """Size of all weights."""
        return sum(array.nbytes for array in self.arrays.values())
