import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.errors import UserError

SIZES = {"pretrain": 32, "reasoning": 32, "confidence": 32, "calibration": 16, "validation": 9, "test": 60}
SETTINGS = [part for name, count in SIZES.items() for part in ("--set", f"synthvec.num_{name}={count}")]


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["synthvec", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("synthvec") / "world"
    built = invoke("build", "--out", directory, "--seed", 3, *SETTINGS, "--set", "synthvec.num_test_ood=0")
    assert built == f"{directory}\n"
    return directory


def test_build_obeys_its_options(world: Path) -> None:
    marker = json.loads((world / "synthvec.json").read_text())
    assert (marker["config"]["seed"], marker["config"]["num_test_ood"]) == (3, 0)
    assert len((world / "test.jsonl").read_text().splitlines()) == 60


def test_without_out_the_world_is_in_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    built = Path(invoke("build", *SETTINGS, "--set", "synthvec.num_test_ood=9").strip())
    assert built.parent == tmp_path / "emocal-rl" / "synthvec"
    assert (built / "oracle.parquet").is_file()


def test_sheet(world: Path, tmp_path: Path) -> None:
    path = tmp_path / "sheets" / "world.png"
    assert invoke("sheet", "--world", world, "--out", path) == f"{path}\n"
    assert Image.open(path).format == "PNG"


def test_oracle(world: Path) -> None:
    rows = json.loads(invoke("oracle", "--world", world, "--json"))
    assert [row["task"] for row in rows][-1] == "all in domain"
    total = rows[-1]
    assert total["num_samples"] == 60
    assert total["metrics"]["accuracy"] == total["metrics"]["mean_confidence"]
    assert total["metrics"]["ece"] == pytest.approx(0.0, abs=1e-12)
    shown = [line.split() for line in invoke("oracle", "--world", world).splitlines()]
    accuracy = f"{total['metrics']['accuracy']:.3f}"
    assert [words[3] for words in shown if words[:3] == ["all", "in", "domain"]] == [accuracy]
    assert [words[-1] for words in shown if words[:1] == ["SynthWebEmo-25"]] == ["10"]


def test_a_folder_without_a_world(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Build the world first: emocal-rl synthvec build"):
        invoke("oracle", "--world", tmp_path)
    (tmp_path / "notes.txt").touch()
    with pytest.raises(UserError, match="must be empty or hold a SynthVEC world"):
        invoke("build", "--out", tmp_path, *SETTINGS)


def test_a_file_is_no_world(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UserError, match="its oracle cannot be read"):
        invoke("sheet", "--world", file)
    with pytest.raises(UserError, match="Not a directory"):
        invoke("build", "--out", file, *SETTINGS)


def test_a_corrupt_oracle(tmp_path: Path) -> None:
    (tmp_path / "oracle.parquet").write_bytes(b"PAR1 and nothing else")
    with pytest.raises(UserError, match="its oracle cannot be read"):
        invoke("oracle", "--world", tmp_path)


def test_a_world_that_lost_its_images(world: Path, tmp_path: Path) -> None:
    (tmp_path / "oracle.parquet").write_bytes((world / "oracle.parquet").read_bytes())
    with pytest.raises(UserError, match=r"No such file or directory \(.*/images/test/\d+\.png\)"):
        invoke("sheet", "--world", tmp_path, "--out", tmp_path / "sheet.png")


def test_sheets_are_png(world: Path) -> None:
    with pytest.raises(UserError, match=r"must be a \.png file"):
        invoke("sheet", "--world", world, "--out", "sheet.pdf")
