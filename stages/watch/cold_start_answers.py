from collections.abc import Sequence
from pathlib import Path

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample, SamplingParameters
from emocal_rl.platform.data.digest import digest_of
from emocal_rl.platform.data.vecbench import read_predictions, write_predictions
from emocal_rl.platform.progress import Progress
from emocal_rl.stages.evaluation import answers_so_far, evaluate
from emocal_rl.stages.image_feed import ImageFeed
from emocal_rl.stages.prompt_order import prompt_order


def samples_answered_right(
    config: Config,
    rollouts: RolloutPool,
    prompts: Sequence[Sample],
    num_steps: int,
    folder: Path,
    journals: Path,
    progress: Progress,
) -> frozenset[str] | None:
    """Ids of the prompts of a run that its cold start answers right; None if `alarms.cold_start_answers` is off.

    Every prompt that the run will come to is answered once, greedily, by the weights that the engines hold: call it
    before step 1 and before a checkpoint is loaded. The judgement is that of the `strict` protocol.

    Args:
        config: of the run.
        rollouts: engines with the cold start's weights.
        prompts: the run's prompts.
        num_steps: how many steps the run takes.
        folder: keeps this cold start's answers, as VECBench predictions; what is there is not asked again.
        journals: the run's own folder for answers until all are there: `folder` may be several runs'.
        progress: told how far it is.
    """
    if not config.alarms.cold_start_answers:
        return None
    size, seed = config.calibration.prompts_per_step, config.run.seed
    visited = {index for step in range(1, num_steps + 1) for index in prompt_order(len(prompts), size, step, seed)}
    max_new_tokens = config.rollout.sampling.max_new_tokens
    file = folder / f"cold_start_answers-{max_new_tokens}.jsonl"
    known = list(read_predictions(str(file))) if file.exists() else []
    missing = {prompts[index].id for index in visited} - {prediction.id for prediction in known}
    if missing:
        sampling = SamplingParameters(1, 0.0, max_new_tokens, seed=seed)
        asked = [prompts[index] for index in sorted(visited) if prompts[index].id in missing]
        name, feed = "cold_start_answers", ImageFeed(config.data)
        # By what is asked: another run may have answered some of it since an earlier attempt.
        with answers_so_far(journals, f"{name}-{digest_of(asked)[:8]}") as journal:
            answered = evaluate(rollouts, asked, sampling, feed, progress, name=name, journal=journal)
            known += answered.predictions
            write_predictions(str(file), known)
    return frozenset(prediction.id for prediction in known if judge(prediction).correct)
