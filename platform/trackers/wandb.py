from collections.abc import Mapping

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.runs.directory import RunDirectory


class WandbTracker:
    """Weights & Biases. Each group has its own step axis, since W&B drops steps that go back."""

    def __init__(self, run: RunDirectory, config: Config) -> None:
        import wandb

        self._run = wandb.init(
            project=config.tracking.project,
            name=run.name,
            dir=str(run.path),
            config=config.model_dump(mode="json"),
        )
        self._groups: set[str] = set()

    def log(self, group: str, metrics: Mapping[str, float], step: int) -> None:
        """Log to the run, with the group's step as an axis."""
        if group not in self._groups:
            self._groups.add(group)
            self._run.define_metric(f"{group}/step")
            self._run.define_metric(f"{group}/*", step_metric=f"{group}/step")
        self._run.log({f"{group}/step": step, **{f"{group}/{name}": value for name, value in metrics.items()}})

    def close(self) -> None:
        """Upload what is pending."""
        self._run.finish()
