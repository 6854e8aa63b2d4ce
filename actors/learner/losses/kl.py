from collections.abc import Callable, Mapping

import torch

from emocal_rl.actors.learner.losses.k1 import k1
from emocal_rl.actors.learner.losses.k2 import k2
from emocal_rl.actors.learner.losses.k3 import k3

KL_ESTIMATORS: Mapping[str, Callable[[torch.Tensor, torch.Tensor], torch.Tensor]] = {"k1": k1, "k2": k2, "k3": k3}
"""`loss.kl_estimator` to the function of (log-probs, reference log-probs), (N,) each, that estimates token by token."""
