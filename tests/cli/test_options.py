from pathlib import Path

import pytest
from typer.testing import CliRunner

from emocal_rl.cli.main import app
from emocal_rl.cli.options import local_only
from emocal_rl.platform.errors import UserError


@pytest.mark.parametrize("path", ["out", "a/b:c/d", "/x/y", ".", "C:"])
def test_a_path_is_local(path: str) -> None:
    assert local_only(Path(path)) == Path(path)


@pytest.mark.parametrize(
    "command",
    [
        ("eval", "score", "rows.jsonl"),
        ("eval", "compare", "rows.jsonl"),
        ("eval", "report", "rows.jsonl"),
        ("rewards", "audit"),
    ],
)
def test_a_url_is_not_taken_for_a_folders_name(command: tuple[str, ...]) -> None:
    with pytest.raises(UserError, match=r"^--out = 's3://bucket/key': must be a local path"):
        CliRunner().invoke(app, [*command, "--out", "s3://bucket/key"], catch_exceptions=False)
