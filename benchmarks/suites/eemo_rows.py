"""The rows of EEmo-Bench as questions.

Format, read off the files of repository workerred/EEmo-Bench (leaderboards, example code) and, for the keys of single
images' annotations, off a third party's loader: each file is a list of objects with `id`, `question`, `question_type`
(Yes-or-No, What/How, Open_ended), `options` (the text of a Python dict, letter to text), `correct_answer` (a letter;
of an open question the reference answer), `perceptual_dimension` or `describing_dimension`. A row about one image has
`image_url`, and about it `emotion_dict` (text of a dict, emotion to intensity, the three strongest) and `valence`,
`arousal`, `dominance` (1 to 9); a row about two has `image1_url` and `image2_url`. What a row does not bring of an
image's annotation is not asked. The wording around the questions is our own.
"""

import json
from collections.abc import Iterator, Mapping

from emocal_rl.benchmarks.suites.json_rows import literal_dict, number, one_of
from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.rows import Row

EMOTIONS = ("anger", "disgust", "fear", "joy", "neutral", "sadness", "surprise")
DIMENSIONS = ("valence", "arousal", "dominance")
LEVELS: Mapping[str, Mapping[str, float]] = {
    "assessment|valence": {"Positive": 1.0, "Neutral": 0.5, "Negative": 0.0},
    "assessment|arousal": {"High": 1.0, "Medium": 0.5, "Low": 0.0},
    "assessment|dominance": {"High": 1.0, "Medium": 0.5, "Low": 0.0},
}
"""By task: the words an answer may begin with, and what each counts. Valence as in the README of the released code,
which refers to the paper for the words of the others; those here are ours."""

_TYPES = ("Yes-or-No", "What/How", "Open_ended")
_MEANING = {
    "valence": "how pleasant the emotion is",
    "arousal": "how intense the emotion is",
    "dominance": "how much in control of it the viewer feels",
}
_MEND = "Correct the row, or drop it."


def samples_of_row(row: Row) -> Iterator[Sample]:
    """Yield a row's question, and those about its image's annotation, whose ids are the same for every row about it.

    Tasks: `perception|CARRIER|TYPE|DIMENSION`, `description|CARRIER|DIMENSION`, `ranking`, `assessment|DIMENSION`.
    Labels: a letter; the reference answer; the intensities by emotion as JSON; the score.

    Raises:
        RowError: naming file, row and key.
    """
    is_pair = "image1_url" in row.value
    names = [row.text(key) for key in (("image1_url", "image2_url") if is_pair else ("image_url",))]
    images = tuple(row.image("image", name) for name in names)
    yield _question(row, images, "pair" if is_pair else "single")
    if not is_pair:
        yield from _about_image(row, names[0], images)


def options_of(sample: Sample) -> dict[str, str]:
    """Return the options of a perception question, letter to text."""
    return {letter: text for letter, _, text in (candidate.partition(": ") for candidate in sample.candidates)}


def _question(row: Row, images: tuple[str, ...], carrier: str) -> Sample:
    kind, asked = one_of(row, "question_type", _TYPES), row.text("question").strip()
    sample_id = f"{carrier}-{_own_id(row)}"
    if kind == "Open_ended":
        task = f"description|{carrier}|{row.text('describing_dimension').strip()}"
        question = f"{_scene(carrier)} {asked} Answer in a few sentences and give reasons from what can be seen."
        return Sample(sample_id, images, question, (), row.text("correct_answer"), task, row.url, row.line)
    options = _options(row)
    label = one_of(row, "correct_answer", list(options))
    task = f"perception|{carrier}|{kind}|{row.text('perceptual_dimension').strip()}"
    listed = tuple(f"{letter}: {text}" for letter, text in options.items())
    question = f"{_scene(carrier)} {asked} Choose one option, by its letter. {' '.join(listed)}"
    return Sample(sample_id, images, question, listed, label, task, row.url, row.line)


def _about_image(row: Row, name: str, images: tuple[str, ...]) -> Iterator[Sample]:
    if row.value.get("emotion_dict") is not None:
        question = (
            "Which three emotions does this image evoke most? Choose from "
            f"{', '.join(EMOTIONS)}. Give them from the strongest to the weakest, in square brackets and with commas "
            "between them."
        )
        truth = json.dumps(_intensities(row))
        yield Sample(f"ranking-{name}", images, question, EMOTIONS, truth, "ranking", row.url, row.line)
    for dimension in DIMENSIONS:
        key = dimension if dimension in row.value else dimension.capitalize()
        if row.value.get(key) is None:
            continue
        task = f"assessment|{dimension}"
        words = tuple(LEVELS[task])
        question = (
            f"Rate the {dimension} of the emotion that this image evokes in a viewer, that is {_MEANING[dimension]}. "
            f"Answer with one word: {', '.join(words[:-1])} or {words[-1]}."
        )
        truth = str(number(row, key, 1, 9))
        yield Sample(f"{dimension}-{name}", images, question, words, truth, task, row.url, row.line)


def _options(row: Row) -> dict[str, str]:
    options = literal_dict(row, "options")
    letters = [letter for letter in options if len(letter) == 1 and "A" <= letter <= "Z"]
    if len(options) < 2 or len(letters) < len(options):
        raise row.error("options", dict(options), "must have two or more capital letters as keys", _MEND)
    if not all(isinstance(text, str) and text.strip() for text in options.values()):
        raise row.error("options", dict(options), "must have texts as values", _MEND)
    return {letter: text.strip() for letter, text in options.items()}


def _intensities(row: Row) -> dict[str, float]:
    """Return the intensities by emotion, the strongest first."""
    found = {}
    for name, intensity in literal_dict(row, "emotion_dict").items():
        if name.casefold() not in EMOTIONS:
            raise row.error("emotion_dict", name, f"must be one of: {', '.join(EMOTIONS)}", _MEND)
        if not isinstance(intensity, int | float) or isinstance(intensity, bool) or not 0 <= intensity < 1e6:
            raise row.error("emotion_dict", intensity, "must be an intensity of 0 or more", _MEND)
        found[name.casefold()] = intensity
    if not any(found.values()):
        raise row.error("emotion_dict", found, "must have an emotion of some intensity", _MEND)
    return dict(sorted(found.items(), key=lambda item: -item[1]))


def _scene(carrier: str) -> str:
    images = "this image evokes" if carrier == "single" else "each of these two images evokes, and how they compare"
    return f"Think of the emotions that {images}: {', '.join(EMOTIONS)}."


def _own_id(row: Row) -> str:
    return row.id if row.value.get("id") is not None else str(row.line)
