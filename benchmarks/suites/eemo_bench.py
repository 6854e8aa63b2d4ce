"""EEmo-Bench: emotions that images evoke, in four tasks (Gao et al., arXiv 2504.16405).

What is known of it and how it is read is in `eemo_rows`, of its scores in `eemo_scores`.
"""

from collections.abc import Sequence

from emocal_rl.benchmarks.suites.eemo_rows import LEVELS, samples_of_row
from emocal_rl.benchmarks.suites.eemo_scores import assessment, description, perception, ranking, unread_levels
from emocal_rl.benchmarks.suites.json_rows import read_json_rows
from emocal_rl.benchmarks.suites.suite import Scoring, Suite, SuiteAnswer, SuiteData, SuiteReport, refuse_strangers
from emocal_rl.benchmarks.suites.vecbench import add_sample
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample

_TASKS = ("perception", "ranking", "description", "assessment")
_NOTES = {
    "Perception": "An answer that names no option, or several, is unread and wrong. Single, Pair and Overall are over "
    "all their questions.",
    "Ranking": "Published scorer not released. nDCG of the first three emotions named, their annotated intensities as "
    "gains; first: the strongest one is first; overlap: share of the three that is named; exact: all in order.",
    "Description": "Mean of a judge's scores 0, 1, 2 over all rounds, halved, as the released README has it; no answer "
    "is 0, one without a readable score left out.",
    "Assessment": "Score from the probabilities that the answer begins with a level word (valence: the released ones; "
    "arousal, dominance: ours), correlated with people's; without probabilities left out. Overall: mean of the three.",
}


class EEmoBench(Suite):
    """The questions about single images and pairs; ranking and assessment once per image."""

    def read(self, files: Sequence[str], config: Config) -> SuiteData:
        """See `Suite`."""
        samples: dict[str, Sample] = {}
        for row in read_json_rows(files, "eemo", config.data.image_root):
            for sample in samples_of_row(row):
                once = sample.task == "ranking" or sample.task in LEVELS
                if not (once and sample.id in samples):
                    add_sample(samples, sample)
        return SuiteData(tuple(samples.values()))

    def first_words(self, sample: Sample) -> tuple[str, ...]:
        """See `Suite`."""
        return tuple(LEVELS.get(sample.task, ()))

    def judge_question(self, answer: SuiteAnswer) -> str | None:
        """See `Suite`; the scale is the released README's, the wording ours."""
        if not answer.sample.task.startswith("description") or answer.response is None:
            return None
        return (
            "Somebody was asked about the emotions that images evoke (anger, disgust, fear, joy, neutral, sadness, "
            "surprise). Compare the reply with the reference by completeness, accuracy and relevance. Emotions named "
            "beyond the reference, or not named, are no fault by themselves.\n\n"
            f"Question: {answer.sample.question}\n\nReference: {answer.sample.label}\n\nReply: {answer.response}\n\n"
            "Give 2 if the reply agrees with the reference wholly or nearly so, 1 if in part, 0 if not at all or if it "
            "is no reply to the question. Write nothing but: Score: N"
        )

    def report(self, answers: Sequence[SuiteAnswer], scoring: Scoring) -> SuiteReport:
        """See `Suite`."""
        refuse_strangers(answers, "eemo", _TASKS)
        tables = {
            "Perception": perception(answers, scoring.num_bins),
            "Ranking": ranking(answers),
            "Description": description(answers),
            "Assessment": assessment(answers),
        }
        tables = {title: rows for title, rows in tables.items() if rows}
        num_errors = sum(answer.response is None for answer in answers)
        notes = [*(f"{title}: {_NOTES[title]}" for title in tables), *unread_levels(answers)]
        return SuiteReport(tables, len(answers), num_errors, notes)
