import json
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.platform.emotions.ring import RING_POSITIONS
from emocal_rl.platform.emotions.ring_file import read_rings
from emocal_rl.platform.errors import UserError

# Mikels-8's points invented so that the loop is plain to see: a line out and back along valence.
POINTS = {"amusement": 0.0, "anger": 0.1, "awe": 0.2, "contentment": 0.3, "disgust": 0.4, "excitement": 0.6}
POINTS |= {"fear": 0.8, "sadness": 1.0}


def invoke(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["ring", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def lexicon(tmp_path: Path) -> Path:
    path = tmp_path / "lexicon.txt"
    rows = (f"{word}\t{valence}\t0.5\t0.5" for word, valence in POINTS.items() if word != "awe")
    path.write_text("Word\tValence\tArousal\tDominance\nwonder\t0.2\t0.5\t0.5\n" + "\n".join(rows))
    return path


def test_build_writes_a_ring_file_that_show_reads(lexicon: Path, tmp_path: Path) -> None:
    out, figure = tmp_path / "new" / "ring.yaml", tmp_path / "ring.png"
    built = invoke(
        "build", "--vad-lexicon", lexicon, "--taxonomy", "mikels8", "--word", "awe=wonder", "--out", out,
        "--figure", figure, "--json",
    )  # fmt: skip
    positions = json.loads(built)["mikels8"]["positions"]
    assert positions["amusement"] == 0.0
    # from valence 0 to 1 and back is a perimeter of 2, so neighbours on the line are half their difference apart
    assert min(positions["anger"], 1 - positions["anger"]) == pytest.approx(0.05, abs=1e-9)
    assert positions["sadness"] == 0.5
    assert dict(read_rings(str(out))["mikels8"]) == positions
    assert Image.open(figure).format == "PNG"
    shown = json.loads(invoke("show", "mikels8", "--ring", out, "--json"))
    assert shown["mikels8"]["positions"] == positions
    assert shown["mikels8"]["difference_from_shipped"] > 0.1


def test_show_has_the_shipped_rings_in_order(tmp_path: Path) -> None:
    shown = json.loads(invoke("show", "--json"))
    assert list(shown) == list(RING_POSITIONS)
    assert shown["webemo25"] == {"positions": dict(RING_POSITIONS["webemo25"]), "difference_from_shipped": 0.0}
    rows = [line.split() for line in invoke("show", "webemo25", "--figure", tmp_path / "r.svg").splitlines()]
    assert ["lust", "love", "0.0000"] in rows
    assert ["horror", "fear", "0.9441"] in rows
    assert (tmp_path / "r.svg").read_text().startswith("<svg")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["build", "--vad-lexicon", "LEXICON", "--taxonomy", "mikels8"], "lacks 1 of the 8 words: awe."),
        (["build", "--vad-lexicon", "LEXICON", "--taxonomy", "mikels"], "Did you mean 'mikels8'?"),
        (["build", "--vad-lexicon", "/nowhere.txt"], "there is no such file"),
        (["build", "--vad-lexicon", "LEXICON", "--word", "awe"], "must be LABEL=WORD"),
        (["build", "--vad-lexicon", "LEXICON", "--word", "aww=wonder"], "there is no label aww"),
        (["build", "--vad-lexicon", "LEXICON", "--figure", "ring.jpg"], "must be a .png or .svg file"),
        (["show", "webemo8"], "must be one of mikels8, webemo7"),
        (["show", "--ring", "LEXICON"], "not valid YAML"),
    ],
)
def test_bad_input_is_one_message_and_writes_nothing(
    lexicon: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    given = [str(lexicon) if argument == "LEXICON" else argument for argument in arguments]
    with pytest.raises(UserError) as caught:
        CliRunner().invoke(app, ["ring", *given], catch_exceptions=False)
    assert message in str(caught.value)
    assert list(tmp_path.iterdir()) == [lexicon]
