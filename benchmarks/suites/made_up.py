"""Small data sets in the formats of EEmo-Bench and MVEI, made of images of SynthVEC: nothing is downloaded.

The truth is the world's: what an image evokes are its known probabilities, its valence, arousal and dominance what is
drawn. The numbers of a model on them say nothing about the benchmarks.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emocal_rl.benchmarks.suites.mvei import CLASSES
from emocal_rl.benchmarks.synthvec.files import SynthVECFiles
from emocal_rl.benchmarks.synthvec.oracle import load_oracle
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES, taxonomy_of_task
from emocal_rl.platform.errors import DataError, UserError, nearest

_EMOTION_OF = {"amusement": "Joy", "awe": "Surprise", "contentment": "Joy", "excitement": "Joy"}
"""EEmo-Bench's emotion of a Mikels one that it does not have."""


@dataclass(frozen=True, slots=True)
class _Picture:
    """An image and what is known of it; valence, arousal and dominance in [0, 1], `context` the surroundings' own."""

    name: str
    probabilities: Mapping[str, float]
    valence: float
    arousal: float
    dominance: float
    context: float

    @property
    def label(self) -> str:
        """What it most probably evokes."""
        return max(self.probabilities, key=self.probabilities.__getitem__)

    @property
    def intensities(self) -> dict[str, int]:
        """The three strongest of EEmo-Bench's emotions with a number of votes, the strongest first."""
        votes = {"Neutral": 12 - round(10 * self.arousal)}
        for label, probability in self.probabilities.items():
            name = _EMOTION_OF.get(label, label.capitalize())
            votes[name] = votes.get(name, 0) + round(60 * probability) + 1
        return dict(sorted(votes.items(), key=lambda item: (-item[1], item[0]))[:3])


def write_made_up(bench: str, world: SynthVECFiles, directory: Path, num_images: int) -> list[Path]:
    """Write the data set of a suite: the same world and number give the same files.

    Args:
        bench: `eemo` or `mvei`.
        world: built; the images of its test split that ask about the eight emotions are used.
        directory: to write; images go to `images/` in it.
        num_images: how many.

    Returns:
        The files to give with --data.

    Raises:
        UserError: there is no such suite, or the world has too few images.
    """
    if bench not in _WRITERS:
        rule = f"must be one of: {', '.join(_WRITERS)}"
        raise UserError("suite", bench, rule=rule, fix=nearest(bench, _WRITERS))
    pictures = _pictures(world, directory, num_images)
    written = []
    for name, rows in _WRITERS[bench](pictures).items():
        (directory / name).write_text(json.dumps(rows, indent=1) + "\n")
        written.append(directory / name)
    return written


def _pictures(world: SynthVECFiles, directory: Path, num_images: int) -> list[_Picture]:
    table = load_oracle(world.directory).table
    rows = [
        row
        for row in table.iter_rows(named=True)
        if row["split"] == "test" and taxonomy_of_task(row["task"]) is TAXONOMIES["mikels8"]
    ]
    if len(rows) < num_images:
        rule = f"must be at most {len(rows)}, the images of this world that can be used"
        raise DataError("--num-images", num_images, rule=rule, fix="Give fewer, or --world of a larger one.")
    (directory / "images").mkdir(parents=True, exist_ok=True)
    pictures = []
    for row in rows[:num_images]:
        name = f"{row['id']}.png"
        shutil.copyfile(world.image(row["id"]), directory / "images" / name)
        probabilities = dict(zip(row["labels"], row["probabilities"], strict=True))
        seen = (row["face_valence"], row["arousal"], row["dominance"], row["context_valence"])
        pictures.append(_Picture(name, probabilities, *seen))
    return pictures


def _eemo(pictures: Sequence[_Picture]) -> dict[str, list[dict[str, Any]]]:
    single: list[dict[str, Any]] = []
    for number, picture in enumerate(pictures):
        single += [
            {"id": len(single) + place, **_annotated(picture), **row}
            for place, row in enumerate(_single_rows(number, picture))
        ]
    pairs = list(zip(pictures[::2], pictures[1::2], strict=False))
    pair: list[dict[str, Any]] = []
    for number, (first, second) in enumerate(pairs):
        images = {"image1_url": first.name, "image2_url": second.name}
        pair += [
            {"id": len(pair) + place, **images, **row} for place, row in enumerate(_pair_rows(number, first, second))
        ]
    return {"EEmo-Bench(single).json": single, **({"EEmo-Bench(pair).json": pair} if pair else {})}


def _annotated(picture: _Picture) -> dict[str, Any]:
    """An image's annotation; its dict as text, as in the published file."""
    scores = {"valence": picture.valence, "arousal": picture.arousal, "dominance": picture.dominance}
    return {
        "image_url": picture.name,
        "emotion_dict": repr(picture.intensities),
        **{name: round(1 + 8 * min(max(score, 0.0), 1.0), 2) for name, score in scores.items()},
    }


def _single_rows(number: int, picture: _Picture) -> list[dict[str, Any]]:
    strongest, absent = next(iter(picture.intensities)), _absent(picture, number)
    asked = strongest if number % 2 else absent
    rows = [
        _perception("Yes-or-No", "Emotion perception", f"Is {asked.lower()} the strongest emotion here?",
                    ["Yes.", "No."], asked != strongest, number),
        _perception("What/How", "Valence perception", "How pleasant is what this image evokes?",
                    ["Unpleasant.", "Neither.", "Pleasant."], _third(picture.valence), number),
    ]  # fmt: skip
    if number % 3 == 0:
        reference = f"It mainly evokes {strongest.lower()}: the face is what counts, before the surroundings."
        rows.append(_open("What emotion does it evoke most, and why?", "Reasoning description", reference))
    return rows


def _pair_rows(number: int, first: _Picture, second: _Picture) -> list[dict[str, Any]]:
    is_second = second.arousal > first.arousal
    shared = next(iter(first.intensities)) == next(iter(second.intensities))
    rows = [
        _perception("Yes-or-No", "Emotion perception", "Do both evoke the same emotion most?",
                    ["Yes.", "No."], not shared, number),
        _perception("What/How", "Arousal perception", "Which evokes the more intense emotion?",
                    ["The first image.", "The second image."], is_second, number),
    ]  # fmt: skip
    if number % 3 == 0:
        reference = f"The {'second' if is_second else 'first'} image is the more intense one."
        rows.append(_open("Which is more intense, and why?", "Arousal comparison", reference))
    return rows


def _perception(kind: str, dimension: str, question: str, texts: list[str], right: int, turn: int) -> dict[str, Any]:
    """A row whose options begin at another one from row to row, so that no letter is always right."""
    turned = [texts[(place + turn) % len(texts)] for place in range(len(texts))]
    options = dict(zip("ABCD", turned, strict=False))
    letter = "ABCD"[turned.index(texts[right])]
    return {
        "question": question,
        "options": repr(options),
        "correct_answer": letter,
        "question_type": kind,
        "perceptual_dimension": dimension,
    }


def _open(question: str, dimension: str, reference: str) -> dict[str, Any]:
    return {
        "question": question,
        "correct_answer": reference,
        "question_type": "Open_ended",
        "describing_dimension": dimension,
    }


def _absent(picture: _Picture, turn: int) -> str:
    others = [name for name in ("Anger", "Disgust", "Fear", "Joy", "Sadness") if name not in picture.intensities]
    return others[turn % len(others)]


def _third(value: float) -> int:
    return min(int(3 * value), 2)


def _mvei(pictures: Sequence[_Picture]) -> dict[str, list[dict[str, Any]]]:
    rows = []
    for number, picture in enumerate(pictures):
        kind, is_correct = CLASSES[number % len(CLASSES)], (number // len(CLASSES)) % 2 == 0
        label = picture.label if is_correct else min(picture.probabilities, key=picture.probabilities.__getitem__)
        felt, around = (_polarity(value, as_it_is=is_correct) for value in (picture.valence, picture.context))
        statement = {
            "sentiment polarity": f"Most viewers will feel {felt} emotions at this image.",
            "emotion interpretation": f"The image evokes {label} by what the face shows.",
            "scene context": f"The surroundings alone would evoke {around} emotions.",
            "perception subjectivity": f"Somebody who looks at the surroundings only will feel {around} emotions.",
        }[kind]
        entry = {
            "statement": statement, "label": "correct" if is_correct else "incorrect", "class": kind, "subclass": "none"
        }  # fmt: skip
        rows.append({"image_id": picture.name, "ov_emotion": [picture.label], "statement_list": [entry]})
    return {"MVEI_metadata.json": rows}


def _polarity(value: float, *, as_it_is: bool) -> str:
    return "positive" if (value > 0.5) == as_it_is else "negative"


_WRITERS: Mapping[str, Callable[[Sequence[_Picture]], dict[str, list[dict[str, Any]]]]] = {"eemo": _eemo, "mvei": _mvei}
