import re
from collections.abc import Mapping

from emocal_rl.platform.emotions.taxonomy import TASK_TAXONOMIES, canonical_task

TASK_GROUPS: Mapping[str, str] = {
    "FI-2": "ID VSA",
    "WebEmo-2": "ID VSA",
    "FI-8": "ID VER",
    "EmoSet-8": "ID VER",
    "WebEmo-7": "ID VER",
    "WebEmo-25": "ID VER",
    "Abstract-8": "OOD VER",
    "Artphoto-8": "OOD VER",
    "UnbiasedEmo-6": "OOD VER",
}
"""The nine tasks and their groups: in- and out-of-domain sentiment (VSA) and emotion (VER)."""

GROUPS = ("ID VSA", "ID VER", "OOD VER")

assert TASK_GROUPS.keys() == TASK_TAXONOMIES.keys()


def group_of_task(task: str) -> str | None:
    """Return the group of a task; a synthetic mirror (`SynthFI-8`) is in its original's. None for any other task."""
    return TASK_GROUPS.get(canonical_task(task.removeprefix("Synth")))


def natural_order(task: str) -> tuple[tuple[str, int], ...]:
    """Return the key that sorts tasks by name with numbers by value: WebEmo-7 before WebEmo-25."""
    return tuple((text, int(number or 0)) for text, number in re.findall(r"([^0-9]*)([0-9]*)", task))
