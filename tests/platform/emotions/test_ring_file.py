import re
from pathlib import Path

import pytest

from emocal_rl.platform.emotions.ring import RING_POSITIONS, ring_distance
from emocal_rl.platform.emotions.ring_file import read_rings, write_rings
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES
from emocal_rl.platform.errors import ConfigErrors, DataError

WEBEMO7 = {"fear": 0.0, "love": 0.1, "joy": 0.2, "surprise": 0.3, "anger": 0.4, "confusion": 0.5, "sadness": 0.75}


def test_a_ring_file_takes_the_place_of_the_shipped_rings(tmp_path: Path) -> None:
    path = tmp_path / "ring.yaml"
    write_rings(path, {"webemo7": WEBEMO7})
    rings = read_rings(str(path))
    assert dict(rings["webemo7"]) == WEBEMO7
    assert rings["mikels8"] == RING_POSITIONS["mikels8"]
    assert ring_distance(TAXONOMIES["webemo7"], "fear", "sadness", rings) == 0.25
    assert ring_distance(TAXONOMIES["unbiased6"], "fear", "sadness", rings) == 0.25  # it goes with WebEmo-7
    assert "confusion" not in rings["unbiased6"]
    assert ring_distance(TAXONOMIES["unbiased6"], "fear", "sadness") == pytest.approx(0.2047, abs=1e-12)


def test_without_a_file_the_shipped_rings() -> None:
    assert read_rings(None) is RING_POSITIONS


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mikels9:\n  awe: 0\n", ":1 = 'mikels9': must be a taxonomy"),
        ("mikels8:\n  awe: 0\n  awr: 0.5\n", ":3 mikels8.awr: is no label of mikels8. Did you mean 'awe'?"),
        ("mikels8:\n  awe: 1.0\n", ":2 mikels8.awe = 1.0: must be a number in [0, 1)"),
        ("mikels8:\n  awe: x\n", ":2 mikels8.awe = 'x': must be a number"),
        ("mikels8:\n  awe: 0.5\n", ":1 mikels8: must place every label of its taxonomy; amusement, contentment"),
        ("mikels8: 3\n", ":1 mikels8: must place every label"),
    ],
)
def test_a_broken_ring_file_names_line_and_rule(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "ring.yaml"
    path.write_text(text)
    with pytest.raises(DataError, match=re.escape(message)):
        read_rings(str(path))


def test_what_is_no_yaml_or_not_there(tmp_path: Path) -> None:
    path = tmp_path / "ring.yaml"
    path.write_text("a: [")
    with pytest.raises(ConfigErrors, match="not valid YAML"):
        read_rings(str(path))
    with pytest.raises(DataError, match="no such file"):
        read_rings(str(tmp_path / "none.yaml"))
