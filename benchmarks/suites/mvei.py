"""MVEI: is a statement about the emotions of an image correct? Wu et al., arXiv 2509.21950.

Format, from the data card of huggingface.co/datasets/wudq/MVEI: `MVEI_metadata.json` is a list of objects with
`image_id` (path below `images/`), `ov_emotion` (a list) and `statement_list`, whose entries have `statement`, `label`
(correct or incorrect), `class` (four dimensions) and `subclass`. The wording of our question is our own.

Scored as the released `eval/cal_metrics.py` does (repository wdqqdw/MVEI): a reply with "incorrect" in it says
incorrect, else one with "correct" in it correct, else it abstains, which is wrong; only that where there is one
`<answer>` part it alone is read, for else the reasoning would decide. F1 of the statements that are correct, and the
calibration of stated confidences, are ours.
"""

from collections import Counter
from collections.abc import Sequence

from emocal_rl.benchmarks.suites.classification import judged, metrics_row
from emocal_rl.benchmarks.suites.json_rows import one_of, read_json_rows
from emocal_rl.benchmarks.suites.reading_answers import answer_part
from emocal_rl.benchmarks.suites.suite import Scoring, Suite, SuiteAnswer, SuiteData, SuiteReport, refuse_strangers
from emocal_rl.benchmarks.vecbench.judgement import Judgement
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.rows import Row

CLASSES = ("sentiment polarity", "emotion interpretation", "scene context", "perception subjectivity")
LABELS = ("Correct", "Incorrect")


class MVEI(Suite):
    """The statements of MVEI, one question each."""

    ending = " Answer with one word and give no reason."

    def read(self, files: Sequence[str], config: Config) -> SuiteData:
        """See `Suite`."""
        rows = read_json_rows(files, "mvei", config.data.image_root)
        num_seen: Counter[str] = Counter()
        return SuiteData(tuple(sample for row in rows for sample in _samples(row, num_seen)))

    def report(self, answers: Sequence[SuiteAnswer], scoring: Scoring) -> SuiteReport:
        """See `Suite`. `yes_rate`: share of statements called correct, right or wrong."""
        refuse_strangers(answers, "mvei", CLASSES)
        read = [
            judged(answer.sample.task, answer.sample.label, said(answer.response), answer.response)
            for answer in answers
        ]
        by_class = {name: [each for each in read if each.task == name] for name in CLASSES}
        rows = {**{name: found for name, found in by_class.items() if found}, "Overall": read}
        return SuiteReport(
            {"MVEI": {name: _row(found, scoring.num_bins) for name, found in rows.items()}},
            len(answers),
            sum(answer.response is None for answer in answers),
            (
                "Read as the released cal_metrics.py reads a reply, within <answer> where there is one; "
                "unread is its give-up ratio, yes rate its positive ratio.",
                "F1 is of the statements that are correct; ECE, Brier and AUC of the stated confidences are ours.",
            ),
        )


def said(response: str | None) -> str | None:
    """Return what a response says of the statement, None where it abstains."""
    text = "" if response is None else answer_part(response).lower()
    if "incorrect" in text:
        return "Incorrect"
    return "Correct" if "correct" in text else None


def _row(judgements: Sequence[Judgement], num_bins: int) -> dict[str, float | None]:
    yes = sum(judgement.answer == "Correct" for judgement in judgements)
    true = sum(judgement.label == "Correct" for judgement in judgements)
    both = sum(judgement.answer == judgement.label == "Correct" for judgement in judgements)
    shared = metrics_row(judgements, num_bins)
    return {
        "accuracy": shared.pop("accuracy"),
        "f1": 2 * both / (yes + true) if yes + true else None,
        "yes_rate": yes / len(judgements),
        **shared,
    }


def _samples(row: Row, num_seen: Counter[str]) -> list[Sample]:
    """Return a row's questions; `num_seen` counts those about each image so far, which number their ids."""
    name, statements = row.text("image_id"), row.value.get("statement_list")
    if not isinstance(statements, list) or not statements:
        rule = "must be a list of at least one statement"
        raise row.error("statement_list", statements, rule, "Correct the row, or drop it.")
    image, samples = row.image("image_id", name), []
    for entry in statements:
        if not isinstance(entry, dict):
            raise row.error("statement_list", entry, "must hold objects", "Correct the row, or drop it.")
        statement = Row(row.url, row.line, entry, row.root)
        label = one_of(statement, "label", LABELS)
        task = one_of(statement, "class", CLASSES)
        question = _question(statement.text("statement").strip())
        num_seen[name] += 1
        samples.append(Sample(f"{name}#{num_seen[name]}", (image,), question, LABELS, label, task, row.url, row.line))
    return samples


def _question(statement: str) -> str:
    return (
        f"A statement about the emotions of this image: {statement} Does it fit what the image shows? The answer is "
        "Correct if it does, Incorrect if it does not."
    )
