import json
import re
from pathlib import Path

import pytest

from emocal_rl.platform.errors import RunError
from emocal_rl.stages.labelling import ScaffoldResponse
from emocal_rl.stages.response_journal import ResponseJournal, Settings, read_responses

SETTINGS = {"run.seed": 0, "data.image_root": None}
FIRST, SECOND = ScaffoldResponse("né\n", 0.1 + 0.2, "stop"), ScaffoldResponse("", 1.0, "length")


def open_journal(path: Path, settings: Settings = SETTINGS) -> ResponseJournal[ScaffoldResponse]:
    return ResponseJournal(path, settings, ScaffoldResponse)


def write(path: Path) -> None:
    with open_journal(path) as journal:
        journal.append(7, FIRST)
        journal.append(0, SECOND)


def test_responses_come_back_exactly(tmp_path: Path) -> None:
    path = tmp_path / "new" / "out.journal.jsonl"
    write(path)
    assert read_responses(path, SETTINGS, ScaffoldResponse) == {7: FIRST, 0: SECOND}
    assert [json.loads(line).get("index") for line in path.read_text().splitlines()] == [None, 7, 0]


def test_a_journal_torn_anywhere_is_mended_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path)
    content = path.read_bytes()
    for end in range(len(content)):
        path.write_bytes(content[:end])
        with open_journal(path) as journal:
            kept = dict(journal.responses)
            journal.append(0, SECOND)
        assert kept in ({}, {7: FIRST})
        assert read_responses(path, SETTINGS, ScaffoldResponse) == {**kept, 0: SECOND}


def test_other_settings_are_refused_by_name_and_nothing_is_lost(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    write(path)
    before = path.read_bytes()
    with pytest.raises(RunError, match=re.escape("with other settings: run.seed was 0 and is 1.")) as caught:
        open_journal(path, {**SETTINGS, "run.seed": 1})
    assert "choose another --out" in caught.value.fix
    assert path.read_bytes() == before


@pytest.mark.parametrize("line", ["{", "[]", '{"index": 1}', '{"index": 1, "text": "", "more": 1}'])
def test_damage_in_the_middle_names_the_line(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal"
    write(path)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], line, lines[2], ""]))
    with pytest.raises(RunError, match="is not a line of a response journal") as caught:
        open_journal(path)
    assert caught.value.key == f"{path}:2"


def test_two_jobs_cannot_write_one_journal(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    with open_journal(path), pytest.raises(RunError, match="is in use by another process"):
        open_journal(path)
    write(path)
