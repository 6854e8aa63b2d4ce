from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image, ImageDraw, ImageFont

from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.oracle import Oracle
from emocal_rl.benchmarks.synthvec.tasks import TASKS

_CELL_PX = 168
_LINE_PX = 15
_GAP_PX = 12
_NUM_BARS = 3
_INK, _BAR, _BAYES = (30, 30, 34), (205, 214, 226), (140, 178, 222)


def draw_contact_sheet(files: SynthVECFiles, oracle: Oracle, path: Path, *, images_per_task: int = 7) -> None:
    """Write a PNG with test images by task, each over its most probable labels; the drawn label is marked with a dot.

    The highest bar is the oracle's answer, its number the exactly calibrated confidence.
    """
    tests = oracle.table.filter(pl.col("split").is_in(["test", "test_ood"])).sort("id")
    tasks = [task for task in TASKS.values() if tests["task"].eq(task.name).any()]
    row_height = _LINE_PX * (2 + _NUM_BARS) + _CELL_PX + _GAP_PX
    width = images_per_task * (_CELL_PX + _GAP_PX) + _GAP_PX
    sheet = Image.new("RGB", (width, len(tasks) * row_height + _GAP_PX), "white")
    pen = ImageDraw.Draw(sheet)
    for number, task in enumerate(tasks):
        rows = tests.filter(pl.col("task") == task.name)
        top = _GAP_PX + number * row_height
        domain = "in domain" if task.in_domain else "out of domain"
        accuracy = rows["confidence"].to_numpy().mean()
        title = f"{task.name}   {domain}, {len(task.labels)} labels, oracle accuracy {accuracy:.3f}"
        pen.text((_GAP_PX, top), title, fill=_INK, font=ImageFont.load_default(13))
        for column, row in enumerate(rows.head(images_per_task).iter_rows(named=True)):
            left = _GAP_PX + column * (_CELL_PX + _GAP_PX)
            image = Image.open(files.image(row["id"])).resize((_CELL_PX, _CELL_PX), Image.Resampling.NEAREST)
            sheet.paste(image, (left, top + _LINE_PX + 4))
            _draw_distribution(pen, row, left, top + _LINE_PX + 8 + _CELL_PX)
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path)


def _draw_distribution(pen: ImageDraw.ImageDraw, row: dict[str, Any], left: int, top: int) -> None:
    ranked = sorted(zip(row["labels"], row["probabilities"], strict=True), key=lambda item: -item[1])[:_NUM_BARS]
    for line, (label, probability) in enumerate(ranked):
        y = top + line * _LINE_PX
        pen.rectangle((left, y, left + _CELL_PX * probability, y + _LINE_PX - 2), fill=_BAR if line else _BAYES)
        pen.text((left + 9, y + 1), label, fill=_INK, font=ImageFont.load_default(11))
        pen.text((left + _CELL_PX - 24, y + 1), f"{probability:.2f}", fill=_INK, font=ImageFont.load_default(11))
        if label == row["label"]:
            pen.ellipse((left + 2, y + 4, left + 6, y + 8), fill=_INK)
