"""A fake run directory whose numbers resemble a real run on the synthetic world."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageDraw

from emocal_rl.platform.config.load import dump_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.journal import Journal
from emocal_rl.platform.runs.manifest import Manifest
from emocal_rl.platform.runs.samples import write_samples

LABELS = ("amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness")
TASKS = ("Synth-8", "Synth-7", "Synth-2")
NUM_STEPS = 100
ORACLE = {"accuracy": 0.638, "ece": 0.0, "brier": 0.159, "auc": 0.84, "mean_confidence": 0.638}
COLD = {"accuracy": 0.464, "ece": 0.246, "brier": 0.325, "auc": 0.62, "mean_confidence": 0.601}
CALIBRATED = {"accuracy": 0.465, "ece": 0.054, "brier": 0.235, "auc": 0.63, "mean_confidence": 0.461}


@pytest.fixture(scope="session")
def fake_run(tmp_path_factory: pytest.TempPathFactory) -> RunDirectory:
    return build_fake_run(tmp_path_factory.mktemp("runs"))


def build_fake_run(root: Path) -> RunDirectory:
    rng = np.random.default_rng(0)
    with RunDirectory.create(root, "calibration") as run:
        run.config.write_text(dump_config(Config()))
        command = ["emocal-rl", "launch", "--reward", "loglik", "--no-normalize"]
        with Manifest(run.manifest, seeds={"run": 0, "synthvec": 0}, command=command) as manifest:
            manifest.add_hashes({"cold_start": "9f1c" * 16, "data": "77ab" * 16})
            _write_journal(run, rng)
        for step in (1, 25, 50, 75, 100):
            write_samples(run, step, _sample_rows(run, step, rng))
        for name, metrics in (("before", COLD), ("after", CALIBRATED)):
            for decoding, temperature in (("sampled", 1.0), ("greedy", 0.0)):
                values = _evaluation(f"{name}_{decoding}", metrics, temperature, rng)
                (run.evaluations / f"{name}_{decoding}.json").write_text(json.dumps(values))
        (run.evaluations / "validation-000010.json").write_text("{}")
        (run.checkpoints / "step-000100").mkdir()
    return run


def _write_journal(run: RunDirectory, rng: np.random.Generator) -> None:
    with Journal(run) as journal:
        for stage, num_steps in (("reasoning", 120), ("confidence", 60)):
            for step in range(1, num_steps + 1):
                loss = 0.6 + 2.4 * np.exp(-step / 18) + rng.normal(0, 0.04)
                journal.append("sft", {"stage": stage, "loss": loss, "learning_rate": 1e-3}, step=step)
        for step in range(1, NUM_STEPS + 1):
            journal.append("train", _train_row(step, rng), step=step)
            if step % 10 == 0:
                journal.append("validation", _drift(COLD, CALIBRATED, step, rng, 0.01), step=step)
        journal.event("restart", "rollout worker 0 died (SIGKILL); 3 groups are sampled again")


def _drift(first: dict[str, float], last: dict[str, float], step: int, rng: Any, noise: float) -> dict[str, float]:
    share = 1 - np.exp(-step / 30)
    return {name: first[name] + share * (last[name] - first[name]) + rng.normal(0, noise) for name in first}


def _train_row(step: int, rng: np.random.Generator) -> dict[str, float]:
    rollout = _drift(COLD, CALIBRATED, step, rng, 0.03)
    confidence = -0.95 + 0.35 * (1 - np.exp(-step / 30)) + rng.normal(0, 0.06)
    well_formed = min(1.0, 0.97 + step / 4000 + rng.normal(0, 0.005))
    seconds = {"rollout": 1.9, "reward": 0.21, "reference": 0.55, "update": 1.1, "sync": 0.06, "driver": 0.12}
    times = {f"time/{name}_s": max(0.01, value * rng.normal(1, 0.08)) for name, value in seconds.items()}
    return {
        "reward/total": well_formed + rollout["accuracy"] + confidence,
        "reward/format": well_formed,
        "reward/correctness": rollout["accuracy"],
        "reward/confidence": confidence,
        **{f"rollout/{name}": value for name, value in rollout.items()},
        "rollout/share_above_0.9": 0.16 + 0.32 * np.exp(-step / 25) + rng.normal(0, 0.02),
        "rollout/well_formed_share": well_formed,
        "rollout/truncated_share": max(0.0, rng.normal(0.004, 0.003)),
        "rollout/response_tokens": 48 + rng.normal(0, 1),
        "advantage/zero_variance_share": abs(rng.normal(0.02, 0.01)),
        "loss/policy": rng.normal(0, 0.02),
        "loss/kl": 0.06 * (1 - np.exp(-step / 40)) + abs(rng.normal(0, 0.003)),
        "optimizer/grad_norm": 0.8 + rng.normal(0, 0.15),
        **times,
        "time/step_s": sum(times.values()) * 0.92,
        "time/checkpoint_s": 0.4 if step % 20 == 0 else 0.0,
        "weight_version": step,
    }


def _sample_rows(run: RunDirectory, step: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    images = run.path.parent / "images"
    images.mkdir(exist_ok=True)
    rows = []
    for number in range(6):
        label, path = str(rng.choice(LABELS)), images / f"{step}-{number}.png"
        _draw_face(path, rng)
        for index in range(8):
            answer = label if rng.random() < 0.46 else str(rng.choice(LABELS))
            confidence = _state_confidence(step, answer == label, rng)
            rows.append(_sample_row(step, number, index, str(path), label, answer, confidence))
    return rows


def _state_confidence(step: int, correct: bool, rng: np.random.Generator) -> float | None:
    if rng.random() < 0.03:
        return None
    early = rng.normal(0.93 if rng.random() < 0.6 or correct else 0.27, 0.05)
    late = rng.normal(0.52 if correct else 0.41, 0.16)
    return round(float(np.clip(early if rng.random() > step / 100 else late, 0.01, 0.99)), 2)


def _sample_row(
    step: int, number: int, index: int, image: str, label: str, answer: str, confidence: float | None
) -> dict[str, Any]:
    correct = answer == label
    scored = -6.9 if confidence is None else float(np.log(confidence if correct else 1 - confidence))
    total = (confidence is not None) + correct + scored
    stated = "" if confidence is None else f"<confidence>{confidence:.2f}</confidence>"
    text = (
        "<think><element>a round face over a dark blue ground</element><human>wide eyes, the mouth turned down</human>"
        "<context>dim, hazy</context><interaction>the face looks out of the dark</interaction>"
        f"<analysis>low valence, high arousal</analysis></think><answer>{answer}</answer>{stated}"
    )
    return {
        "step": step, "sample_id": f"calibration-{step:03d}{number:02d}", "task": TASKS[number % 3], "image": image,
        "question": "Which emotion may this image evoke? Choose from " + str(list(LABELS)) + ". Think step by step.",
        "label": label, "response_index": index, "text": text, "answer": answer, "confidence": confidence,
        "correct": correct, "well_formed": confidence is not None, "finish_reason": "stop",
        "num_tokens": 46 + index % 4, "weight_version": step - 1, "reward_total": total, "advantage": total - 0.6,
        "confidence_advantage": total - 0.6,
        "masked": None,
        "reward_format": float(confidence is not None), "reward_correctness": float(correct),
        "reward_confidence": scored,
    }  # fmt: skip


def _draw_face(path: Path, rng: np.random.Generator) -> None:
    image = Image.new("RGB", (84, 84), tuple(int(v) for v in rng.integers(20, 140, 3)))
    draw = ImageDraw.Draw(image)
    draw.ellipse((16, 16, 68, 68), fill=(236, 200, 150))
    for x in (30, 48):
        draw.ellipse((x, 34, x + 7, 34 + int(rng.integers(3, 10))), fill="white", outline="black")
    draw.arc((30, 46, 54, 62), *((0, 180) if rng.random() < 0.5 else (180, 360)), fill="black", width=2)
    image.save(path)


def _evaluation(name: str, metrics: dict[str, float], temperature: float, rng: np.random.Generator) -> dict[str, Any]:
    if temperature == 0:
        metrics = {**metrics, "accuracy": metrics["accuracy"] + 0.09, "ece": metrics["ece"] + 0.05}
    spread = {"before": (0.95, 0.27, 0.6), "after": (0.58, 0.33, 0.5)}[name.split("_")[0]]
    high, low, share = spread
    count = 1500
    confidence = np.where(rng.random(count) < share, rng.normal(high, 0.07, count), rng.normal(low, 0.12, count))
    confidence = np.clip(confidence, 0.01, 0.99)
    right = rng.random(count) < (0.464 if "before" in name else np.clip(confidence + rng.normal(0, 0.04, count), 0, 1))
    report = _protocol(confidence, right, metrics)
    measured = _protocol(confidence[:1200], right[:1200], {key: value - 0.004 for key, value in metrics.items()})
    in_domain = {**measured, "expected": metrics, "oracle": ORACLE, "histogram": report["histogram"]}
    ood = {key: value - 0.01 for key, value in metrics.items()}
    return {
        "name": name,
        "temperature": temperature,
        **report,
        "expected": ood,
        "oracle": ORACLE,
        "in_domain": in_domain,
    }


def _protocol(confidence: Any, right: Any, metrics: dict[str, float]) -> dict[str, Any]:
    bins = []
    for i in range(10):
        inside = (confidence >= i / 10) & (confidence < (i + 1) / 10)
        count = int(inside.sum())
        bins.append({
            "lower": i / 10, "upper": (i + 1) / 10, "count": count,
            "mean_confidence": float(confidence[inside].mean()) if count else None,
            "accuracy": float(right[inside].mean()) if count else None,
        })  # fmt: skip
    tasks = {
        task: {**metrics, "accuracy": metrics["accuracy"] + 0.1 * i, "num_samples": 500} for i, task in enumerate(TASKS)
    }
    histogram = np.histogram(confidence, 20, (0, 1))[0].tolist()
    overall = {**metrics, "num_samples": len(confidence), "coverage": 1.0}
    return {"protocol": "strict", "overall": overall, "tasks": tasks, "reliability": bins, "histogram": histogram}
