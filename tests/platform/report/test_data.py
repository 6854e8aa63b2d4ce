import io
from pathlib import Path

import pytest
from PIL import Image

from emocal_rl.platform.config.data import DataConfig
from emocal_rl.platform.report.browser import THUMBNAIL_PIXELS, load_groups
from emocal_rl.platform.report.data import load_report_data
from emocal_rl.platform.report.images import image_loader
from emocal_rl.platform.runs.directory import RunDirectory
from emocal_rl.platform.runs.samples import read_samples


def test_a_whole_run_is_read(fake_run: RunDirectory) -> None:
    data = load_report_data(fake_run.path)
    assert data.notes == []
    assert sorted(data.evaluations) == ["after_greedy", "after_sampled", "before_greedy", "before_sampled"]
    assert [len(rows) for rows in (data.train, data.validation, data.sft, data.events)] == [100, 10, 180, 1]
    after = data.evaluations["after_sampled"]
    assert after.primary is after.in_domain
    assert after.primary.best["ece"] == 0.054
    assert after.primary.measured["ece"] == pytest.approx(0.050)
    assert data.summary.status == "finished"


def test_missing_parts_are_noted(tmp_path: Path) -> None:
    (tmp_path / "eval").mkdir()
    (tmp_path / "eval" / "before_sampled.json").write_text("{")
    data = load_report_data(tmp_path)
    assert data.notes[0].startswith("eval/before_sampled.json cannot be read: JSONDecodeError")
    assert data.notes[1:] == [
        "This run has no manifest.json.",
        "This run has no config.yaml.",
        "This run has no training rows in metrics.jsonl.",
        "This run has no sample files.",
        "This run has no evaluation before training.",
        "This run has no evaluation after training.",
    ]


def test_the_browser_shows_groups_of_steps_spread_over_the_run(fake_run: RunDirectory) -> None:
    groups = load_groups(fake_run, None)
    assert list(dict.fromkeys(group.step for group in groups)) == [1, 25, 50, 75, 100]
    assert {len(group.responses) for group in groups} == {8}
    first = groups[0].responses[0]
    assert set(first.terms) == {"format", "correctness", "confidence"}
    assert first.total == pytest.approx(sum(value for value in first.terms.values() if value is not None))
    assert groups[0].image == ""


def test_the_browser_shows_the_confidences_advantage_where_it_is_another(
    fake_run: RunDirectory, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{**row, "confidence_advantage": 0.25} for row in read_samples(fake_run, 1)]
    assert {response.confidence_advantage for response in load_groups(fake_run, None)[0].responses} == {None}
    monkeypatch.setattr("emocal_rl.platform.report.browser.read_samples", lambda *_: rows)
    assert {response.confidence_advantage for response in load_groups(fake_run, None)[0].responses} == {0.25}


def test_of_many_steps_a_few_are_shown(fake_run: RunDirectory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("emocal_rl.platform.report.browser.NUM_STEPS", 3)
    monkeypatch.setattr("emocal_rl.platform.report.browser.GROUPS_PER_STEP", 2)
    assert [group.step for group in load_groups(fake_run, None)] == [1, 1, 50, 50, 100, 100]


def encoded(size: tuple[int, int]) -> bytes:
    stream = io.BytesIO()
    Image.new("RGBA", size, (255, 0, 0, 128)).save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "start"),
    [(encoded((600, 300)), "data:image/jpeg;base64,"), (b"<svg onload=alert(1)>", ""), (b"\x89PNG", ""), (None, "")],
)  # fmt: skip
def test_thumbnails(fake_run: RunDirectory, content: bytes | None, start: str) -> None:
    image = load_groups(fake_run, lambda _: content)[0].image
    assert image.startswith(start)
    assert bool(image) == bool(start)
    assert len(image) < 4 * THUMBNAIL_PIXELS**2


def test_the_loader_keeps_to_the_runs_limits(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(encoded((8, 8)))
    assert image_loader(DataConfig())(str(path)) == path.read_bytes()
    assert image_loader(DataConfig(max_image_pixels=63))(str(path)) is None
    assert image_loader(DataConfig())(str(tmp_path / "none.png")) is None
    assert image_loader(DataConfig())("https://example.org/a.png") is None
