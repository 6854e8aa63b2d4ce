from pathlib import Path

import pytest

from emocal_rl.platform.errors import RunError
from emocal_rl.stages.chat.exchange import Reply
from emocal_rl.stages.synthesis.reply_journal import ReplyJournal

SETTINGS = {"synthesis.teacher.model": "m", "synthesis.teacher.temperature": 0.7}


def reply(sample_id: str, text: str) -> Reply:
    return Reply(sample_id, "teacher", "hash", text, "stop", 10, 3)


def test_replies_come_back_in_order_also_after_a_torn_line(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with ReplyJournal(path, SETTINGS) as journal:
        for text in ("first", "zwei\n“drei”"):
            journal.append(reply("a", text))
        journal.append(reply("b", "x"))
        assert journal.replies("a") == (reply("a", "first"), reply("a", "zwei\n“drei”"))
    whole = path.read_bytes()
    for cut in (1, 20):  # the newline alone, or more
        path.write_bytes(whole[:-cut])
        with ReplyJournal(path, SETTINGS) as journal:
            assert journal.replies("b") == ()
            assert journal.usage.num_replies["teacher"] == 2
            journal.append(reply("b", "again"))
            assert journal.replies("b") == (reply("b", "again"),)
            assert (journal.usage.num_prompt_tokens["teacher"], journal.usage.num_completion_tokens["teacher"]) == (
                30,
                9,
            )


def test_replies_under_other_settings_are_refused_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with ReplyJournal(path, SETTINGS) as journal:
        journal.append(reply("a", "x"))
    before = path.read_bytes()
    message = r"synthesis.teacher.temperature = 0.9: .*were given under synthesis.teacher.temperature = 0.7"
    with pytest.raises(RunError, match=message):
        ReplyJournal(path, {**SETTINGS, "synthesis.teacher.temperature": 0.9})
    assert path.read_bytes() == before


def test_a_journal_without_replies_takes_new_settings_whatever_is_left_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    for left in (b"", b'{"settings": {"torn', b'{"settings": {"other": 1}}\n'):
        path.write_bytes(left)
        with ReplyJournal(path, SETTINGS) as journal:
            journal.append(reply("a", "x"))
        with ReplyJournal(path, SETTINGS) as journal:
            assert journal.replies("a") == (reply("a", "x"),)


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with ReplyJournal(path, SETTINGS) as journal:
        journal.append(reply("a", "x"))
    whole = path.read_bytes()
    path.write_bytes(whole + b"{]\n")
    with pytest.raises(RunError, match=f"the line at byte {len(whole)} is not JSON"):
        ReplyJournal(path, SETTINGS)
    path.write_bytes(whole + b'{"settings": {}}\n')
    with pytest.raises(RunError, match=f"the line at byte {len(whole)} is no reply"):
        ReplyJournal(path, SETTINGS)
