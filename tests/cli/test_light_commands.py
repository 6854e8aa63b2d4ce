import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

HEAVY = ("torch", "ray", "vllm", "deepspeed", "transformers", "matplotlib", "sklearn")


def test_scoring_and_auditing_import_nothing_heavy(
    tmp_path: Path, write_example_predictions: Callable[..., Path]
) -> None:
    predictions = write_example_predictions(tmp_path / "predictions.jsonl", count=1)
    commands = [
        ["rewards", "audit", "--group-size", "3", "--num-levels", "6", "--json"],
        ["eval", "score", str(predictions), "--protocol", "official", "--explain"],
    ]
    code = (
        "import sys\nfrom emocal_rl.cli.main import app\n"
        f"for command in {commands!r}:\n"
        "    app(command, standalone_mode=False)\n"
        f"    print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd="/")
    assert done.stderr.splitlines() == ["[]", "[]"]
