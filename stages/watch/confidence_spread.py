import numpy as np

from emocal_rl.stages.watch.response_columns import ResponseColumns


def confidence_spread(columns: ResponseColumns) -> dict[str, float | None]:
    """How many confidences the policy still tells apart: entropy in bits of the stated values, and their number.

    One value stated always has 0 bits, two stated equally often 1 bit.
    """
    stated = columns.confidence[~np.isnan(columns.confidence)]
    _, counts = np.unique(stated, return_counts=True)
    share = counts / counts.sum() if len(counts) else counts
    return {
        "rollout/confidence_entropy": float(-np.sum(share * np.log2(share))) + 0.0 if len(counts) else None,
        "rollout/num_confidence_values": float(len(counts)),
    }
