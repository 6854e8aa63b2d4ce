"""What the report of an evaluation shows: scored predictions to plain data for `platform/report/`."""

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np
from scipy.stats import t as student_t

from emocal_rl.benchmarks.statistics.selective_prediction import risk_coverage
from emocal_rl.benchmarks.vecbench.comparison import ScoredModel, compare, has_tasks
from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.benchmarks.vecbench.metrics import reliability_bins
from emocal_rl.benchmarks.vecbench.outcomes import concatenate
from emocal_rl.benchmarks.vecbench.prediction_sets import PredictionSet
from emocal_rl.benchmarks.vecbench.published import TABLE_NUMBERS, published_table
from emocal_rl.benchmarks.vecbench.sample_key import SampleKey, sample_keys
from emocal_rl.benchmarks.vecbench.tasks import GROUPS, TASK_GROUPS, group_of_task
from emocal_rl.platform.data.vecbench import Prediction
from emocal_rl.platform.emotions.ring import RING_POSITIONS
from emocal_rl.platform.emotions.taxonomy import Taxonomy, taxonomy_of_question
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import Progress
from emocal_rl.platform.report.browser import thumbnail
from emocal_rl.platform.report.calibration_figures import Panel
from emocal_rl.platform.report.cases import Case, ShownPrediction
from emocal_rl.platform.report.confusion_figure import Confusion
from emocal_rl.platform.report.evaluation_page import Evaluation
from emocal_rl.platform.report.evolvement_figure import Evolvement
from emocal_rl.platform.report.palette import SERIES
from emocal_rl.platform.report.results.table import Column, ResultRow, ResultTable, one_line
from emocal_rl.platform.report.risk_coverage_figure import RiskCoverage
from emocal_rl.platform.responses.grammar import parse_response

LoadImage = Callable[[str], bytes | None]

_NUM_HISTOGRAM_BINS = 20
_NUM_CURVE_POINTS = 400
_OVERVIEW = {
    "accuracy": ("Acc", False),
    "f1_macro": ("F1 macro", False),
    "f1_weighted": ("F1 weighted", False),
    "ece": ("ECE", True),
    "brier": ("Brier", True),
    "auc": ("AUC", False),
    "coverage": ("Stated", False),
}
"""Metric to its title, and whether lower is better."""


def of_group(predictions: PredictionSet, group: str) -> PredictionSet:
    """Return the predictions of one group of tasks.

    Raises:
        DataError: there are none.
    """
    kept = [[row for row in repeat if group_of_task(row.task) == group] for repeat in predictions.repeats]
    if not any(kept):
        rule = f"has no task of the group {group}"
        raise DataError(predictions.name, rule=rule, fix="Choose another group, or leave the predictions out.")
    return replace(predictions, repeats=[repeat for repeat in kept if repeat])


def build_evaluation(
    sets: Sequence[PredictionSet],
    models: Sequence[ScoredModel],
    progress: Progress,
    *,
    num_cases: int,
    load_image: LoadImage,
    seed: int = 0,
) -> Evaluation:
    """Lay out everything about scored models.

    Args:
        sets: the predictions.
        models: the same, scored.
        progress: told about the cases' images.
        num_cases: how many samples the case browser gets, drawn evenly over the tasks.
        load_image: gives an image's encoded bytes for a sample's reference, or None when it cannot.
        seed: decides which samples.
    """
    names = [each.name if n == 1 else f"{each.name} #{n}" for each in sets for n in range(1, len(each.repeats) + 1)]
    numbers = [number for number in TABLE_NUMBERS if has_tasks(number, models)]
    return Evaluation(
        title=" · ".join(one_line(model.name) for model in models),
        facts=_facts(models),
        notes=_notes(models),
        tables=[_overview(models), *(compare(number, models, with_published=True) for number in numbers)],
        panels=[calibration_panel(model, SERIES[index % len(SERIES)]) for index, model in enumerate(models)],
        curves=[curve for model in models if (curve := _curve(model)) is not None],
        confusions=_confusions(sets),
        evolvement={one_line(model.name): _by_group(model) for model in models},
        published=_published(models),
        models=[one_line(name) for name in names],
        cases=_cases(sets, num_cases, load_image, seed, progress),
    )


def _facts(models: Sequence[ScoredModel]) -> list[str]:
    tasks = dict.fromkeys(task for model in models for task in model.reports[0].tasks)
    return [f"{len(models)} {'model' if len(models) == 1 else 'models'}", f"{len(tasks)} tasks", "strict protocol"]


def _notes(models: Sequence[ScoredModel]) -> list[str]:
    """Say what could not be read."""
    notes = []
    for model in models:
        failed = sum(report.num_errors for report in model.reports)
        unread: defaultdict[str, int] = defaultdict(int)
        for report in model.reports:
            for problem, count in report.confidence_problems.items():
                unread[problem.replace("_", " ")] += count
        unread.pop("inference error", None)
        if unread:
            listed = ", ".join(f"{problem} {count}" for problem, count in sorted(unread.items()))
            notes.append(f"{model.name}: no valid confidence, outside ECE, Brier and AUC: {listed}.")
        if failed:
            notes.append(f"{model.name}: failed inferences, counted as wrong: {failed}.")
    return notes


def _overview(models: Sequence[ScoredModel]) -> ResultTable:
    rows = []
    for model in models:
        cells = [model.value("overall", "", metric) for metric in _OVERVIEW]
        size = f"{len(model.outcomes[0]):,}" + (f" × {len(model.outcomes)}" if len(model.outcomes) > 1 else "")
        rows.append(ResultRow(one_line(model.name), cells, size))
    columns = [Column("All samples", title, lower) for title, lower in _OVERVIEW.values()]
    notes = ["Percent. Stated is the share of samples with a valid confidence, over which ECE, Brier and AUC are."]
    return ResultTable("Results", columns, rows, notes, "Samples")


def calibration_panel(model: ScoredModel, colour: str) -> Panel:
    """Pool the repeats; the histogram's spread is Student's 95 % interval over them."""
    pooled = concatenate(model.outcomes)
    stated = pooled.where(pooled.stated)
    ece = model.value("overall", "", "ece").value
    histograms = np.array([_histogram(each.confidence[each.stated]) for each in model.outcomes])
    spread: list[tuple[float, float]] = []
    if len(histograms) > 1:
        shares = histograms / np.maximum(histograms.sum(axis=1, keepdims=True), 1)
        half = student_t.ppf(0.975, len(shares) - 1) * shares.std(axis=0, ddof=1) / np.sqrt(len(shares))
        mean = shares.mean(axis=0)
        spread = list(zip(np.maximum(mean - half, 0).tolist(), np.minimum(mean + half, 1).tolist(), strict=True))
    bins = reliability_bins(stated.confidence, stated.correct.astype(np.float64))
    return Panel(
        title=one_line(model.name),
        colour=colour,
        bins=[asdict(row) for row in bins] if len(stated) else [],
        ece=None if ece is None else ece / 100,
        histogram=histograms.sum(axis=0).tolist(),
        spread=spread,
        num_repeats=len(model.outcomes),
    )


def _histogram(confidence: np.ndarray) -> list[int]:
    return [row.count for row in reliability_bins(confidence, confidence, num_bins=_NUM_HISTOGRAM_BINS)]


def _curve(model: ScoredModel) -> RiskCoverage | None:
    pooled = concatenate(model.outcomes)
    stated = pooled.where(pooled.stated)
    if not len(stated):
        return None
    curve = risk_coverage(stated.confidence, stated.correct.astype(np.float64))
    shown = np.unique(np.linspace(0, len(stated) - 1, _NUM_CURVE_POINTS).round().astype(int))
    return RiskCoverage(
        one_line(model.name), curve.coverage[shown].tolist(), curve.risk[shown].tolist(), float(curve.area)
    )


def _by_group(model: ScoredModel) -> dict[str, dict[str, float | None]]:
    scopes = {"accuracy": "group_task_means", "ece": "groups", "brier": "groups"}
    return {
        group: {metric: model.value(scope, group, metric).value for metric, scope in scopes.items()}
        for group in GROUPS
        if group in model.reports[0].groups
    }


def _published(models: Sequence[ScoredModel]) -> Evolvement | None:
    """Return Table 6 where the models are its stages, by name, on the whole of VECBench."""
    known = {row.stage: row.values for row in published_table(6).rows if row.stage}
    whole = all(not model.is_synthetic and model.tasks >= TASK_GROUPS.keys() for model in models)
    return known if whole and {model.name for model in models} <= known.keys() else None


def _confusions(sets: Sequence[PredictionSet]) -> dict[str, tuple[str, list[Confusion]]]:
    """Count truth against answer for every set of labels that occurs, along its ring where it has one."""
    tasks: defaultdict[tuple[str, ...], dict[str, None]] = defaultdict(dict)
    names: dict[tuple[str, ...], str] = {}
    counts: defaultdict[tuple[str, ...], dict[int, np.ndarray]] = defaultdict(dict)
    for index, each in enumerate(sets):
        for prediction in (prediction for repeat in each.repeats for prediction in repeat):
            taxonomy = taxonomy_of_question(prediction.task, prediction.candidates)
            labels = _ring_order(taxonomy)
            judgement = judge(prediction)
            names[labels] = taxonomy.name
            tasks[labels][judgement.task] = None
            matrix = counts[labels].setdefault(index, np.zeros((len(labels), len(labels) + 1), dtype=int))
            column = len(labels) if judgement.answer is None else labels.index(judgement.answer)
            matrix[labels.index(judgement.label), column] += 1
    found = {}
    for number, (labels, matrices) in enumerate(counts.items(), start=1):
        shipped = names[labels] in RING_POSITIONS
        shown = [one_line(label) for label in labels]
        title = f"Confusion on {', '.join(one_line(task) for task in tasks[labels])}"
        found[f"confusion-{names[labels] if shipped else f'labels-{number}'}"] = (
            title,
            [Confusion(one_line(sets[index].name), shown, matrix.tolist()) for index, matrix in matrices.items()],
        )
    return found


def _ring_order(taxonomy: Taxonomy) -> tuple[str, ...]:
    positions = RING_POSITIONS.get(taxonomy.name)
    return tuple(sorted(taxonomy.labels, key=positions.__getitem__)) if positions else taxonomy.labels


def _cases(
    sets: Sequence[PredictionSet], num_cases: int, load_image: LoadImage, seed: int, progress: Progress
) -> list[Case]:
    """Draw samples evenly over the tasks, and show what every model and repeat said to them."""
    answers: dict[SampleKey, list[tuple[int, Prediction]]] = {}
    repeats = [repeat for each in sets for repeat in each.repeats]
    for model, repeat in enumerate(repeats):
        for key, prediction in zip(sample_keys(repeat), repeat, strict=True):
            answers.setdefault(key, []).append((model, prediction))
    chosen = _choose({key: found[0][1].task for key, found in answers.items()}, num_cases, seed)
    progress.phase("images of the cases", len(chosen))
    cases = []
    for key in chosen:
        first = answers[key][0][1]
        image = thumbnail(load_image(first.images[0])) if first.images else ""
        shown = [_shown(model, prediction) for model, prediction in answers[key]]
        cases.append(Case(first.id, judge(first).task, image, first.question, judge(first).label, shown))
        progress.advance()
    return cases


def _choose(tasks: Mapping[SampleKey, str], num_cases: int, seed: int) -> list[SampleKey]:
    """Return at most `num_cases` samples in their order: as many of each task as of any other, while there are."""
    rng = random.Random(seed)
    places: defaultdict[str, int] = defaultdict(int)
    ranked = []
    for key in rng.sample(list(tasks), len(tasks)):
        ranked.append((places[tasks[key]], key))
        places[tasks[key]] += 1
    kept = {key for _, key in sorted(ranked, key=lambda item: item[0])[:num_cases]}
    return [key for key in tasks if key in kept]


def _shown(model: int, prediction: Prediction) -> ShownPrediction:
    judgement = judge(prediction)
    parsed = parse_response(prediction.response or "")
    return ShownPrediction(
        model=model,
        response=prediction.response,
        error=prediction.error,
        parts=parsed.parts,
        answer=judgement.answer,
        written=parsed.answer,
        confidence=judgement.confidence,
        confidence_problem=judgement.confidence_problem,
        correct=judgement.correct,
        well_formed=parsed.well_formed,
    )
