from collections.abc import Iterable, Mapping

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.emotions.taxonomy import normalize_label, taxonomy_of_question


def parts_naming_label(sample: Sample, reasoning: Mapping[str, str], parts: Iterable[str]) -> tuple[str, ...]:
    """Return those of `parts` in which the sample's label, or an alias of it, stands as a word of its own.

    Case and punctuation do not matter. Other forms of the word (amused for amusement) are the judge's to find.
    """
    taxonomy = taxonomy_of_question(sample.task, sample.candidates)
    label = taxonomy.resolve(sample.label)
    spellings = {sample.label, *(alias for alias, meant in taxonomy.aliases.items() if meant == label)}
    if label is not None:
        spellings.add(label)
    words = [f" {normalize_label(spelling)} " for spelling in spellings]
    texts = {part: f" {normalize_label(reasoning.get(part, ''))} " for part in parts}
    return tuple(part for part, text in texts.items() if any(word in text for word in words))
