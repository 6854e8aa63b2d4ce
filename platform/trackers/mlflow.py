from collections.abc import Mapping

from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.runs.directory import RunDirectory


class MLflowTracker:
    """MLflow; the server is MLflow's own setting (`MLFLOW_TRACKING_URI`)."""

    def __init__(self, run: RunDirectory, config: Config) -> None:
        import mlflow

        self._mlflow = mlflow
        mlflow.set_experiment(config.tracking.project)
        mlflow.start_run(run_name=run.name)
        mlflow.log_dict(config.model_dump(mode="json"), "config.yaml")

    def log(self, group: str, metrics: Mapping[str, float], step: int) -> None:
        """Log to the active run of this thread."""
        self._mlflow.log_metrics({f"{group}/{name}": value for name, value in metrics.items()}, step=step)

    def close(self) -> None:
        """End the run."""
        self._mlflow.end_run()
