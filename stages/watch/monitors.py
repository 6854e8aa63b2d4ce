from collections.abc import Collection, Sequence

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import ScoredGroup
from emocal_rl.rewards.composition import term_weights
from emocal_rl.stages.watch.advantage_makeup import advantage_makeup
from emocal_rl.stages.watch.calibration_by_task import calibration_by_task
from emocal_rl.stages.watch.confidence_spread import confidence_spread
from emocal_rl.stages.watch.exits import exits
from emocal_rl.stages.watch.response_columns import ResponseColumns


def monitors(
    groups: Sequence[ScoredGroup], config: Config, known: Collection[str] | None = None
) -> dict[str, float | None]:
    """Everything that is watched in a step's rollouts beside `rollout_statistics`; masked responses are left out.

    Args:
        groups: the step's scored groups.
        config: bins of the calibration error, weights of the reward terms and of the KL penalty.
        known: ids of the samples that the cold start answered right; None if it was not asked.
    """
    columns = ResponseColumns.of(groups)
    return {
        **calibration_by_task(columns, num_bins=config.evaluation.num_bins),
        **confidence_spread(columns),
        **advantage_makeup(columns, term_weights(config.reward, config.loss)),
        **exits(columns, known),
    }
