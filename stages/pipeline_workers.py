"""How many workers a pipeline's stages have that run without the other roles."""

from emocal_rl.platform.config.tree import Config


def with_sft_workers(config: Config) -> Config:
    """`config` as stages 1 and 2 take it: they have the cluster to themselves."""
    count = config.pipeline.num_sft_workers or config.learner.num_workers
    return config.model_copy(update={"learner": config.learner.model_copy(update={"num_workers": count})})


def with_sampling_workers(config: Config) -> Config:
    """`config` as labelling and evaluation take it: they have the cluster to themselves."""
    count = config.pipeline.num_sampling_workers or config.rollout.num_workers
    return config.model_copy(update={"rollout": config.rollout.model_copy(update={"num_workers": count})})
