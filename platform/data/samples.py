from collections.abc import Iterator

from emocal_rl.platform.contracts import Sample
from emocal_rl.platform.data.rows import Row, read_rows, refuse_repeated_id
from emocal_rl.platform.data.vec_cot import demonstration_of_vec_cot_row
from emocal_rl.platform.data.vecbench import sample_of_vecbench_row


def read_samples(url: str, image_root: str | None = None) -> Iterator[Sample]:
    """Yield the samples of a VECBench or VEC-CoT file, told apart row by row.

    Args:
        url: path or fsspec URL of the JSONL.
        image_root: folder or URL that relative image references are resolved against; None is the file's own folder.

    Raises:
        DataError: naming the first malformed row's file, line and key.
    """
    seen: dict[str, int] = {}
    for row in read_rows(url, image_root):
        refuse_repeated_id(seen, row)
        yield sample_of_row(row)


def sample_of_row(row: Row) -> Sample:
    """Check one row of either format and return its sample."""
    if "conversations" in row.value:
        return sample_of_vecbench_row(row)
    if "messages" in row.value or "query" in row.value:
        return demonstration_of_vec_cot_row(row).sample
    rule = "must be a VECBench row (with `conversations`) or a VEC-CoT row (with `messages`, or `query` and `response`)"
    raise row.error("keys", sorted(row.value), rule, "Convert the file to one of the two formats.")
