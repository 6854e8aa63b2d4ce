"""The official protocol against a slow reading of its facts in the plainest way, cell by cell."""

import random
import re
from itertools import pairwise

import pytest

from emocal_rl.benchmarks.vecbench.explain import explain
from emocal_rl.benchmarks.vecbench.judgement import judge
from emocal_rl.benchmarks.vecbench.official import judge_official, judge_official_overall, official_report
from emocal_rl.benchmarks.vecbench.official_log import metric_conf_log
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.platform.data.vecbench import Answered, Prediction
from emocal_rl.platform.emotions.taxonomy import TASK_TAXONOMIES, TAXONOMIES

GROUPS = {
    "ID VSA": ["FI-2", "WebEmo-2"],
    "ID VER": ["FI-8", "EmoSet-8", "WebEmo-7", "WebEmo-25"],
    "OOD VER": ["Abstract-8", "Artphoto-8", "UnbiasedEmo-6"],
}
ORDER = [*sorted(set(TASK_TAXONOMIES) - {"WebEmo-25"}), "WebEmo-25"]
TASKS = [*ORDER, "ArtPhoto-8", "fi-8", "WebEmo-25 ", "Emo-3"]
NUMBERS = ["0.85", "1.0", "1", "0", "0.3", "0.6", "0.7", ".5", "85", "-0.5", "nan", "inf", "{0.85}", "{0.3", "1e-1"]
NUMBERS += ["0_5", "+0.4", "0.123456", "85%", "high", "٠.٥", "{}", "0,5", "0.{8}5", "{ .5 }", "\t.5"]
PIECES = ["awesome", "danger", "enjoy", "storage", "not", "\n", " ", "<answer>", "</answer>", "</confidence>", "ſ", "İ"]


def random_prediction(rng: random.Random, number: int) -> Prediction:
    task = rng.choice(TASKS)
    candidates = list(TAXONOMIES[TASK_TAXONOMIES.get(task, "mikels8")].labels)
    rng.shuffle(candidates)
    if rng.random() < 0.05:
        candidates[0] = rng.choice(["unknown", "enjoyment", "some"])
    if rng.random() < 0.1:
        candidates = [candidate.capitalize() for candidate in candidates]
    label = rng.choice(candidates)
    if rng.random() < 0.03:
        return Prediction(str(number), (), "?", tuple(candidates), label, task, error="timeout")

    def words() -> str:
        return "".join(rng.choice([*PIECES, *candidates, label, label.upper()]) for _ in range(rng.randrange(4)))

    answer = rng.choice([label, label, label.upper(), rng.choice(candidates), words(), "", " "])
    confidence = rng.choice([*NUMBERS, f"{rng.random():.2f}", f" {rng.random():.1f}", words()])
    opened, closed = rng.choice(
        [("<answer>", "</answer>")] * 8 + [("", ""), ("<Answer>", "</ANSWER>"), ("<answer>", "")]
    )
    stated = rng.choice(
        [f"<confidence>{confidence}</confidence>"] * 8 + ["", f"<confidence>\n{confidence}</confidence>"]
    )
    response = f"{words()}{opened}{answer}{closed}{rng.choice(['', words()])}{stated}{rng.choice(['', words()])}"
    return Prediction(str(number), (), "?", tuple(candidates), label, task, response=response)


def reference_rows(predictions: list[Prediction]) -> list[dict]:
    rows = []
    for prediction in predictions:
        if prediction.error is not None:
            continue
        text = prediction.response
        found = re.search("<confidence>(.*?)</confidence>", text)
        confidence = None
        if found:
            try:
                confidence = float(re.sub("[{}]", "", found.group(1)))
            except ValueError:
                continue
            if confidence > 1:
                confidence = 1.0
            if confidence < 0:
                confidence = 0.0
        part = re.search("<answer>(.*?)</answer>", text.lower())
        where = text.lower()
        if part and part.group(1):
            where = part.group(1)
        answer = "unknown"
        for candidate in prediction.candidates:
            if candidate.lower() in where:
                answer = candidate.lower()
                break
        overall = "unknown"
        for candidate in prediction.candidates:
            if candidate in text.lower():
                overall = candidate
                break
        rows.append(
            {
                "task": prediction.task,
                "label": prediction.label.lower(),
                "answer": answer,
                "overall_label": prediction.label.lower(),
                "overall_answer": overall,
                "confidence": confidence,
            }
        )
    return rows


def accuracy_and_f1(pairs: list[tuple[str, str]]) -> list[float]:
    weighted = 0.0
    for name in {label for label, _ in pairs}:
        right = sum(label == name == answer for label, answer in pairs)
        support = sum(label == name for label, _ in pairs)
        named = sum(answer == name for _, answer in pairs)
        weighted += support / len(pairs) * 2 * right / (support + named)
    return [sum(label == answer for label, answer in pairs) / len(pairs), weighted]


def calibration(pairs: list[tuple[float, bool]]) -> list[float]:
    import numpy as np

    edges, ece = np.linspace(0, 1, 11), 0.0
    for lower, upper in pairwise(edges):
        inside = [(value, right) for value, right in pairs if lower <= value < upper]
        if inside:
            mean, share = (sum(column) / len(inside) for column in zip(*inside, strict=True))
            ece += len(inside) / len(pairs) * abs(mean - share)
    brier = sum((value - right) ** 2 for value, right in pairs) / len(pairs)
    above = [[(a > b) + (a == b) / 2 for b, wrong in pairs if not wrong] for a, right in pairs if right]
    comparisons = [value for row in above for value in row]
    if not comparisons or any(value != value for value, _ in pairs):
        return []
    return [ece, brier, sum(comparisons) / len(comparisons)]


def reference_cells(predictions: list[Prediction]) -> list[list[str]]:
    rows, cells = reference_rows(predictions), []
    for task in ORDER:
        pairs = [(row["label"], row["answer"]) for row in rows if row["task"] == task]
        if pairs:
            shown = [f"{100 * value:.2f}" for value in accuracy_and_f1(pairs)]
            cells.append([task, *shown, "N/A", "N/A", "N/A", str(len(pairs))])
    for group, tasks in GROUPS.items():
        inside = [row for row in rows if row["task"] in tasks]
        pairs = [(row["confidence"], row["label"] == row["answer"]) for row in inside if row["confidence"] is not None]
        _, f1 = accuracy_and_f1([(row["label"], row["answer"]) for row in inside])
        values = [sum(right for _, right in pairs) / len(pairs), f1, *calibration(pairs)]
        shown = [f"{100 * value:.2f}" for value in values] + ["N/A"] * (5 - len(values))
        cells.append([group, *shown, str(len(inside))])
    values = accuracy_and_f1([(row["overall_label"], row["overall_answer"]) for row in rows])
    cells.append(["Overall", *(f"{100 * value:.2f}" for value in values), "N/A", "N/A", "N/A", str(len(rows))])
    return cells


@pytest.mark.parametrize("seed", range(12))
def test_every_cell_of_the_log_agrees(seed: int) -> None:
    rng = random.Random(seed)
    predictions = [random_prediction(rng, number) for number in range(400)]
    if seed % 2:  # without NaN, so that the groups have a Brier and an AUC
        predictions = [prediction for prediction in predictions if "nan" not in (prediction.response or "")]
    judged = collect(map(judge_official, predictions)), collect(map(judge_official_overall, predictions))
    lines = metric_conf_log(official_report(*judged)).splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    assert cells[1:] == reference_cells(predictions)


def test_a_row_without_an_explanation_is_read_alike_by_all() -> None:
    rng, num_alike = random.Random(99), 0
    for number in range(3000):
        made = random_prediction(rng, number)
        asked = (made.id, made.candidates, made.label, made.task, "", number)
        answered = Answered(*asked, made.response, made.error)
        strict, official, overall = judge(answered), judge_official(answered), judge_official_overall(answered)
        if explain(answered, strict, official, overall) is None:
            num_alike += 1
            assert strict.correct == official.correct == overall.correct
            assert strict.confidence == official.confidence is not None
            assert strict.confidence not in (1.0, 0.3, 0.6, 0.7)
    assert 100 < num_alike < 2900
