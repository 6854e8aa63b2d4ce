"""The pipeline around stages that are made up: hand-off of checkpoints, deaths at every boundary, the table."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emocal_rl.platform.config.load import dump_config, resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.data.vecbench import Prediction, write_vecbench
from emocal_rl.platform.errors import ConfigErrors, RunError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.platform.runs import manifest as manifest_file
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.manifest import Manifest, read_manifest
from emocal_rl.stages import evaluation, label_job, launch, pipeline, recording, sft
from emocal_rl.stages.pipeline_files import check_files, count_rows

MIKELS8 = ("amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness")
TEST = [("FI-8", "awe"), ("FI-8", "fear"), ("Abstract-8", "anger")]


class Killed(BaseException):
    """Stands for the end of the process."""


class MadeUpStages:
    """Every job that a stage calls: notes what it is given, leaves what it should, and dies where it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.dies_before: str | None = None
        self.dies_after: str | None = None
        monkeypatch.setattr(recording, "write_report", lambda *_: None)
        for slow in ("git_state", "package_versions", "host_shape"):
            monkeypatch.setattr(manifest_file, slow, dict)
        monkeypatch.setattr(pipeline, "check_inputs", lambda *_: None)
        monkeypatch.setattr(sft, "run", self._sft)
        monkeypatch.setattr(label_job, "prepare", lambda config, rows: (config, label_job.LabelFiles(rows)))
        monkeypatch.setattr(label_job, "run", self._label)
        monkeypatch.setattr(launch, "run", self._launch)
        monkeypatch.setattr(pipeline, "sampling_engines", self._engines)
        monkeypatch.setattr(pipeline, "evaluate", self._evaluate)

    @contextmanager
    def _working(self, *call: Any) -> Iterator[None]:
        if self.dies_before == call[0]:
            raise Killed
        self.calls.append(call)
        yield
        if self.dies_after == call[0]:
            raise Killed

    def _sft(self, job: sft.SFTJob, *_: object) -> None:
        data, ranks = job.config.data, job.config.learner.num_workers
        with self._working(job.stage, job.config.model.path, data.train, data.image_root, ranks, job.resume):
            (job.directory.path / "model").mkdir(exist_ok=True)

    def _label(self, job: tuple[Config, label_job.LabelFiles], _: object) -> None:
        config, files = job
        with self._working("label", config.model.path, config.data.train, config.rollout.num_workers):
            files.rows.write_text("{}\n")
            files.summary.write_text("{}")

    def _launch(self, job: launch.Job, *_: object) -> None:
        config, directory = job.config, job.directory
        with self._working(
            "calibration",
            config.model.path,
            config.data.train,
            config.data.eval,
            config.rollout.num_workers,
            job.resume,
        ):
            for name, text in (("before_sampled", answer("awe", 0.5)), ("after_sampled", answer("awe", 0.25))):
                predictions = [Prediction.of(sample, response=text) for sample in samples()]
                evaluation.score(predictions, 1.0, name=name).write(directory.evaluations)
            (directory.path / "model").mkdir(exist_ok=True)

    @contextmanager
    def _engines(self, config: Config, _: object) -> Iterator[str | None]:
        yield config.model.path

    def _evaluate(
        self, rollouts: str, samples: Sequence[Sample], *_: object, name: str, journal: Path, **options: Any
    ) -> object:
        assert journal.name == f"{name}.journal"
        with self._working(name, rollouts):
            predictions = [Prediction.of(sample, response=answer("fear", None)) for sample in samples]
        return evaluation.score(predictions, 1.0, name=name, **options)


def answer(label: str, confidence: float | None) -> str:
    stated = "" if confidence is None else f"<confidence>{confidence}</confidence>"
    return f"<think></think><answer>{label}</answer>{stated}"


def samples() -> list[Sample]:
    image = str(Path(IMAGES) / "face.png")
    return [Sample(f"test-{n}", (image,), "Which?", MIKELS8, label, task) for n, (task, label) in enumerate(TEST)]


IMAGES = ""


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    monkeypatch.setitem(globals(), "IMAGES", str(tmp_path))
    Image.new("RGB", (56, 56)).save(tmp_path / "face.png")
    write_vec_cot(str(tmp_path / "1.jsonl"), [DemonstrationSample(sample, "awe") for sample in samples()])
    for name in ("2", "3", "test"):
        write_vecbench(str(tmp_path / f"{name}.jsonl"), samples())
    (tmp_path / "base").mkdir()
    files = {"reasoning": "1", "confidence": "2", "calibration": "3", "evaluation": "test"}
    flags = {f"pipeline.{stage}": str(tmp_path / f"{name}.jsonl") for stage, name in files.items()}
    sets = ["pipeline.num_sft_workers=4", "pipeline.num_sampling_workers=3", "evaluation.greedy=false"]
    sets += ["calibration.prompts_per_step=2", "calibration.num_mini_batches=1"]
    return resolve_config(overrides={"model.path": str(tmp_path / "base"), **flags}, sets=sets)


@pytest.fixture
def stages(monkeypatch: pytest.MonkeyPatch) -> MadeUpStages:
    return MadeUpStages(monkeypatch)


@pytest.fixture
def run(config: Config, tmp_path: Path) -> Callable[..., Path]:
    parent = tmp_path / "runs" / "pipeline"

    def run_pipeline(config: Config = config, last_stage: Any = "evaluation") -> Path:
        with RunDirectory.at(parent) as directory:
            directory.config.write_text(dump_config(config))
            known = read_manifest(directory.manifest).get("hashes", {})
            with Manifest(directory.manifest, seeds={}) as manifest:
                job = pipeline.PipelineJob(config, directory, last_stage, "")
                pipeline.run(job, manifest, SilentProgress(), known)
        return parent

    return run_pipeline


def expected_calls(root: Path, parent: Path) -> list[tuple[Any, ...]]:
    model = {stage: str(parent / stage / "model") for stage in ("reasoning", "confidence", "calibration")}
    return [
        ("reasoning", str(root / "base"), str(root / "1.jsonl"), None, 4, False),
        ("label", model["reasoning"], str(root / "2.jsonl"), 3),
        ("confidence", model["reasoning"], str(parent / "confidence" / "labelled.jsonl"), str(root), 4, False),
        ("calibration", model["confidence"], str(root / "3.jsonl"), str(root / "test.jsonl"), 1, False),
        ("base", str(root / "base")),
        ("scaffold", model["reasoning"]),
    ]


def test_each_stage_gets_the_checkpoint_of_the_one_before(
    stages: MadeUpStages, run: Callable[..., Path], tmp_path: Path
) -> None:
    parent = run()
    assert stages.calls == expected_calls(tmp_path, parent)
    children = {path.parent.name: read_manifest(path) for path in parent.glob("*/manifest.json")}
    assert {name: manifest["status"] for name, manifest in children.items()} == dict.fromkeys(
        ("reasoning", "confidence", "calibration", "evaluation"), "finished"
    )
    assert resolve_config(str(parent / "calibration" / "config.yaml")).model.path == str(
        parent / "confidence" / "model"
    )
    run()
    assert len(stages.calls) == 6  # everything stands


def test_the_evolvement_is_table_6(stages: MadeUpStages, run: Callable[..., Path]) -> None:
    evolvement = json.loads((run() / "evolvement.json").read_text())
    always_fear = {
        "ID VER": {"accuracy": 50.0, "ece": None, "brier": None},
        "OOD VER": {"accuracy": 0.0, "ece": None, "brier": None},
    }
    assert evolvement == {
        "models": {
            "base": always_fear,
            "scaffold": always_fear,
            "cold_start": {
                "ID VER": {"accuracy": 50.0, "ece": 0.0, "brier": 25.0},
                "OOD VER": {"accuracy": 0.0, "ece": 50.0, "brier": 25.0},
            },
            "calibrated": {
                "ID VER": {"accuracy": 50.0, "ece": 25.0, "brier": 31.25},
                "OOD VER": {"accuracy": 0.0, "ece": 25.0, "brier": 6.25},
            },
        },
        "oracle": None,
        "published": None,  # two of VECBench's nine tasks
    }


@pytest.mark.parametrize("boundary", ["dies_before", "dies_after"])
@pytest.mark.parametrize("job", ["reasoning", "label", "confidence", "calibration", "base", "scaffold"])
def test_killed_anywhere_the_same_command_goes_on(
    stages: MadeUpStages, run: Callable[..., Path], boundary: str, job: str, tmp_path: Path
) -> None:
    setattr(stages, boundary, job)
    with pytest.raises(Killed):
        run()
    num_done = len(stages.calls)
    setattr(stages, boundary, None)
    expected = expected_calls(tmp_path, run())
    names = [call[0] for call in expected]
    again = stages.calls[num_done:]
    # What was cut off is worked on again, as a resumption of its own run; what was complete is not.
    first = names.index(job) + (1 if boundary == "dies_after" and job == "label" else 0)
    assert [call[0] for call in again] == names[first:]
    if again[0][0] in ("reasoning", "confidence", "calibration"):
        assert again[0] == (*expected[first][:-1], True)
        again, first = again[1:], first + 1
    if job == "label" and boundary == "dies_before":
        assert again[1] == (*expected[2][:-1], True)
    else:
        assert again == expected[first:]


def test_until_stops_and_a_later_run_goes_on(stages: MadeUpStages, run: Callable[..., Path], tmp_path: Path) -> None:
    parent = run(last_stage="confidence")
    assert [call[0] for call in stages.calls] == ["reasoning", "label", "confidence"]
    run()
    assert stages.calls == expected_calls(tmp_path, parent)


def test_from_a_later_stage_the_model_is_the_one_it_begins_with(
    stages: MadeUpStages, run: Callable[..., Path], config: Config, tmp_path: Path
) -> None:
    later = config.pipeline.model_copy(update={"first_stage": "calibration", "reasoning": None, "confidence": None})
    config = config.model_copy(update={"pipeline": later})
    check_files(config)
    assert count_rows(config) == {"calibration": 3, "evaluation": 3}
    evolvement = json.loads((run(config) / "evolvement.json").read_text())
    assert [call[:2] for call in stages.calls] == [("calibration", str(tmp_path / "base"))]
    assert list(evolvement["models"]) == ["cold_start", "calibrated"]


def test_a_file_that_changed_between_stages_is_refused(
    stages: MadeUpStages, run: Callable[..., Path], tmp_path: Path
) -> None:
    run(last_stage="reasoning")
    (tmp_path / "3.jsonl").write_text("")
    for _ in range(2):  # a refusal forgets nothing
        with pytest.raises(RunError, match=r"pipeline.calibration = '.*3.jsonl': has changed since the run"):
            run()


def test_the_files_of_all_stages_are_wanted_before_the_first(config: Config) -> None:
    assert count_rows(config) == {"reasoning": 3, "confidence": 3, "calibration": 3, "evaluation": 3}
    missing = config.pipeline.model_copy(update={"confidence": None, "evaluation": None})
    with pytest.raises(ConfigErrors) as caught:
        check_files(config.model_copy(update={"pipeline": missing}))
    assert str(caught.value).splitlines() == [
        "pipeline.confidence: is missing. Give the stage's file (--confidence-data).",
        "pipeline.evaluation: is missing. Give the stage's file (--evaluation-data).",
    ]
