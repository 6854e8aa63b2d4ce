"""The labelling job around a sampler that is made up: what it reads, writes, refuses and resumes."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.contracts import REASONING_PARTS, DemonstrationSample, Sample
from emocal_rl.platform.data.embedded import data_uri
from emocal_rl.platform.data.vec_cot import read_vec_cot, write_vec_cot
from emocal_rl.platform.emotions.ring_file import write_rings
from emocal_rl.platform.errors import DataError, ModelError, RunError, UserError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages import label_job
from emocal_rl.stages.labelling import ScaffoldResponse
from emocal_rl.stages.response_journal import read_responses

MIKELS8 = ("amusement", "anger", "awe", "contentment", "disgust", "excitement", "fear", "sadness")
NUM_ROWS = 10


class Killed(BaseException):
    """Stands for the end of the process."""


class MadeUpScaffold:
    """Answers by the row's number, last row first: right, wrong, malformed, outside the taxonomy, right, ..."""

    def __init__(self, dies_after: int | None = None) -> None:
        self.asked: list[str] = []
        self._dies_after = dies_after

    def __call__(self, _: object, samples: Sequence[Sample], *__: object, **___: object) -> Iterator[Any]:
        for index in reversed(range(len(samples))):
            if self._dies_after == len(self.asked):
                raise Killed
            self.asked.append(samples[index].id)
            yield index, made_up_response(samples[index])


def made_up_response(sample: Sample) -> ScaffoldResponse:
    number = int(sample.id)
    parts = "".join(f"<{part}>{number}</{part}>" for part in REASONING_PARTS)
    answer = (sample.label, "anger", "", "bliss")[number % 4]
    text = f"<think>{parts}</think><answer>{answer}</answer>" if answer else "nothing"
    return ScaffoldResponse(text, (number + 1) / 11, "stop")


@pytest.fixture
def config(tmp_path: Path) -> Config:
    model = tmp_path / "model"
    model.mkdir()
    for name in ("model.safetensors", "tokenizer.json", "preprocessor_config.json"):
        (model / name).touch()  # nobody loads it
    (model / "config.json").write_text('{"model_type": "qwen2_5_vl"}')
    Image.new("RGB", (56, 56)).save(tmp_path / "face.png")
    samples = [
        Sample(str(n), (str(tmp_path / "face.png"),), f"Which, {n}?", MIKELS8, "awe", "FI-8", system="Be brief.")
        for n in range(NUM_ROWS)
    ]
    url = str(tmp_path / "rows.jsonl")
    write_vec_cot(url, [DemonstrationSample(sample, "<answer>awe</answer>") for sample in samples])
    return resolve_config(overrides={"model.path": str(model), "data.train": url})


def label(config: Config, out: Path, scaffold: MadeUpScaffold, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setattr(label_job, "sample_scaffold", scaffold)
    monkeypatch.setattr(label_job, "sampling_engines", lambda *_: nullcontext())
    return label_job.run(label_job.prepare(config, out), SilentProgress())


def test_rows_are_in_input_order_with_loss_on_the_confidence_alone(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out" / "labelled.jsonl"
    summary = label(config, out, MadeUpScaffold(), monkeypatch)
    read = list(read_vec_cot(str(out), str(tmp_path)))
    assert [each.sample.id for each in read] == ["0", "1", "4", "5", "8", "9"]
    # 0.5 (1 + p) where right, 0.5 - 0.4855 p where it says anger for awe; p = (n + 1) / 11
    expected = [0.55, 0.41, 0.73, 0.24, 0.91, 0.06]
    for each, confidence in zip(read, expected, strict=True):
        ending = f"<confidence>{confidence:.2f}</confidence>"
        assert each.response == made_up_response(each.sample).text + ending
        assert each.loss_spans == ((len(each.response) - len(ending), len(each.response)),)
        assert each.loss_on_end
        assert (each.sample.system, each.sample.label, each.sample.task) == ("Be brief.", "awe", "FI-8")
    row = json.loads(out.read_text().splitlines()[0])
    assert [(message["role"], message.get("loss")) for message in row["messages"]] == [
        ("system", None), ("user", None), ("assistant", False), ("assistant", True)
    ]  # fmt: skip
    assert row["messages"][1]["content"].count("<image>") == len(row["images"]) == 1
    assert summary["dropped"] == {"malformed": 2, "outside the taxonomy": 2}
    assert (summary["num_samples"], summary["kept"], summary["right"], summary["wrong"]) == (10, 6, 3, 3)
    assert json.loads((tmp_path / "out" / "labelled.summary.json").read_text()) == summary
    assert Image.open(tmp_path / "out" / "labelled.png").format == "PNG"


def test_embedded_images_are_short_references_in_memory_and_embedded_again_in_the_rows(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert config.data.train is not None
    embedded = data_uri((tmp_path / "face.png").read_bytes())
    rows = [replace(each, sample=replace(each.sample, images=(embedded,))) for each in read_vec_cot(config.data.train)]
    write_vec_cot(config.data.train, rows)
    out = tmp_path / "out" / "labelled.jsonl"
    job = label_job.prepare(config, out)
    assert all(image.startswith(f"{tmp_path}/cache/") for sample in job.samples for image in sample.images)
    label(config, out, MadeUpScaffold(), monkeypatch)
    assert {each.sample.images for each in read_vec_cot(str(out))} == {(embedded,)}


@pytest.mark.parametrize("dies_after", [0, 1, 4, 9])
def test_killed_anywhere_it_goes_on_and_writes_the_same(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_after: int
) -> None:
    whole, broken = tmp_path / "whole.jsonl", tmp_path / "broken.jsonl"
    label(config, whole, MadeUpScaffold(), monkeypatch)
    first, second, third = MadeUpScaffold(dies_after), MadeUpScaffold(), MadeUpScaffold()
    with pytest.raises(Killed):
        label(config, broken, first, monkeypatch)
    assert not broken.exists()
    assert label_job.prepare(config, broken).num_done == dies_after
    label(config, broken, second, monkeypatch)
    assert sorted(first.asked + second.asked) == sorted(map(str, range(NUM_ROWS)))  # none twice
    label(config, broken, third, monkeypatch)
    assert third.asked == []
    for one, other in zip(*(sorted(tmp_path.glob(f"{stem}.[jsp]*")) for stem in ("whole", "broken")), strict=True):
        if "journal" not in one.name:
            assert one.read_bytes() == other.read_bytes(), one.name


def test_another_ring_labels_the_same_responses_anew(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, scaffold = tmp_path / "out.jsonl", MadeUpScaffold()
    label(config, out, MadeUpScaffold(), monkeypatch)
    write_rings(tmp_path / "ring.yaml", {"mikels8": {name: index / 8 for index, name in enumerate(MIKELS8)}})
    other = resolve_config(overrides={
        "model.path": config.model.path, "data.train": config.data.train, "confidence.ring": str(tmp_path / "ring.yaml")
    })  # fmt: skip
    summary = label(other, out, scaffold, monkeypatch)
    assert scaffold.asked == []
    wrong = [each for each in read_vec_cot(str(out)) if "<answer>anger" in each.response]
    # 0.5 - p / 8 for p = 2/11, 6/11, 10/11
    assert [each.response[-17:-13] for each in wrong] == ["0.48", "0.43", "0.39"]
    assert summary["ring"].endswith("ring.yaml")


def test_a_scaffold_without_one_labelled_response_is_refused_and_its_responses_are_kept(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_job, "sampling_engines", lambda *_: nullcontext())

    def garbage(_: object, samples: Sequence[Sample], *__: object, **___: object) -> Iterator[Any]:
        yield from ((index, ScaffoldResponse("x", 0.5, "length")) for index in range(len(samples)))

    monkeypatch.setattr(label_job, "sample_scaffold", garbage)
    job = label_job.prepare(config, tmp_path / "out.jsonl")
    with pytest.raises(ModelError, match=r"gave no response that can be labelled \(10 truncated\)"):
        label_job.run(job, SilentProgress())
    assert not job.files.rows.exists()
    assert label_job.prepare(config, job.files.rows).num_done == NUM_ROWS


def test_what_is_wrong_is_said_before_anything_starts(config: Config, tmp_path: Path) -> None:
    def prepare(out: str = "out.jsonl", **changes: object) -> None:
        overrides = {"model.path": config.model.path, "data.train": config.data.train}
        label_job.prepare(resolve_config(overrides={**overrides, **changes}), tmp_path / out)

    with pytest.raises(UserError, match=r"must be a local \.jsonl file"):
        prepare("out.parquet")
    with pytest.raises(UserError, match=r"must be a local \.jsonl file"):
        label_job.prepare(config, Path("s3://bucket/out.jsonl"))
    with pytest.raises(UserError, match="exists already and is not from an unfinished job"):
        prepare("rows.jsonl")
    with pytest.raises(DataError, match="there is no such file"):
        prepare(**{"confidence.ring": str(tmp_path / "none.yaml")})
    with pytest.raises(ModelError, match="no such directory"):
        prepare(**{"model.path": str(tmp_path / "none")})
    sample = Sample("a", (str(tmp_path / "face.png"),), "?", ("good", "bad"), "good", "")
    write_vec_cot(str(tmp_path / "odd.jsonl"), [DemonstrationSample(sample, "<answer>good</answer>")])
    with pytest.raises(DataError, match="taxonomy with a ring") as caught:
        prepare(**{"data.train": str(tmp_path / "odd.jsonl")})
    assert caught.value.key == f"{tmp_path}/odd.jsonl:1 candidates"
    assert not list(tmp_path.glob("out*"))


def test_a_sample_that_cannot_be_asked_is_told_counted_and_asked_again(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Short(MadeUpScaffold):
        def __call__(self, rollouts: object, samples: Sequence[Sample], *rest: Any, seed: int) -> Iterator[Any]:
            *_, tell = rest
            tell(0, DataError("rows.jsonl:1", rule="is too long"))
            return (each for each in super().__call__(rollouts, samples, seed) if each[0] != 0)

    out = tmp_path / "out.jsonl"
    assert label(config, out, Short(), monkeypatch)["dropped"]["not answered"] == 1
    scaffold = MadeUpScaffold()
    assert "not answered" not in label(config, out, scaffold, monkeypatch)["dropped"]
    assert scaffold.asked == ["0"]


def test_other_data_under_the_same_journal_is_refused(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.jsonl"
    label(config, out, MadeUpScaffold(), monkeypatch)
    rows = Path(str(config.data.train))
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(RunError, match=r"with other settings: data\.train"):
        label_job.prepare(config, out)


def test_a_missing_image_is_named_before_anything_is_sampled(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "face.png").unlink()
    scaffold = MadeUpScaffold()
    with pytest.raises(DataError, match="there is no such file"):
        label(config, tmp_path / "out.jsonl", scaffold, monkeypatch)
    assert scaffold.asked == []


PROGRAM = """
import sys, time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_label_job import made_up_response
from emocal_rl.platform.config.load import resolve_config
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages import label_job

def slowly(_, samples, *__, **___):
    for index in reversed(range(len(samples))):
        time.sleep(0.2)
        yield index, made_up_response(samples[index])

label_job.sample_scaffold, label_job.sampling_engines = slowly, lambda *_: nullcontext()
config = resolve_config(overrides={{"model.path": {model!r}, "data.train": {data!r}}})
label_job.run(label_job.prepare(config, Path({out!r})), SilentProgress())
"""


def test_a_killed_process_loses_nothing(config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, out = tmp_path / "whole.jsonl", tmp_path / "out.jsonl"
    label(config, whole, MadeUpScaffold(), monkeypatch)
    places = {"tests": str(Path(__file__).parent), "model": config.model.path, "data": config.data.train}
    process = subprocess.Popen([sys.executable, "-c", PROGRAM.format(**places, out=str(out))])
    journal, deadline = label_job.LabelFiles(out).journal, time.monotonic() + 300
    while not journal.exists() or journal.read_bytes().count(b"\n") < 4:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    done, scaffold = label_job.prepare(config, out).num_done, MadeUpScaffold()
    assert 3 <= done < NUM_ROWS
    label(config, out, scaffold, monkeypatch)
    assert len(scaffold.asked) == NUM_ROWS - done
    assert out.read_bytes() == whole.read_bytes()


@pytest.mark.ray
def test_through_rollout_workers_that_are_ray_actors(config: Config, tmp_path: Path) -> None:
    settings = ["rollout.engine=scripted", "rollout.num_workers=2", "cluster.num_cpus=2"]
    overrides = {"model.path": config.model.path, "data.train": config.data.train}
    job = label_job.prepare(resolve_config(overrides=overrides, sets=settings), tmp_path / "out.jsonl")
    with pytest.raises(ModelError, match=r"\(10 malformed\)"):  # the scripted engine states a confidence of its own
        label_job.run(job, SilentProgress())
    responses = read_responses(job.files.journal, job.settings, ScaffoldResponse)
    assert sorted(responses) == list(range(NUM_ROWS))
    assert {response.probability for response in responses.values()} == {1.0}
    assert "<answer>awe</answer>" in responses[0].text
