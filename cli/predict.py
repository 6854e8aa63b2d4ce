import json
import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from emocal_rl.cli.asked_model import (
    EndpointOption,
    KeyOption,
    MaxTokensOption,
    ModelOption,
    SeedOption,
    resolve_asked_model,
)
from emocal_rl.cli.options import ConfigOption, JsonOption, RevisionOption, SetOption

if TYPE_CHECKING:
    from rich.console import Console

    from emocal_rl.stages.inference.predict import ImagePrediction

ImagesArgument = Annotated[list[str], typer.Argument(metavar="IMAGE...", help="Image files.")]
TaxonomyOption = Annotated[
    str, typer.Option(help="Labels to choose from: mikels8, webemo7, webemo25, unbiased6 or polarity2.")
]
CandidatesOption = Annotated[str | None, typer.Option(metavar="A,B,...", help="Labels in the place of a taxonomy's.")]
QuestionOption = Annotated[str | None, typer.Option(metavar="TEXT", help="Another question than the trained one.")]
MinConfidenceOption = Annotated[float, typer.Option(min=0, max=1, help="Abstain below this confidence.")]
TemperatureOption = Annotated[float, typer.Option(min=0, max=2, help="0 is greedy: the same answer every time.")]


def predict(
    images: ImagesArgument,
    model: ModelOption = None,
    taxonomy: TaxonomyOption = "mikels8",
    candidates: CandidatesOption = None,
    question: QuestionOption = None,
    min_confidence: MinConfidenceOption = 0.0,
    temperature: TemperatureOption = 0.0,
    max_new_tokens: MaxTokensOption = None,
    seed: SeedOption = None,
    revision: RevisionOption = None,
    endpoint: EndpointOption = None,
    api_key_env: KeyOption = None,
    config: ConfigOption = None,
    sets: SetOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say which emotion images may evoke, how sure the model is, and why: its five reasoning parts.

    Examples:
      emocal-rl predict photo.jpg --model wudq/EmoCaliber --config emocaliber-7b
      emocal-rl predict *.jpg --model runs/calibration-.../model --taxonomy polarity2 --min-confidence 0.7
      emocal-rl predict photo.jpg --model NAME --endpoint http://localhost:8000/v1 --json
    """
    from rich.console import Console

    from emocal_rl.cli.live import open_view
    from emocal_rl.platform.errors import UserError

    if question is not None and not question.strip():
        rule = "must ask something"
        raise UserError("--question", question, rule=rule, fix="Leave it out for the trained question.")
    from emocal_rl.stages.inference import predict as inference

    flags: dict[str, Any] = {
        "model.revision": revision,
        "run.seed": seed,
        "evaluation.endpoint.api_key_env": api_key_env,
    }
    resolved = resolve_asked_model(
        config, flags, sets, model=model, endpoint=endpoint, temperature=temperature, max_new_tokens=max_new_tokens
    )
    labels = _labels(taxonomy, candidates)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # end like Ctrl-C: the engines are stopped
    with open_view(Console(stderr=True)) as view:
        predictions = inference.predict(
            images, labels, resolved, view, question=question, min_confidence=min_confidence
        )
    if as_json:
        typer.echo(json.dumps([prediction.to_dict() for prediction in predictions], indent=2, allow_nan=False))
        return
    console = Console()
    for prediction in predictions:
        _print(prediction, min_confidence, console)


def _labels(taxonomy: str, candidates: str | None) -> tuple[str, ...]:
    from emocal_rl.platform.emotions.taxonomy import TAXONOMIES, normalize_label
    from emocal_rl.platform.errors import UserError, nearest

    if candidates is None:
        if taxonomy not in TAXONOMIES:
            rule = f"must be one of {', '.join(TAXONOMIES)}"
            raise UserError("--taxonomy", taxonomy, rule=rule, fix=nearest(taxonomy, TAXONOMIES))
        return TAXONOMIES[taxonomy].labels
    labels = tuple(label.strip() for label in candidates.split(","))
    if len({normalize_label(label) for label in labels} - {""}) < max(2, len(labels)):
        raise UserError("--candidates", candidates, rule="must be two labels or more, none empty, none twice")
    return labels


def _print(prediction: "ImagePrediction", min_confidence: float, console: "Console") -> None:
    from emocal_rl.stages.chat.exchange import Failure

    parsed, answer = prediction.parsed, prediction.answer
    console.print(prediction.image, style="bold", markup=False, highlight=False, soft_wrap=True)
    if parsed is None:
        error = answer.message if isinstance(answer, Failure) else answer.error
        console.print(f"  no answer    {error}", markup=False, highlight=False, soft_wrap=True)
        return
    confidence = f"none ({parsed.confidence_problem})" if parsed.confidence is None else f"{parsed.confidence:g}"
    facts = {"answer": prediction.label or f"none of the labels: {parsed.answer!r}", "confidence": confidence}
    if prediction.abstains and prediction.label is not None:
        facts["answer"] = f"abstains: not sure enough of {prediction.label} (below {min_confidence:g})"
    for name, text in {**facts, **parsed.parts}.items():
        console.print(f"  {name:<13}{text}", markup=False, highlight=False, soft_wrap=True)
