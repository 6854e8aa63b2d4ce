from pathlib import Path
from typing import Any

import pytest

from emocal_rl.platform.errors import DataError
from emocal_rl.platform.progress import SilentProgress
from emocal_rl.stages.ablation import one_run


@pytest.mark.parametrize(
    ("error", "logged"),
    [(ZeroDivisionError("by 0"), True), (DataError("rows.jsonl:3", rule="broken", fix="Mend it."), False)],
)
def test_the_traceback_of_a_failure_is_in_the_runs_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, logged: bool
) -> None:
    def calibrate(*_: Any) -> None:
        raise error

    monkeypatch.setattr(one_run, "_calibrate", calibrate)
    (tmp_path / "config.yaml").write_text("run: {seed: 1}\n")
    with pytest.raises(type(error)):
        one_run.run_cell(tmp_path, SilentProgress(), stage="calibration", search_path=str(tmp_path))
    log = tmp_path / "log.txt"
    assert log.exists() == logged
    if logged:
        assert "Traceback (most recent call last)" in log.read_text()
        assert "ZeroDivisionError: by 0" in log.read_text()
