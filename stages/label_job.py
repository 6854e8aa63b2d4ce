"""`emocal-rl label`: the scaffold model answers held-out rows, equation 2 says how sure it should have been."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from emocal_rl.actors.rollout.pool import RolloutPool
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.embedded import with_packed_images
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.emotions.ring import Rings
from emocal_rl.platform.emotions.ring_file import read_rings
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.errors import DataError, ModelError, UserError
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.report.label_figure import draw_label_histogram
from emocal_rl.platform.report.palette import write_figure
from emocal_rl.platform.runs.atomic import write_text
from emocal_rl.stages.image_feed import ImageFeed
from emocal_rl.stages.inputs import check_images, check_num_images, hash_file
from emocal_rl.stages.labelling import Labelled, ScaffoldResponse, label_responses, sample_scaffold
from emocal_rl.stages.model_settings import model_settings
from emocal_rl.stages.response_journal import ResponseJournal, read_responses
from emocal_rl.stages.sampling_engines import sampling_engines

_SUFFIX = ".jsonl"
Journal = ResponseJournal[ScaffoldResponse]


@dataclass(frozen=True)
class LabelFiles:
    """What a labelling job writes: rows for stage 2, their summary and histogram, and the journal it resumes from."""

    rows: Path

    @property
    def summary(self) -> Path:
        """Counts, means and histogram as JSON."""
        return self._beside(".summary.json")

    @property
    def figure(self) -> Path:
        """The histogram of c*."""
        return self._beside(".png")

    @property
    def journal(self) -> Path:
        """The sampled responses."""
        return self._beside(".journal.jsonl")

    def _beside(self, suffix: str) -> Path:
        return self.rows.with_name(self.rows.name.removesuffix(_SUFFIX) + suffix)


@dataclass(frozen=True)
class LabelJob:
    """A labelling job that has been checked as far as can be without starting anything."""

    config: Config
    files: LabelFiles
    samples: tuple[Sample, ...]
    rings: Rings
    settings: dict[str, object]
    num_done: int
    """Responses that the journal of an earlier attempt holds."""

    @property
    def num_by_task(self) -> dict[str, int]:
        """Samples of each task."""
        return dict(sorted(Counter(sample.task for sample in self.samples).items()))


def prepare(config: Config, rows: Path) -> LabelJob:
    """Read and check what the job needs: rows, rings, the model's files, the journal of an earlier attempt.

    Args:
        config: `model.path` is the scaffold, `data.train` the rows to label, `confidence` how.
        rows: the local JSONL file to write.

    Raises:
        UserError: any of them is not as it should be.
    """
    assert config.data.train is not None
    files = LabelFiles(rows)
    if not rows.name.endswith(_SUFFIX) or rows.parts[0].endswith(":"):  # s3: and the like
        raise UserError("--out", str(rows), rule=f"must be a local {_SUFFIX} file", fix="Convert it afterwards.")
    if rows.exists() and not files.journal.exists():
        fix = "Choose another name, or remove the file."
        raise UserError("--out", str(rows), rule="exists already and is not from an unfinished job", fix=fix)
    samples = tuple(read_samples(config.data.train, config.data.image_root))
    rings = read_rings(config.confidence.ring)
    _check_rings(samples, rings)
    check_num_images(samples, config)
    settings = _settings(config)
    num_done = len(read_responses(files.journal, settings, ScaffoldResponse))
    return LabelJob(config, files, samples, rings, settings, num_done)


def run(job: LabelJob, progress: Progress) -> dict[str, Any]:
    """Sample what the journal lacks, label everything, write the job's files; return the summary.

    Killed anywhere, the same command goes on behind the last journalled response and writes the same files, rows in the
    order of the input.

    Raises:
        DataError: an image is missing or too large; before anything is sampled.
        ModelError: not one response could be labelled.
    """
    with ResponseJournal(job.files.journal, job.settings, ScaffoldResponse) as journal:
        if remaining := _remaining(job, journal):
            check_images([job.samples[index] for index in remaining], job.config, progress)
            with sampling_engines(job.config, progress) as rollouts:
                answer(job, rollouts, journal, progress)
        return finish(job, journal)


def answer(job: LabelJob, rollouts: RolloutPool, journal: Journal, progress: Progress) -> None:
    """Sample every response that the journal lacks; a sample that cannot be asked is told, and has none."""
    progress.phase("responses", len(job.samples))
    progress.advance(len(journal.responses))
    remaining = _remaining(job, journal)
    samples = [job.samples[index] for index in remaining]
    sampling, feed = job.config.confidence.sampling, ImageFeed(job.config.data)

    def tell(_: int, error: DataError) -> None:
        progress.message(f"no answer: {error}")

    for number, response in sample_scaffold(rollouts, samples, sampling, feed, tell, seed=job.config.run.seed):
        journal.append(remaining[number], response)
        progress.advance()


def _remaining(job: LabelJob, journal: Journal) -> list[int]:
    return [index for index in range(len(job.samples)) if index not in journal.responses]


def finish(job: LabelJob, journal: Journal) -> dict[str, Any]:
    """Label the journal's responses and write rows, summary and histogram; return the summary."""
    labelled = label_responses(job.samples, journal.responses, job.rings)
    summary = {
        "num_samples": len(job.samples),
        **labelled.summary(),
        "ring": job.config.confidence.ring or "shipped",
        "settings": job.settings,
    }
    _refuse_nothing(job, labelled)
    packed = (replace(each, sample=with_packed_images(each.sample)) for each in labelled.demonstrations)
    write_vec_cot(str(job.files.rows), packed)
    write_figure(draw_label_histogram(summary["histogram"]["right"], summary["histogram"]["wrong"]), job.files.figure)
    write_text(job.files.summary, json.dumps(summary, indent=2, allow_nan=False) + "\n")
    return summary


def _refuse_nothing(job: LabelJob, labelled: Labelled) -> None:
    if not labelled.samples:
        reasons = ", ".join(f"{count} {reason}" for reason, count in labelled.dropped.items())
        fix = "Give the checkpoint of stage 1; the responses are in the journal."
        rule = f"gave no response that can be labelled ({reasons})"
        raise ModelError("--model", job.config.model.path, rule=rule, fix=fix)


def _check_rings(samples: tuple[Sample, ...], rings: Rings) -> None:
    """Refuse a sample whose labels have no distances before anything is sampled."""
    for sample in samples:
        taxonomy = taxonomy_of_question(sample.task, sample.candidates)
        if taxonomy.name not in rings:
            rule = f"must be the label set of a taxonomy with a ring ({', '.join(rings)})"
            fix = "Correct the row's candidates, or drop it."
            raise DataError(f"{sample.source}:{sample.line} candidates", sample.candidates, rule=rule, fix=fix)


def _settings(config: Config) -> dict[str, object]:
    """What the sampled responses depend on."""
    assert config.data.train is not None
    sampling = config.confidence.sampling
    return {
        "data.train (sha256)": hash_file(config.data.train),
        "data.image_root": config.data.image_root,
        **model_settings(config),
        **{f"confidence.sampling.{name}": value for name, value in sampling.model_dump().items()},
        "run.seed": config.run.seed,
    }
