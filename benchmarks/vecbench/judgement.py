"""Reading one prediction: which label it names, whether that is right, and how sure it says it is."""

from dataclasses import dataclass, replace

from emocal_rl.platform.data.vecbench import Answered, Prediction
from emocal_rl.platform.emotions.taxonomy import canonical_task, taxonomy_of_question
from emocal_rl.platform.responses.grammar import read_answer

INFERENCE_ERROR = "inference_error"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What one protocol reads from one prediction; `judge` reads it under `strict`.

    `answer` is a label or None. `confidence` is None exactly when `confidence_problem` names the reason: for a failed
    inference `INFERENCE_ERROR`.
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


def judge(prediction: Prediction | Answered) -> Judgement:
    """Read a prediction: exact label or alias after normalising, confidence a plain number in [0, 1]."""
    task = canonical_task(prediction.task)
    taxonomy = taxonomy_of_question(prediction.task, prediction.candidates)
    label = taxonomy.resolve(prediction.label) or prediction.label
    if prediction.response is None:
        return Judgement(task, label, None, None, INFERENCE_ERROR)
    answer, confidence, problem = read_answer(prediction.response)
    named = None if answer is None else taxonomy.resolve(answer)
    return Judgement(task, label, named, confidence, problem)


def judge_ans(answered: Answered) -> Judgement:
    """Read a prediction with the probability of its answer's first decisive token as its confidence."""
    return elicited(judge(answered), answered.ans)


def judge_avg(answered: Answered) -> Judgement:
    """Read a prediction with the mean probability of its tokens as its confidence."""
    return elicited(judge(answered), answered.avg)


def elicited(judgement: Judgement, confidence: float | None) -> Judgement:
    """Put another confidence in the place of the stated one, None where there is none; a failed inference has none."""
    if judgement.confidence_problem == INFERENCE_ERROR:
        return judgement
    return replace(judgement, confidence=confidence, confidence_problem="missing" if confidence is None else None)
