"""What the learner trains on, as it reaches a rank and after encoding."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from emocal_rl.actors.prompt_rendering import render_prompt
from emocal_rl.actors.sequence_batch import EncodedSequence
from emocal_rl.actors.sequence_encoding import SequenceEncoder
from emocal_rl.platform.contracts import DemonstrationInput, DemonstrationSample, RolloutGroup, ScoredGroup
from emocal_rl.platform.responses.grammar import confidence_span

Logprobs = Sequence[npt.NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class TrainingGroup:
    """A rollout group with everything its update needs; per-response sequences follow the group's order.

    `group.images` are bytes here, no longer refs. `reference_logprobs`: (T,) per response under the frozen policy, None
    without KL. `old_logprobs`: recomputed ones; None takes those recorded while sampling.
    """

    group: RolloutGroup
    scored: ScoredGroup
    reference_logprobs: Logprobs | None = None
    old_logprobs: Logprobs | None = None


@dataclass(frozen=True, slots=True)
class PolicyExample:
    """One unmasked response as the policy loss takes it: (T,) tensors beside its sequence."""

    sequence: EncodedSequence
    advantages: torch.Tensor
    sampled_logprobs: torch.Tensor
    old_logprobs: torch.Tensor
    reference_logprobs: torch.Tensor | None


@dataclass(frozen=True, slots=True)
class SFTItem:
    """A demonstration and the encoded image files it talks about: bytes, or Ray object refs the worker resolves."""

    demonstration: DemonstrationSample
    images: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class SFTExample:
    """One demonstration as the cross-entropy takes it. `carries_loss`: (T,) bool."""

    sample_id: str
    sequence: EncodedSequence
    carries_loss: torch.Tensor

    def describe(self, *, max_length: int) -> DemonstrationInput:
        """What the model is given of it; nothing of it carries loss when it is longer than `max_length`."""
        images, dropped = self.sequence.prompt.images, self.sequence.num_tokens > max_length
        return DemonstrationInput(
            sample_id=self.sample_id,
            num_tokens=self.sequence.num_tokens,
            num_loss_tokens=0 if dropped else int(self.carries_loss.sum()),
            image_tokens=sum(image.num_tokens for image in images),
            image_sizes=tuple(image.size for image in images),
            dropped=dropped,
        )


def encode_policy_examples(training_group: TrainingGroup, encoder: SequenceEncoder) -> list[PolicyExample]:
    """Encode the responses of a group that take part in the update: all but the masked ones."""
    sequences = encoder.encode_group(training_group.group)
    examples = []
    for index, rewarded in enumerate(training_group.scored.rewarded):
        if rewarded.masked is not None:
            continue
        sampled = torch.tensor(training_group.group.responses[index].logprobs)
        old, reference = training_group.old_logprobs, training_group.reference_logprobs
        examples.append(
            PolicyExample(
                sequence=sequences[index],
                advantages=_token_advantages(training_group, index),
                sampled_logprobs=sampled,
                old_logprobs=sampled if old is None else torch.tensor(old[index]),
                reference_logprobs=None if reference is None else torch.tensor(reference[index]),
            )
        )
    return examples


def _token_advantages(training_group: TrainingGroup, index: int) -> torch.Tensor:
    """(T,) the response's advantage; on the tokens of its stated confidence that one's own, where it has one."""
    response, scored = training_group.group.responses[index], training_group.scored
    advantages = torch.full((len(response.token_ids),), scored.advantages[index])
    if (own := scored.confidence_advantage(index)) is not None:
        span = confidence_span(response.text)
        assert span is not None, "a response without a confidence has no advantage of its own for it"
        assert response.token_ends is not None, "rollouts are asked for token ends where advantages differ by token"
        ends = torch.from_numpy(response.token_ends.astype(np.int64))
        starts = torch.cat([ends.new_zeros(1), ends[:-1]])
        advantages[(starts < span[1]) & (ends > span[0])] = own
    return advantages


def encode_demonstration(item: SFTItem, encoder: SequenceEncoder) -> SFTExample:
    """Encode a demonstration: the rendered prompt, the response's tokens and the end-of-turn token.

    A token carries loss when any of its characters lies in a loss span.
    """
    demonstration = item.demonstration
    prompt = encoder.encode_rendered_prompt(render_prompt(encoder.processor, demonstration.sample), item.images)
    tokenizer = encoder.processor.tokenizer
    response = tokenizer(demonstration.response, add_special_tokens=False, return_offsets_mapping=True)
    spans = demonstration.loss_spans
    carries_loss = [
        spans is None or any(start < span_end and end > span_start for span_start, span_end in spans)
        for start, end in response["offset_mapping"]
    ]
    return SFTExample(
        demonstration.sample.id,
        EncodedSequence(prompt, torch.tensor([*response["input_ids"], tokenizer.eos_token_id])),
        torch.tensor([*carries_loss, demonstration.loss_on_end]),
    )


def shortest_stand_in(sequence: EncodedSequence) -> EncodedSequence:
    """The same prompt with one response token: what a rank runs at zero weight when the others still have work.

    ZeRO ranks meet in collectives, so all of them must run the same number of micro-batches, vision tower included.
    """
    return EncodedSequence(sequence.prompt, sequence.response_ids[:1])
