"""What a response of a model says, in answer to questions other than VECBench's."""

import re
from collections.abc import Mapping, Sequence

from emocal_rl.platform.emotions.taxonomy import normalize_label
from emocal_rl.platform.responses.grammar import read_answer


def answer_part(response: str) -> str:
    """Return what stands between the response's only `<answer>` and `</answer>`; without such a pair all of it."""
    answer, _, _ = read_answer(response)
    return response if answer is None else answer


def chosen_option(response: str, options: Mapping[str, str]) -> str | None:
    """Return the letter of the option that a response chooses, None where it names none, or more than one.

    The answer part is searched for, in this order: the letter alone; a letter at its beginning that punctuation, or a
    line's end, follows; letters before a colon, full stop or bracket anywhere; the text of an option. The first of
    these that finds any decides, and what it finds must be the same letter throughout.

    Args:
        response: of the model.
        options: letter -> text.
    """
    text = answer_part(response).strip()
    letters = "".join(re.escape(letter) for letter in options)
    patterns = (
        rf"^\W*([{letters}])\W*$",
        rf"^\W*([{letters}])\s*(?:[:.)\]\n,]|-\s)",
        rf"(?<![A-Za-z])([{letters}])\s*[:.)\]]",
    )
    for pattern in patterns:
        if found := set(re.findall(pattern, text)):
            return found.pop() if len(found) == 1 else None
    said = f" {normalize_label(text)} "
    named = {letter for letter, option in options.items() if f" {normalize_label(option)} " in said}
    return named.pop() if len(named) == 1 else None


def named_in_order(response: str, words: Sequence[str]) -> tuple[str, ...]:
    """Return those words that the answer part names, each once, in the order in which it first names them.

    A response that shows its list in square brackets is read there alone, as the published prompt asks for one; of
    several lists the last counts.
    """
    text = answer_part(response)
    listed = re.findall(r"\[([^\[\]]*)\]", text)
    said = normalize_label(listed[-1] if listed else text).split()
    known = {normalize_label(word): word for word in words}
    return tuple(dict.fromkeys(known[word] for word in said if word in known))
