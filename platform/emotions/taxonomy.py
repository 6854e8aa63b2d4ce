import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache

from emocal_rl.platform.errors import DataError, nearest

_SEPARATORS = re.compile(r"[\W_]+")


@dataclass(frozen=True, eq=False)
class Taxonomy:
    """A closed set of emotion labels.

    `parents` maps a label to its parent in the coarser taxonomy (WebEmo-25 only), `polarity` to positive or negative,
    `aliases` other spellings to a label. Polarity is by convention, not by valence: awe sits just below neutral.
    """

    name: str
    labels: tuple[str, ...]
    parents: Mapping[str, str] = field(default_factory=dict)
    polarity: Mapping[str, str] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)

    def resolve(self, text: str) -> str | None:
        """Return the label that `text` names after normalising case, punctuation and white space, or None."""
        return self._by_normalized.get(normalize_label(text))

    @cached_property
    def _by_normalized(self) -> dict[str, str]:
        spellings = {**self.aliases, **{label: label for label in self.labels}}
        return {normalize_label(spelling): label for spelling, label in spellings.items()}


def normalize_label(text: str) -> str:
    """Case folded, every run of punctuation and white space one space, none at the ends."""
    return _SEPARATORS.sub(" ", text.casefold()).strip()


def _labels(positive: str, negative: str) -> tuple[tuple[str, ...], dict[str, str]]:
    polarity = dict.fromkeys(positive.split(), "positive") | dict.fromkeys(negative.split(), "negative")
    return tuple(polarity), polarity


_WEBEMO25_CHILDREN = {
    "love": "affection gratitude lust",
    "joy": "cheerfulness contentment enthrallment optimism pride relief zest",
    "surprise": "surprise",
    "confusion": "confusion",
    "sadness": "disappointment neglect sadness shame suffering sympathy",
    "anger": "disgust envy exasperation irritability rage",
    "fear": "horror nervousness",
}


def _shipped() -> dict[str, Taxonomy]:
    mikels, mikels_polarity = _labels("amusement awe contentment excitement", "anger disgust fear sadness")
    webemo7, webemo7_polarity = _labels("love joy surprise", "confusion sadness anger fear")
    unbiased, unbiased_polarity = _labels("joy love surprise", "anger fear sadness")
    polarity, polarity_polarity = _labels("positive", "negative")
    parents = {child: parent for parent, children in _WEBEMO25_CHILDREN.items() for child in children.split()}
    shipped = (
        Taxonomy("mikels8", mikels, polarity=mikels_polarity),
        Taxonomy("webemo7", webemo7, polarity=webemo7_polarity),
        Taxonomy(
            "webemo25",
            tuple(parents),
            parents=parents,
            polarity={child: webemo7_polarity[parent] for child, parent in parents.items()},
            # as the released data spells them
            aliases={"cheerfullness": "cheerfulness", "irritabilty": "irritability"},
        ),
        Taxonomy("unbiased6", unbiased, polarity=unbiased_polarity),
        Taxonomy("polarity2", polarity, polarity=polarity_polarity),
    )
    return {taxonomy.name: taxonomy for taxonomy in shipped}


TAXONOMIES = _shipped()
"""The five taxonomies of VECBench by name."""

TASK_TAXONOMIES: Mapping[str, str] = {
    "FI-2": "polarity2",
    "WebEmo-2": "polarity2",
    "FI-8": "mikels8",
    "EmoSet-8": "mikels8",
    "WebEmo-7": "webemo7",
    "WebEmo-25": "webemo25",
    "Abstract-8": "mikels8",
    "Artphoto-8": "mikels8",
    "UnbiasedEmo-6": "unbiased6",
}
"""The nine VECBench tasks, canonical name to taxonomy name."""

_TASK_ALIASES = {"unbiasedemo-8": "UnbiasedEmo-6", "unbaisedemo-6": "UnbiasedEmo-6", "emoset-6": "EmoSet-8"} | {
    task.lower(): task for task in TASK_TAXONOMIES
}
_SYNTHETIC_TASK = re.compile(r"synth[a-z]*-(2|6|7|8|25)")
_TAXONOMY_OF_SIZE = {"2": "polarity2", "6": "unbiased6", "7": "webemo7", "8": "mikels8", "25": "webemo25"}


@lru_cache(maxsize=1024)
def canonical_task(task: str) -> str:
    """Return the canonical name of a VECBench task that is spelt some other way; any other name unchanged."""
    return _TASK_ALIASES.get(_task_key(task), task)


def taxonomy_of_task(task: str) -> Taxonomy:
    """Return the taxonomy of a VECBench or SynthVEC task.

    Raises:
        DataError: the task is neither.
    """
    taxonomy = _taxonomy_of_known_task(task)
    if taxonomy is None:
        known = (*TASK_TAXONOMIES, "Synth-8")
        rule = f"must be a known task ({', '.join(TASK_TAXONOMIES)}, Synth*-{{2,6,7,8,25}})"
        raise DataError("task", task, rule=rule, fix=nearest(task, known) or "Correct the task, or list candidates.")
    return taxonomy


def taxonomy_of_candidates(candidates: Sequence[str]) -> Taxonomy | None:
    """Return the shipped taxonomy whose labels are exactly `candidates` (in any order and spelling), or None."""
    return _taxonomy_of_candidates(tuple(candidates))


@lru_cache(maxsize=1024)
def taxonomy_of_question(task: str, candidates: tuple[str, ...]) -> Taxonomy:
    """Return the taxonomy in which answers to a question are read.

    The candidates decide, because they are what the policy was shown: a shipped taxonomy if they are one, else one made
    of them. Without candidates the task decides.

    Raises:
        DataError: no candidates, and the task is unknown.
    """
    if not candidates:
        return taxonomy_of_task(task)
    return taxonomy_of_candidates(candidates) or Taxonomy("candidates", candidates)


@lru_cache(maxsize=1024)
def _taxonomy_of_candidates(candidates: tuple[str, ...]) -> Taxonomy | None:
    for taxonomy in TAXONOMIES.values():
        resolved = {taxonomy.resolve(candidate) for candidate in candidates}
        if len(candidates) == len(taxonomy.labels) and resolved == set(taxonomy.labels):
            return taxonomy
    return None


def _taxonomy_of_known_task(task: str) -> Taxonomy | None:
    name = TASK_TAXONOMIES.get(canonical_task(task))
    if name is None and (synthetic := _SYNTHETIC_TASK.fullmatch(_task_key(task))):
        name = _TAXONOMY_OF_SIZE[synthetic[1]]
    return TAXONOMIES[name] if name else None


def _task_key(task: str) -> str:
    return normalize_label(task).replace(" ", "-")
