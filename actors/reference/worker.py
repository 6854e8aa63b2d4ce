from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from emocal_rl.actors.logprob_pass import group_logprobs
from emocal_rl.actors.policy_model import load_policy, load_processor
from emocal_rl.actors.sequence_encoding import SequenceEncoder
from emocal_rl.actors.suppression import suppressed_token_ids
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import RolloutGroup
from emocal_rl.platform.data.images import ImageLimits


class ReferenceWorker:
    """The frozen policy: log-probs of sampled tokens, with the sampler's temperature and suppressed tokens.

    Args:
        model_dir: Hugging Face checkpoint of the policy training started from.
        config: the run's configuration.
    """

    def __init__(self, model_dir: str | Path, config: Config) -> None:
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._encoder = SequenceEncoder(load_processor(model_dir, config.model), ImageLimits.from_config(config.data))
        self._suppressed = suppressed_token_ids(self._encoder.processor)
        self._policy = load_policy(model_dir, config.model, device=self._device).requires_grad_(False).eval()
        self._temperature = config.rollout.sampling.temperature
        self._budget = config.learner.micro_batch_tokens

    def ready(self) -> None:
        """Return once the model is loaded."""

    def logprobs(self, group: RolloutGroup) -> list[npt.NDArray[np.float32]]:
        """Log-probs of a group's response tokens: (T,) float32 per response."""
        import ray

        images = tuple(ray.get(image) if isinstance(image, ray.ObjectRef) else image for image in group.images)
        (values,) = group_logprobs(
            [replace(group, images=images)],
            self._encoder,
            lambda batch: self._policy(batch.to(self._device), self._temperature, self._suppressed),
            budget=self._budget,
        )
        return values
