from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch

from emocal_rl.actors.learner.batching import pack_micro_batches
from emocal_rl.actors.sequence_batch import EncodedSequence, SequenceBatch, collate
from emocal_rl.actors.sequence_encoding import SequenceEncoder
from emocal_rl.platform.contracts import RolloutGroup


def group_logprobs(
    groups: Sequence[RolloutGroup],
    encoder: SequenceEncoder,
    score: Callable[[SequenceBatch], torch.Tensor],
    *,
    budget: int,
    at_least: Callable[[int], int] = int,
) -> list[list[npt.NDArray[np.float32]]]:
    """Log-probs of the groups' response tokens, without gradients.

    Args:
        groups: their images are bytes.
        encoder: of the policy that scores.
        score: (N,) log-probs of a batch's response tokens.
        budget: padded tokens of one micro-batch.
        at_least: from this process's number of micro-batches to the number it has to run: ranks that share parameters
            must all run the same.

    Returns:
        For each group, (T,) float32 per response.
    """
    sequences: list[EncodedSequence] = [sequence for group in groups for sequence in encoder.encode_group(group)]
    micro_batches = pack_micro_batches([sequence.num_tokens for sequence in sequences], budget)
    micro_batches += [micro_batches[-1]] * (at_least(len(micro_batches)) - len(micro_batches))
    values: dict[int, npt.NDArray[np.float32]] = {}
    for indices in micro_batches:
        batch = collate([sequences[index] for index in indices])
        with torch.no_grad():
            values.update(zip(indices, batch.split(score(batch)), strict=True))
    ordered = (values[index] for index in range(len(sequences)))
    return [[next(ordered) for _ in group.responses] for group in groups]
