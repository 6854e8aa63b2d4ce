from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

_INCOMPLETE = "\N{REPLACEMENT CHARACTER}"


def token_ends(token_ids: Sequence[int], decode: Callable[[Sequence[int]], str]) -> npt.NDArray[np.int32]:
    """Return where each token ends in the decoded text, in characters: (T,) int32.

    A character of several tokens belongs to the last of them. Decoding goes through a window of few tokens, because a
    token's text depends on what is before it, so the time is linear.

    Args:
        token_ids: (T,).
        decode: a tokenizer's, with special tokens kept.
    """
    ends = np.zeros(len(token_ids), np.int32)
    start = complete = end = 0
    for index in range(len(token_ids)):
        text = decode(token_ids[start : index + 1])
        if not text.endswith(_INCOMPLETE):
            end += len(text) - len(decode(token_ids[start:complete]))
            start, complete = complete, index + 1
        ends[index] = end
    return ends
