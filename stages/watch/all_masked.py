from collections.abc import Sequence

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import ScoredGroup
from emocal_rl.platform.errors import RewardError
from emocal_rl.rewards.composition import TERMS


def all_masked(step: int, groups: Sequence[ScoredGroup], config: RewardConfig) -> RewardError | None:
    """The error to end a run with where a whole step is masked, None elsewhere: there is nothing to learn from.

    One response without a reward is an accident of that response; a step of them is the reward's own.
    """
    reasons = [response.masked for group in groups for response in group.rewarded]
    if not reasons or reasons[0] is None or None in reasons:
        return None
    terms = {f"reward.{name}": getattr(config, name) for name in TERMS}
    rules = ", ".join(f"{key}.rule={term.rule}" for key, term in terms.items() if term.weight > 0)
    return RewardError(
        "reward",
        rule=f"none of the {len(reasons)} responses of step {step} has one ({rules}); the first: {reasons[0]}",
        fix="Bring up what the rule needs, then `--resume RUN` repeats the step; a rule that is edited is another run",
    )
