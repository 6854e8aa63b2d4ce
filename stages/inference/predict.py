"""`emocal-rl predict`: a model answers for a few images."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from emocal_rl.benchmarks.suites.vecbench import VECBench
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import ParsedResponse, Sample
from emocal_rl.platform.data.location import Location
from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.prompts import question_text
from emocal_rl.platform.responses.grammar import parse_response
from emocal_rl.stages.chat.exchange import Failure
from emocal_rl.stages.inference.answer import Answer
from emocal_rl.stages.inference.answering import answering, check_model, find_unreadable
from emocal_rl.stages.inference.question import Question


@dataclass(frozen=True)
class ImagePrediction:
    """What a model says of one image. `label` is its answer as a candidate, None where it names none.

    `abstains`: there is no label, or no confidence of at least what was asked for.
    """

    image: str
    label: str | None
    abstains: bool
    parsed: ParsedResponse | None
    answer: Answer | Failure

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        row: dict[str, Any] = {"image": self.image, "answer": self.label, "abstains": self.abstains}
        if isinstance(self.answer, Failure) or self.parsed is None:
            return {**row, "error": self.answer.message if isinstance(self.answer, Failure) else self.answer.error}
        return {
            **row,
            "confidence": self.parsed.confidence,
            "confidence_problem": self.parsed.confidence_problem,
            "confidence_ans": self.answer.confidence_ans,
            "confidence_avg": self.answer.confidence_avg,
            "parts": self.parsed.parts,
            "well_formed": self.parsed.well_formed,
            "response": self.answer.text,
            "image_sizes": self.answer.image_sizes,
        }


def predict(
    images: Sequence[str],
    candidates: Sequence[str],
    config: Config,
    progress: Progress,
    *,
    question: str | None = None,
    min_confidence: float = 0.0,
) -> list[ImagePrediction]:
    """Ask about every image once; return what was said, in their order.

    Args:
        images: paths, data URIs, or URLs that the config allows.
        candidates: the labels to choose from.
        config: which model is asked, and how it samples; `evaluation.prompt` is the question.
        progress: told what is being done.
        question: in the place of the one that `evaluation.prompt` names.
        min_confidence: below it the prediction abstains.

    Raises:
        UserError: the model or an image is not there; before anything starts.
    """
    check_model(config)
    text = question or question_text(candidates, confidence=True)
    samples = [_sample(image, text, tuple(candidates)) for image in dict.fromkeys(images)]
    if question is None:
        samples = [VECBench().ask(sample, config.evaluation.prompt) for sample in samples]
    unreadable = find_unreadable(samples, config)
    questions = [Question(index, sample) for index, sample in enumerate(samples) if sample.id not in unreadable]
    answers: dict[str, Answer | Failure] = dict(unreadable)

    def receive(question: Question, answer: Answer | Failure) -> None:
        answers[question.sample.id] = answer
        progress.advance()

    if questions:
        with answering(config, (), progress) as answerer:
            progress.phase("images", len(questions))
            answerer.answer(questions, receive)
    spent = Failure("the budget is spent")
    return [_prediction(sample, answers.get(sample.id, spent), min_confidence) for sample in samples]


def _sample(image: str, question: str, candidates: tuple[str, ...]) -> Sample:
    reference = image if image.startswith("data:") else str(Location.parse(image))
    return Sample(image, (reference,), question, candidates, label="", task="")


def _prediction(sample: Sample, answer: Answer | Failure, min_confidence: float) -> ImagePrediction:
    if isinstance(answer, Failure) or answer.text is None:
        return ImagePrediction(sample.id, None, True, None, answer)
    parsed = parse_response(answer.text)
    taxonomy = taxonomy_of_question("", sample.candidates)
    label = None if parsed.answer is None else taxonomy.resolve(parsed.answer)
    is_sure = min_confidence <= 0 or (parsed.confidence is not None and parsed.confidence >= min_confidence)
    return ImagePrediction(sample.id, label, label is None or not is_sure, parsed, answer)
