"""Reading one prediction: which label it names, whether that is right, and how sure it says it is."""

from dataclasses import dataclass

from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.taxonomy import canonical_task, taxonomy_of_question
from emocal_rl.platform.responses.grammar import parse_response


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the `strict` protocol reads from one prediction.

    `answer` is a canonical label or None. `confidence` is None exactly when `confidence_problem` names the reason:
    for a failed inference `inference_error`.
    """

    task: str
    label: str
    answer: str | None
    confidence: float | None
    confidence_problem: str | None

    @property
    def correct(self) -> bool:
        """Whether the answer is the label; a failed inference is wrong."""
        return self.answer == self.label


def judge(prediction: Prediction) -> Judgement:
    """Read a prediction: exact label or alias after normalising, confidence a plain number in [0, 1]."""
    task = canonical_task(prediction.task)
    taxonomy = taxonomy_of_question(prediction.task, prediction.candidates)
    label = taxonomy.resolve(prediction.label) or prediction.label
    if prediction.response is None:
        return Judgement(task, label, None, None, "inference_error")
    parsed = parse_response(prediction.response)
    answer = taxonomy.resolve(parsed.answer) if parsed.answer is not None else None
    return Judgement(task, label, answer, parsed.confidence, parsed.confidence_problem)
