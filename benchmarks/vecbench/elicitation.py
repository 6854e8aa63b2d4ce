"""Where a response says its answer: confidence elicitation by token probabilities (paper, Table 5)."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import takewhile

from emocal_rl.platform.emotions.taxonomy import taxonomy_of_question
from emocal_rl.platform.responses.grammar import parse_response

_TAG = "<answer>"


def decisive_token(text: str, token_ends: Sequence[int], task: str, candidates: tuple[str, ...]) -> int | None:
    """Return the index of the first decisive token of the answer, whose probability is the confidence "Ans".

    The paper says no more than "the first decisive token in the answer". Here it is the token that holds the first
    character of the answer by which it differs from every other candidate: of `awe` among the Mikels 8 the `w`, because
    `amusement` and `anger` begin alike. An answer that is the beginning of another candidate differs by what ends it.

    Args:
        text: a response.
        token_ends: where each of its tokens ends in `text`, in characters.
        task: of the sample.
        candidates: the labels to choose from; without any, those of the task.

    Returns:
        None where the response has no one answer, or it is not a candidate.
    """
    answer = parse_response(text).answer
    taxonomy = taxonomy_of_question(task, candidates)
    label = taxonomy.resolve(answer) if answer is not None else None
    if answer is None or label is None:
        return None
    start = text.index(_TAG) + len(_TAG)
    start += next(offset for offset, character in enumerate(text[start:]) if character.isalnum())
    spoken = text[start:].lower()
    rivals = [name.lower() for name in candidates or taxonomy.labels if taxonomy.resolve(name) != label]
    decisive = start + max((_num_alike(spoken, rival) for rival in rivals), default=0)
    index = bisect_right(token_ends, decisive)
    return index if index < len(token_ends) else None


def _num_alike(a: str, b: str) -> int:
    """Return how many characters two texts have in common from their beginning on."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(a, b, strict=False)))
