"""VECBench, and the synthetic world that mirrors it, as suites."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from emocal_rl.benchmarks.suites.suite import Scoring, Suite, SuiteAnswer, SuiteData
from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.oracle import load_oracle
from emocal_rl.benchmarks.synthvec.world import build_world, world_key
from emocal_rl.benchmarks.vecbench.evaluation import Evaluation, score
from emocal_rl.benchmarks.vecbench.judgement import Judgement, elicited, judge
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.benchmarks.vecbench.strict import MetricRow, strict_report
from emocal_rl.platform.cache import cache_directory
from emocal_rl.platform.config.stages import PromptName
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.samples import read_samples
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.errors import DataError, UserError
from emocal_rl.platform.prompts import zero_shot_text


@dataclass(frozen=True)
class VECBenchReport:
    """An `Evaluation`, and the overall metrics by elicitation where the tokens of the responses are known."""

    evaluation: Evaluation
    elicitation: dict[str, MetricRow]

    def to_dict(self) -> dict[str, Any]:
        """The evaluation's figures, and under `elicitation` those rows."""
        return {
            **self.evaluation.to_dict(), "elicitation": {name: asdict(row) for name, row in self.elicitation.items()}
        }  # fmt: skip


class VECBench(Suite):
    """The test files that are given: VECBench rows, or any rows with candidates."""

    def read(self, files: Sequence[str], config: Config) -> SuiteData:
        """See `Suite`."""
        if not files:
            raise UserError(
                "--data", rule="must name the test files of VECBench", fix="Add --data FILE (once per file)."
            )
        samples: dict[str, Sample] = {}
        for url in files:
            for sample in read_samples(url, config.data.image_root):
                if not sample.candidates:
                    rule = "must list the labels to choose from"
                    key = f"{sample.source}:{sample.line} candidates"
                    raise DataError(key, list(sample.candidates), rule=rule, fix="Give the row its candidates.")
                add_sample(samples, sample)
        return SuiteData(tuple(samples.values()))

    def ask(self, sample: Sample, prompt: PromptName) -> Sample:
        """See `Suite`; a base model gets a question that also an untrained one understands."""
        if prompt == "trained":
            return sample
        return replace(sample, question=zero_shot_text(sample.candidates, confidence=prompt == "zero-shot-confidence"))

    def report(self, answers: Sequence[SuiteAnswer], scoring: Scoring) -> VECBenchReport:
        """See `Suite`: scored under `strict`."""
        predictions = [Prediction.of(answer.sample, response=answer.response, error=answer.error) for answer in answers]
        evaluation = score(
            predictions, scoring.temperature, name=scoring.name, oracle=scoring.oracle, num_bins=scoring.num_bins
        )
        judged = [judge(prediction) for prediction in predictions]
        pairs = list(zip(judged, answers, strict=True))
        by_elicitation: dict[str, list[Judgement]] = {
            "verb": judged,
            "ans": [elicited(judgement, answer.confidence_ans) for judgement, answer in pairs],
            "avg": [elicited(judgement, answer.confidence_avg) for judgement, answer in pairs],
        }
        rows = {name: strict_report(collect(each), scoring.num_bins).overall for name, each in by_elicitation.items()}
        return VECBenchReport(evaluation, rows if rows["avg"].coverage else {})


class SynthVEC(VECBench):
    """Both test splits of the synthetic world, which is built unless it is there."""

    def read(self, files: Sequence[str], config: Config) -> SuiteData:
        """See `Suite`."""
        if files:
            fix = "Drop --data; --set synthvec.num_test=N sets its size."
            rule = "does not go with --bench synthvec, which makes its own"
            raise UserError("--data", list(files), rule=rule, fix=fix)
        world = default_world(config)
        outside = read_samples(str(world.test_ood)) if config.synthvec.num_test_ood else ()
        samples = (*read_samples(str(world.test)), *outside)
        return SuiteData(samples, {"synthvec": world.directory.name}, load_oracle(world.directory))


def default_world(config: Config) -> SynthVECFiles:
    """Return the world of `config.synthvec`, built in the cache unless it is there."""
    return build_world(config.synthvec, cache_directory() / "synthvec" / world_key(config.synthvec))


def add_sample(samples: dict[str, Sample], sample: Sample) -> None:
    """Record a sample by its id.

    Raises:
        DataError: another has it.
    """
    first = samples.setdefault(sample.id, sample)
    if first is not sample:
        rule = f"must be unique over all files; {first.source}:{first.line} has it too"
        fix = "Name every file once, and rename repeated rows."
        raise DataError(f"{sample.source}:{sample.line} id", sample.id, rule=rule, fix=fix)
