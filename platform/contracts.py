"""What crosses a process boundary: frozen dataclasses, never dicts (design.md, the path of one rollout)."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

FinishReason = Literal["stop", "length"]
REASONING_PARTS = ("element", "human", "context", "interaction", "analysis")


@dataclass(frozen=True, slots=True)
class Sample:
    """One question about one or more images, as read from a dataset row.

    `images` are the references as resolved against the file's image root (absolute path, fsspec URL or data URI).
    Only the driver opens them; workers receive encoded bytes through the object store.
    """

    id: str
    images: tuple[str, ...]
    question: str
    candidates: tuple[str, ...]
    label: str
    task: str
    source: str = ""
    """The file the row came from."""
    line: int = 0
    """1-based line in `source`."""
    system: str = ""
    """System prompt; empty for the chat template's own default."""


@dataclass(frozen=True, slots=True)
class DemonstrationSample:
    """A `Sample` with the response to imitate (stages 1 and 2).

    `loss_spans` are half-open character spans of `response`, ascending and disjoint, whose tokens carry loss; the
    end-of-turn token carries loss when `loss_on_end` is set. `None` means the whole response (equation 1); the
    confidence part only is equation 3.
    """

    sample: Sample
    response: str
    loss_spans: tuple[tuple[int, int], ...] | None = None
    loss_on_end: bool = True


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """How responses are drawn. `temperature = 0` is greedy decoding. `token_ends`: responses come with theirs.

    `first_words`: what the response might begin with; responses come with the log-probs of that.
    """

    num_responses: int
    temperature: float
    max_new_tokens: int
    top_p: float = 1.0
    seed: int = 0
    token_ends: bool = False
    first_words: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RolloutRequest:
    """One sample to be answered `sampling.num_responses` times.

    `images` are encoded image files (PNG, JPEG, ...): bytes, or Ray object refs to bytes that the worker resolves.
    """

    sample: Sample
    images: tuple[object, ...]
    sampling: SamplingParameters


@dataclass(frozen=True, slots=True)
class Response:
    """One sampled response. `logprobs[t]` is the log-probability under which token t was actually sampled.

    `token_ids`: (T,) int32, with the end-of-turn token when `finish_reason == "stop"`. `logprobs`: (T,) float32, after
    suppression and temperature. `weight_version`: the version of the weights that produced it. `token_ends`: (T,)
    int32, where each token ends in `text`, in characters; only where the sampling parameters ask for it.
    `first_word_logprobs`: of the first token of each of the sampling parameters' `first_words`, as the response's first
    token, under the same distribution; empty where two of the words begin with the same token.
    """

    text: str
    token_ids: npt.NDArray[np.int32]
    logprobs: npt.NDArray[np.float32]
    finish_reason: FinishReason
    weight_version: int
    token_ends: npt.NDArray[np.int32] | None = None
    first_word_logprobs: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class RolloutGroup:
    """One sample and its G responses.

    `images` are what the request carried (refs stay refs), so that reference and learner see the same bytes.
    `prompt_token_ids`: (P,) int32, image placeholders expanded, as the engine saw them. `image_sizes`: (height, width)
    in pixels of each image as the vision tower saw it, tiles below each other; empty from an engine without one.
    """

    sample: Sample
    images: tuple[object, ...]
    prompt_token_ids: npt.NDArray[np.int32]
    responses: tuple[Response, ...]
    image_sizes: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class ParsedResponse:
    """What the response grammar found in one text. Parsing is total: there is always one of these.

    `parts` maps the five reasoning parts that were found to their text. `confidence` is None exactly when
    `confidence_problem` says why. `well_formed` is the verdict of the protocol's own format rule and `problems` its
    reasons (empty exactly when `well_formed`).
    """

    parts: dict[str, str]
    answer: str | None
    confidence: float | None
    confidence_problem: str | None
    well_formed: bool
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RewardedResponse:
    """One response's reward: the weighted terms by name, their total, and what they were computed from.

    `masked` is the reason the response takes no part in the update (reward error, timeout, non-finite), or None.
    """

    terms: dict[str, float]
    total: float
    correct: bool
    confidence: float | None
    well_formed: bool
    answer: str | None
    masked: str | None = None


@dataclass(frozen=True, slots=True)
class ScoredGroup:
    """Per-response rewards and advantages of one `RolloutGroup`, in its response order. Small: the driver may hold it.

    `advantages` has one value per response, 0.0 where masked. `num_tokens`: response lengths in tokens.
    `confidence_advantages` take their place on the tokens of the stated confidence: None for a response that is judged
    as a whole; empty where all are.
    """

    sample_id: str
    task: str
    rewarded: tuple[RewardedResponse, ...]
    advantages: tuple[float, ...]
    num_tokens: tuple[int, ...]
    prompt_tokens: int
    weight_versions: tuple[int, ...] = ()
    finish_reasons: tuple[FinishReason, ...] = ()
    texts: tuple[str, ...] = ()
    zero_variance: bool = False
    confidence_advantages: tuple[float | None, ...] = ()

    @property
    def num_unmasked(self) -> int:
        """Responses that take part in the update."""
        return sum(response.masked is None for response in self.rewarded)

    def confidence_advantage(self, index: int) -> float | None:
        """The advantage of the tokens of a response's stated confidence; None where it is the response's."""
        return self.confidence_advantages[index] if self.confidence_advantages else None


@dataclass(frozen=True, slots=True)
class LossDenominators:
    """Global counts of one mini-batch over all ranks and micro-batches, so that any sharding gives the same update.

    For GRPO both count unmasked responses (or their tokens); for SFT `num_tokens` counts tokens that carry loss.
    """

    num_responses: int
    num_tokens: int


@dataclass(frozen=True, slots=True)
class DemonstrationInput:
    """What the model was given of one demonstration, after the image processor: the proof that limits apply.

    `image_tokens` is part of `num_tokens`. `image_sizes`: (height, width) in pixels of each image as the vision tower
    sees it, scaled to the pixel limits. `num_loss_tokens` is 0 for a demonstration dropped as over-long.
    """

    sample_id: str
    num_tokens: int
    num_loss_tokens: int
    image_tokens: int
    image_sizes: tuple[tuple[int, int], ...]
    dropped: bool


@dataclass(frozen=True, slots=True)
class LossSum:
    """A loss summed over `num_tokens` tokens, so that batches of unequal size add up."""

    total: float
    num_tokens: int


@dataclass(frozen=True, slots=True)
class UpdateStatistics:
    """What one optimizer step reports, already reduced over ranks. `skipped` names why no step was taken.

    `inputs`: of a supervised step, all demonstrations of the batch, rank after rank.
    """

    loss: float
    grad_norm: float
    learning_rate: float
    num_tokens: int
    skipped: str | None = None
    extra: dict[str, float] = field(default_factory=dict)
    inputs: tuple[DemonstrationInput, ...] = ()
