from dataclasses import replace
from pathlib import Path

import pytest

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.content import content_hash
from emocal_rl.platform.data.embedded import data_uri, with_packed_images, with_unpacked_images
from emocal_rl.platform.data.images import ImageLimits, load_sample_images
from emocal_rl.platform.data.parquet import parquet_writer
from emocal_rl.platform.data.samples import read_demonstration_samples, read_samples
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.data.verl import verl_row, verl_schema
from emocal_rl.platform.errors import DataError

JPEG = b"\xff\xd8\xff not really"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "emocal-rl" / "images"


def sample(*images: str) -> Sample:
    return Sample("a", images, "Choose one of ['awe', 'fear'].", ("awe", "fear"), "awe", "FI-8")


def test_an_embedded_image_becomes_a_file_named_by_its_content(cache: Path, face_image: bytes) -> None:
    unpacked = with_unpacked_images(sample(data_uri(face_image), "/other.png", data_uri(JPEG)))
    png, jpeg = (cache / digest[:2] / digest for digest in map(content_hash, (face_image, JPEG)))
    assert unpacked.images == (f"{png}.png", "/other.png", f"{jpeg}.jpeg")
    assert load_sample_images(sample(unpacked.images[0]), ImageLimits()) == (face_image,)
    assert sorted(path.name for path in cache.rglob("*.*")) == sorted([f"{png.name}.png", f"{jpeg.name}.jpeg"])


def test_it_is_written_once_and_again_only_when_cut_short(face_image: bytes) -> None:
    embedded = sample(data_uri(face_image))
    path = Path(with_unpacked_images(embedded).images[0])
    written = path.stat().st_mtime_ns
    assert Path(with_unpacked_images(embedded).images[0]).stat().st_mtime_ns == written
    path.write_bytes(face_image[:10])
    with_unpacked_images(embedded)
    assert path.read_bytes() == face_image


def test_a_data_uri_that_cannot_be_read_is_left_to_the_check_of_images(cache: Path) -> None:
    broken = sample("data:image/png;base64,????", "data:image/png,AAAA", "data:")
    assert with_unpacked_images(broken) == broken
    assert not cache.exists()


def test_a_cache_that_cannot_be_written_is_named(cache: Path, face_image: bytes) -> None:
    cache.parent.mkdir(parents=True)
    cache.write_text("a file where the folder should be")
    with pytest.raises(DataError, match=r"cannot be written.*XDG_CACHE_HOME"):
        with_unpacked_images(sample(data_uri(face_image)))


def test_what_is_written_for_others_has_its_images_in_it_again(face_image: bytes) -> None:
    embedded = sample(data_uri(face_image), "/other.png", data_uri(JPEG))
    assert with_packed_images(with_unpacked_images(embedded)) == embedded
    assert with_packed_images(sample("/other.png")) == sample("/other.png")


def test_who_holds_a_corpus_holds_no_images(cache: Path, tmp_path: Path, face_image: bytes) -> None:
    """Parquet of bytes (verl) and JSONL of data URIs (ms-swift), both readers."""
    parquet, rows = str(tmp_path / "rows.parquet"), str(tmp_path / "rows.jsonl")
    embedded = sample(data_uri(face_image))
    with parquet_writer(parquet, verl_schema(embedded=True)) as append:
        append(verl_row(embedded, split="train", index=0, embedded=True))
    write_vec_cot(rows, [DemonstrationSample(embedded, "<answer>awe</answer>")])
    digest = content_hash(face_image)
    expected = (str(cache / digest[:2] / f"{digest}.png"),)
    (read,), (demonstration,) = read_samples(parquet), read_demonstration_samples(rows)
    assert replace(read, source="", line=0) == replace(embedded, images=expected)
    assert [each.images for each in (demonstration.sample, *read_samples(rows))] == [expected, expected]
