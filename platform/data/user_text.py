"""The user's text in ms-swift and verl rows: one `<image>` placeholder for each image, then the question."""

import ast
import re

from emocal_rl.platform.data.rows import Row

PLACEHOLDER = "<image>"
_LIST_LITERAL = re.compile(r"\[[^\[\]]*\]")


def user_text(num_images: int, question: str) -> str:
    """Return the user's text; `question_in` is the inverse."""
    return PLACEHOLDER * num_images + "\n" * question.startswith("\n") + question


def question_in(row: Row, key: str, text: str, num_images: int) -> str:
    """Return the text under `key` without its leading placeholders.

    Raises:
        RowError: there are not as many placeholders as images, they are not all in front, or nothing follows them.
    """
    num_placeholders = text.count(PLACEHOLDER)
    if num_images == 0 or num_images != num_placeholders:
        rule = f"must be as many as the {PLACEHOLDER} placeholders, at least one: {num_images} and {num_placeholders}"
        raise row.error("images", None, rule, "Correct the row, or drop it.", "placeholders")
    rest = text
    for _ in range(num_images):
        rest = rest.lstrip()
        if not rest.startswith(PLACEHOLDER):
            rule = f"{PLACEHOLDER} must come before the text"
            raise row.error(key, text, rule, "Move it to the front.", "placeholders")
        rest = rest.removeprefix(PLACEHOLDER)
    if not rest.strip():
        raise row.error(key, text, "the user's question must not be empty", "Drop the row.")
    return rest.removeprefix("\n")


def candidates_in(question: str) -> tuple[str, ...]:
    """Return the last Python list of at least two strings in a question; empty when it has none."""
    for literal in reversed(_LIST_LITERAL.findall(question)):
        try:
            items = ast.literal_eval(literal)
        except (ValueError, SyntaxError, MemoryError, RecursionError):  # prose in brackets
            continue
        if len(items) > 1 and all(isinstance(item, str) and item for item in items):
            return tuple(items)
    return ()
