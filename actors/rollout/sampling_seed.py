import hashlib


def response_seed(seed: int, sample_id: str) -> int:
    """Seed of a sample's first response; response i has this plus i.

    A hash of the run's seed and the sample's id: the same on every worker, in every batch and after a retry.
    """
    digest = hashlib.blake2b(f"{seed}/{sample_id}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little") >> 2
