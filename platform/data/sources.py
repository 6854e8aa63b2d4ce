import re

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.emotions.taxonomy import canonical_task
from emocal_rl.platform.errors import DataError

TABLE_1_SOURCES = {
    "EmoSet-8": "EmoSet",
    "WebEmo-25": "WebEmo-25",
    "WebEmo-7": "WebEmo-7",
    "FI-8": "FI-8",
    "WebEmo-2": "WebEmo-2",
    "FI-2": "FI-2",
}
"""Task -> its column in Table 1 of the paper, in the table's order."""

NO_TASK = "(no task)"


def source_pattern(text: str | None) -> re.Pattern[str] | None:
    """Compile the pattern by which an image path names its source.

    Raises:
        DataError: it is no regular expression with one group.
    """
    if text is None:
        return None
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise DataError("--source-pattern", text, rule=f"must be a regular expression: {error}") from error
    if pattern.groups != 1:
        fix = "Put the part that names the source in parentheses: 'images/([^/]+)/'."
        raise DataError("--source-pattern", text, rule="must have exactly one group", fix=fix)
    return pattern


def source_of(sample: Sample, pattern: re.Pattern[str] | None = None) -> str:
    """Return the data set a sample comes from: its task, or what `pattern` finds in its first image's path."""
    if pattern is not None:
        reference = sample.images[0]
        found = None if reference.startswith("data:") else pattern.search(reference)
        return found[1] if found and found[1] else "(no match)"
    return canonical_task(sample.task) or NO_TASK


def column_order(sources: set[str]) -> list[str]:
    """Return sources in the order of Table 1, any others behind them by name."""
    return [*(task for task in TABLE_1_SOURCES if task in sources), *sorted(sources - TABLE_1_SOURCES.keys())]
