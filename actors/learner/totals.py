from collections.abc import Mapping, Sequence

import torch


class Totals:
    """Named sums and maxima over the micro-batches of all ranks. Values stay on the device until they are reduced.

    Args:
        sums: names that are added up.
        maxima: names of which the largest value counts; values are non-negative.
        device: where the losses are computed.
    """

    def __init__(self, sums: Sequence[str], maxima: Sequence[str], device: torch.device) -> None:
        self._sums = {name: torch.zeros((), dtype=torch.float64, device=device) for name in sums}
        self._maxima = {name: torch.zeros((), dtype=torch.float64, device=device) for name in maxima}

    def add(self, **values: torch.Tensor) -> None:
        """Add one micro-batch's scalars."""
        for name, value in values.items():
            if name in self._sums:
                self._sums[name] += value.detach()
            else:
                self._maxima[name] = torch.maximum(self._maxima[name], value.detach().double())

    def reduce(self) -> dict[str, float]:
        """Return sums and maxima over all ranks, the same on each."""
        reduced = _all_reduce(self._sums, torch.distributed.ReduceOp.SUM)
        return reduced | _all_reduce(self._maxima, torch.distributed.ReduceOp.MAX)


def sum_over_ranks(device: torch.device, *counts: int) -> list[int]:
    """Add up each count over all ranks."""
    vector = torch.tensor(counts, dtype=torch.int64, device=device)
    torch.distributed.all_reduce(vector)
    return [int(count) for count in vector.tolist()]


def largest_over_ranks(device: torch.device, count: int) -> int:
    """The largest of the ranks' counts."""
    largest = torch.tensor(count, dtype=torch.int64, device=device)
    torch.distributed.all_reduce(largest, op=torch.distributed.ReduceOp.MAX)
    return int(largest)


def _all_reduce(
    values: Mapping[str, torch.Tensor], operation: torch.distributed.ReduceOp.RedOpType
) -> dict[str, float]:
    if not values:
        return {}
    vector = torch.stack(list(values.values()))
    torch.distributed.all_reduce(vector, op=operation)
    return dict(zip(values, vector.tolist(), strict=True))
