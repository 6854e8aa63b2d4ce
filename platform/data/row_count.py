from pathlib import Path

from emocal_rl.platform.data.location import Location
from emocal_rl.platform.data.parquet import count_parquet_rows, is_parquet

COMPRESSIONS = (".gz", ".bz2", ".xz", ".zst")


def count_rows(url: str) -> int | None:
    """Return how many rows a file has, for a progress bar: None where counting would mean reading it twice."""
    location = Location.parse(url)
    if location.protocol or location.chain or not Path(location.path).is_file():
        return None
    if is_parquet(url):
        return count_parquet_rows(url)
    if location.path.endswith(COMPRESSIONS):
        return None
    with Path(location.path).open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
