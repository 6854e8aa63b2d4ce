import io
import itertools
import json
import zipfile

import pytest
from PIL import Image

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.convert import Conversion, ConversionOptions, ImageStyle, convert, verify_conversion
from emocal_rl.platform.data.digest import StreamDigest
from emocal_rl.platform.data.formats import Format, Part
from emocal_rl.platform.data.jsonl import read_jsonl, write_jsonl
from emocal_rl.platform.data.samples import read_demonstration_samples, read_examples, read_samples, sample_of
from emocal_rl.platform.data.vec_cot import write_vec_cot
from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import SilentProgress

SUFFIX = {
    Format.MS_SWIFT: ".jsonl",
    Format.MS_SWIFT_QUERY: ".jsonl.gz",
    Format.VERL: ".parquet",
    Format.VECBENCH: ".jsonl",
}
RESPONSE = "<think>π 🙂</think><answer>awe</answer><confidence>0.85</confidence>"


def png(colour):
    file = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(file, "PNG")
    return file.getvalue()


def demonstrations(folder, *, masks=False):
    """Ten rows with all there is to hold: one and two images, system prompts, awkward text."""
    for index in range(10):
        images = tuple(f"{folder}/images/{name}.png" for name in ("a", "b")[: 1 + index % 2])
        question = f"\nWhich \"emotion\"?\t({index})\u2028['no', 'list']" if index % 3 else f"Which ({index})?"
        system = "You are a helpful assistant." * (index % 4 == 0)
        sample = Sample(f"id/{index} é", images, question, ("awe", "fear"), "awe", "FI-8", system=system)
        spans, on_end = (((42, 70),), index % 2 == 0) if masks and index % 3 else (None, True)
        yield DemonstrationSample(sample, RESPONSE, spans, on_end)


@pytest.fixture
def corpus(tmp_path):
    """Folder with `rows.jsonl` (VEC-CoT) and its images."""
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.png").write_bytes(png("red"))
    (tmp_path / "images" / "b.png").write_bytes(png("blue"))
    write_vec_cot(str(tmp_path / "rows.jsonl"), demonstrations(tmp_path))
    return tmp_path


def run(source, target, to, **options) -> Conversion:
    return convert(str(source), str(target), to, ConversionOptions(**options), SilentProgress())


def digest(examples):
    found = StreamDigest()
    for example in examples:
        found.update(example)
    return found.hexdigest()


def stream(url, root=None):
    return digest(sample_of(example) for example in read_examples(str(url), root))


@pytest.mark.parametrize(("first", "second"), itertools.permutations(Format, 2))
def test_every_pair_of_formats_gives_the_same_stream_of_samples(corpus, first, second):
    expected = digest(each.sample for each in demonstrations(corpus))
    drop = {Part.RESPONSE}
    a, b, back = (corpus / f"{name}{SUFFIX[to]}" for name, to in (("a", first), ("b", second), ("back", first)))
    run(corpus / "rows.jsonl", a, first, drop=drop)
    run(a, b, second, drop=drop)
    written = run(b, back, first, drop=drop)
    assert [stream(path) for path in (a, b, back)] == [expected] * 3
    assert written.num_rows == 10
    if first is not Format.MS_SWIFT_QUERY:  # gzip writes the time
        assert a.read_bytes() == back.read_bytes() or Format.VERL in (first, second)


@pytest.mark.parametrize("to", [Format.MS_SWIFT, Format.MS_SWIFT_QUERY, Format.VECBENCH])
def test_responses_survive_where_there_is_a_place_for_them(corpus, to):
    expected = digest(demonstrations(corpus))
    target = corpus / f"target{SUFFIX[to]}"
    written = run(corpus / "rows.jsonl", target, to)
    assert written == Conversion(10, {}, str(corpus), expected)
    assert digest(read_demonstration_samples(str(target))) == expected
    verify_conversion(str(target), written, SilentProgress())


def test_loss_masks_survive_in_messages_only(corpus):
    source = corpus / "masks.jsonl"
    write_vec_cot(str(source), demonstrations(corpus, masks=True))
    run(source, corpus / "same.jsonl", Format.MS_SWIFT)
    assert (corpus / "same.jsonl").read_bytes() == source.read_bytes()
    for to in (Format.MS_SWIFT_QUERY, Format.VECBENCH):
        target = corpus / f"{to}{SUFFIX[to]}"
        with pytest.raises(DataError, match=r"masks.jsonl:2 loss: \S+ rows have no place for a loss. Add --drop loss"):
            run(source, target, to)
        assert not target.exists()
        assert run(source, target, to, drop={Part.LOSS}).dropped == {Part.LOSS: 6}
        assert digest(read_demonstration_samples(str(target))) == digest(demonstrations(corpus))


def test_a_response_is_dropped_only_when_asked(corpus):
    target = corpus / "rows.parquet"
    with pytest.raises(DataError, match=r"rows.jsonl:1 response: verl rows have no place for a response"):
        run(corpus / "rows.jsonl", target, Format.VERL)
    assert run(corpus / "rows.jsonl", target, Format.VERL, drop={Part.RESPONSE}).dropped == {Part.RESPONSE: 10}


def test_keys_of_others_are_dropped_only_when_asked(corpus):
    rows = [{**row, "teacher": "x", "note": None} for _, row in read_jsonl(str(corpus / "rows.jsonl"))]
    rows[0]["messages"][-1]["weight"] = 2
    write_jsonl(str(corpus / "more.jsonl"), rows)
    with pytest.raises(DataError, match=r"no place for the keys \['teacher', 'weight'\]"):
        run(corpus / "more.jsonl", corpus / "x.jsonl", Format.VECBENCH)
    run(corpus / "more.jsonl", corpus / "x.jsonl", Format.VECBENCH, drop={Part.EXTRA})
    assert stream(corpus / "x.jsonl") == stream(corpus / "rows.jsonl")


@pytest.mark.parametrize("to", Format)
def test_embedded_images_need_no_folder(corpus, tmp_path_factory, to):
    target = tmp_path_factory.mktemp("elsewhere") / f"rows{SUFFIX[to]}"
    written = run(corpus / "rows.jsonl", target, to, images=ImageStyle.EMBED, drop={Part.RESPONSE})
    verify_conversion(str(target), written, SilentProgress())
    from emocal_rl.platform.data.images import ImageLimits, load_sample_images

    samples = [sample_of(example) for example in read_examples(str(target))]
    assert load_sample_images(samples[1], ImageLimits()) == (png("red"), png("blue"))
    back = target.with_name("back.jsonl")
    run(target, back, Format.VECBENCH, drop={Part.RESPONSE})
    assert stream(back) == stream(target)


def test_the_corpus_can_be_moved(corpus, tmp_path_factory):
    """References are relative to the image root, wherever the file is written."""
    elsewhere, moved = tmp_path_factory.mktemp("elsewhere"), tmp_path_factory.mktemp("moved")
    run(corpus / "rows.jsonl", elsewhere / "rows.parquet", Format.VERL, drop={Part.RESPONSE})
    (corpus / "images").rename(moved / "images")
    (first, *_) = read_samples(str(elsewhere / "rows.parquet"), str(moved))
    assert first.images == (f"{moved}/images/a.png",)
    run(corpus / "rows.jsonl", elsewhere / "absolute.jsonl", Format.VECBENCH, images=ImageStyle.ABSOLUTE)
    (_, row) = next(iter(read_jsonl(str(elsewhere / "absolute.jsonl"))))
    assert row["conversations"][-1]["content"][0]["image"] == f"{corpus}/images/a.png"


def test_archives_and_other_file_systems(corpus):
    archive = corpus / "corpus.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("rows.jsonl", "images/a.png", "images/b.png"):
            file.write(corpus / name, f"in/{name}")
    source = f"zip://in/rows.jsonl::{archive}"
    written = run(source, "memory://out/rows.parquet", Format.VERL, images=ImageStyle.EMBED, drop={Part.RESPONSE})
    verify_conversion("memory://out/rows.parquet", written, SilentProgress())
    (first, *_) = read_samples(source)
    assert first.images == (f"zip://in/images/a.png::{archive}",)


def test_rows_without_a_response_are_questions(corpus):
    source, target = corpus / "rows.parquet", corpus / "questions.jsonl"
    run(corpus / "rows.jsonl", source, Format.VERL, drop={Part.RESPONSE})
    run(source, target, Format.MS_SWIFT)
    assert stream(target) == stream(source)
    with pytest.raises(DataError, match=r"questions.jsonl:1 response: needs a response to imitate"):
        list(read_demonstration_samples(str(target)))


@pytest.mark.parametrize(
    ("row", "to", "rule"),
    [
        ({"question": "Is <image> it?", "task": "FI-8"}, Format.VERL, "the question may not contain <image>"),
        ({"question": "Which?", "task": ""}, Format.VECBENCH, "VECBench rows need a task and candidates"),
    ],
)
def test_what_a_format_cannot_hold_at_all(row, to, rule):
    sample = Sample("a", ("memory://cannot/a.png",), row["question"], ("awe", "fear"), "awe", row["task"])
    from emocal_rl.platform.data.vec_cot import vec_cot_row
    from emocal_rl.platform.data.vecbench import vecbench_row

    write_jsonl("memory://cannot/rows.jsonl", [vecbench_row(sample) if row["task"] else vec_cot_row(sample)])
    with pytest.raises(DataError, match=rule):
        run("memory://cannot/rows.jsonl", f"memory://cannot/out{SUFFIX[to]}", to)


def test_targets_that_are_refused(corpus):
    with pytest.raises(DataError, match=r"verl rows are Parquet. Name the file .parquet"):
        run(corpus / "rows.jsonl", corpus / "x.jsonl", Format.VERL)
    with pytest.raises(DataError, match=r"vecbench rows are JSONL. Name the file .jsonl"):
        run(corpus / "rows.jsonl", corpus / "x.parquet", Format.VECBENCH)
    (corpus / "x.jsonl").touch()
    with pytest.raises(DataError, match=r"exists already. Choose another name, or add --overwrite"):
        run(corpus / "rows.jsonl", corpus / "x.jsonl", Format.VECBENCH)
    run(corpus / "rows.jsonl", corpus / "rows.jsonl", Format.VECBENCH, overwrite=True)
    assert stream(corpus / "rows.jsonl") == digest(each.sample for each in demonstrations(corpus))


def test_a_target_that_was_changed_does_not_verify(corpus):
    target = corpus / "x.jsonl"
    written = run(corpus / "rows.jsonl", target, Format.VECBENCH)
    target.write_text(target.read_text().replace("(3)", "(4)"))
    with pytest.raises(DataError, match="does not read back as what was written"):
        verify_conversion(str(target), written, SilentProgress())


def test_ids_given_by_line_are_kept(corpus):
    rows = [
        {key: value for key, value in row.items() if key != "id"} for _, row in read_jsonl(str(corpus / "rows.jsonl"))
    ]
    write_jsonl(str(corpus / "nameless.jsonl"), rows)
    run(corpus / "nameless.jsonl", corpus / "named.jsonl", Format.VECBENCH)
    assert [json.loads(line)["id"] for line in (corpus / "named.jsonl").read_text().splitlines()][:2] == [
        "nameless:1",
        "nameless:2",
    ]
