from collections.abc import Mapping

import numpy as np

from emocal_rl.rewards.advantages.group_normalized import group_normalized
from emocal_rl.rewards.advantages.raw import Rewards, raw


def per_term(terms: Mapping[str, Rewards], weights: Mapping[str, float], *, epsilon: float) -> Rewards:
    """Normalise each reward term over the group by itself, then add them up by weight: (..., G) each -> (..., G).

    So no term drowns another by its spread alone. The weights of the reward act here, because dividing by a term's
    standard deviation undoes them, the KL penalty's coefficient included; a term without a weight here weighs 1.

    Source: GDPO (Liu et al. 2026, arXiv 2601.05242), without its normalisation over the batch.
    """
    normalized = [
        weights.get(name, 1.0) * group_normalized(raw(values), values, epsilon=epsilon)
        for name, values in terms.items()
    ]
    return np.sum(normalized, axis=0)  # type: ignore[no-any-return]
