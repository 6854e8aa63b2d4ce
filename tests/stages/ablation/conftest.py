"""An ablation whose runs are made up: policies with a known accuracy and confidence answer a small test set."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from emocal_rl.platform.config.ablation import make_ablation
from emocal_rl.platform.config.load import dump_config
from emocal_rl.platform.contracts import REASONING_PARTS, Sample
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_task
from emocal_rl.platform.responses.grammar import render_response
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal
from emocal_rl.stages.ablation.grid import Layout, lay_out
from emocal_rl.stages.ablation.journal import AblationJournal
from emocal_rl.stages.evaluation import score

TASKS = ("SynthFI-8", "SynthFI-2", "SynthAbstract-8")
GRID = {"reward.confidence.rule": ["loglik", "brier"], "advantage.normalize": [False, True]}
PARTS = dict.fromkeys(REASONING_PARTS, "seen")


def layout_of(seeds: int = 2, **changed: Any) -> Layout:
    values = {"grid": GRID, "seeds": seeds, **changed}
    return lay_out(make_ablation(values, "test"), "smoke", {}, [])


def answers(accuracy: float, confidence: float, rng: np.random.Generator, num_samples: int = 60) -> list[Prediction]:
    found = []
    for task in TASKS:
        labels = taxonomy_of_task(task).labels
        for number in range(num_samples):
            label = labels[number % len(labels)]
            wrong = labels[(number + 1) % len(labels)]
            stated = float(np.clip(rng.normal(confidence, 0.1), 0.01, 0.99))
            answer = label if rng.random() < accuracy else wrong
            sample = Sample(f"{task}-{number}", ("a.png",), "Which?", labels, label, task)
            found.append(Prediction.of(sample, response=render_response(PARTS, answer, f"{stated:.2f}")))
    return found


def evaluate(run: Path, name: str, predictions: list[Prediction]) -> None:
    (run / "eval").mkdir(exist_ok=True)
    score(predictions, 1.0, name=name).write(run / "eval")


def finish(run: Path, *, accuracy: float, confidence: float, seed: int, status: str = "finished") -> None:
    """Leave what a run of stage 3 leaves that goes from accuracy 0.5, confidence 0.8 to the given ones."""
    rng = np.random.default_rng(seed)
    if not (run / "eval" / "before_sampled.json").exists():
        evaluate(run, "before_sampled", answers(0.5, 0.8, np.random.default_rng(seed)))
    with Journal(RunDirectory(run)) as journal:
        for step in range(1, 31):
            share = 1 - np.exp(-step / 8)
            row = {
                "rollout/mean_confidence": 0.8 + share * (confidence - 0.8) + rng.normal(0, 0.02),
                "rollout/accuracy": 0.5 + share * (accuracy - 0.5) + rng.normal(0, 0.02),
                "rollout/ece": abs(0.3 - share * 0.2 + rng.normal(0, 0.02)),
                "rollout/decoy_share": 0.01,
            }
            journal.append("train", row, step=step)
    if status == "finished":
        evaluate(run, "after_sampled", answers(accuracy, confidence, rng))
    manifest = {"status": status, "error": None if status == "finished" else "overconfidence at step 30"}
    (run / "manifest.json").write_text(json.dumps(manifest))


@dataclass(frozen=True)
class MadeUp:
    """Makes ablations and their runs under `root`."""

    root: Path

    layout = staticmethod(layout_of)
    finish = staticmethod(finish)

    @staticmethod
    def evaluate(run: Path, name: str, seed: int) -> None:
        """Leave the evaluation of a cold start that is right half the time and states about 0.8."""
        evaluate(run, name, answers(0.5, 0.8, np.random.default_rng(seed)))

    def journal(self, seeds: int = 2, **changed: Any) -> AblationJournal:
        layout, folder = layout_of(seeds, **changed), self.root / "ablation"
        folder.mkdir()
        (folder / "config.yaml").write_text(dump_config(layout.base))
        return AblationJournal.create(folder, layout, [f"audit of {cell.name}" for cell in layout.cells])


@pytest.fixture
def made_up(tmp_path: Path) -> MadeUp:
    return MadeUp(tmp_path)


@pytest.fixture(scope="module")
def made_up_once(tmp_path_factory: pytest.TempPathFactory) -> MadeUp:
    """The same for what the tests of a module only read."""
    return MadeUp(tmp_path_factory.mktemp("ablation"))
