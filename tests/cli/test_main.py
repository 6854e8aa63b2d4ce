import subprocess
import sys
from collections.abc import Callable

import pytest

from emocal_rl import __version__
from emocal_rl.cli import main as cli

RunMain = Callable[..., tuple[object, str, str]]


def test_help_lists_the_commands(run_main: RunMain) -> None:
    _, shown, _ = run_main("--help")
    for command in ("config", "runs", "report", "doctor", "launch", "sft", "label", "pipeline"):
        assert command in shown


def test_the_command_line_imports_nothing_heavy() -> None:
    heavy = ("pydantic", "numpy", "torch", "ray", "vllm", "deepspeed", "matplotlib", "polars", "pyarrow", "yaml")
    code = f"import sys, emocal_rl.cli.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout == "[]\n"


def test_version_in_a_process_of_its_own() -> None:
    command = [sys.executable, "-m", "emocal_rl.cli.main", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd="/")
    assert done.stdout == f"emocal-rl {__version__}\n"


def test_a_users_errors_are_lines_without_traceback(run_main: RunMain) -> None:
    code, shown, errors = run_main("config", "show", "--set", "loss.clip_ration=1", "--set", "run.seed=-1")
    assert (code, shown) == (2, "")
    assert errors.splitlines() == [
        "error: --set loss.clip_ration: unknown key. Did you mean 'loss.clip_ratio'?",
        "error: --set run.seed = -1: must be a whole number, at least 0 and at most 2147483647.",
    ]


def test_an_unknown_option_is_a_usage_error(run_main: RunMain) -> None:
    code, _, errors = run_main("config", "show", "--nope")
    assert code == 2
    assert "No such option: --nope" in errors
    assert "Traceback" not in errors


def test_ctrl_c_ends_with_130(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("emocal_rl.platform.runs.listing.list_runs", interrupt)
    monkeypatch.setattr(sys, "argv", ["emocal-rl", "runs", "list"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 130


def test_our_own_bugs_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("emocal_rl.platform.runs.listing.list_runs", fail)
    monkeypatch.setattr(sys, "argv", ["emocal-rl", "runs", "list"])
    with pytest.raises(ZeroDivisionError):
        cli.main()
