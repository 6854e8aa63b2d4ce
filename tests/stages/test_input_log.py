import json
from pathlib import Path

from emocal_rl.platform.contracts import DemonstrationInput
from emocal_rl.stages.input_log import InputLog


def test_a_resumed_run_writes_its_steps_once(tmp_path: Path) -> None:
    path = tmp_path / "inputs.jsonl"
    log = InputLog(path)
    log.forget_after(0)
    given = DemonstrationInput("a", 40, 20, 9, ((84, 56),), dropped=False)
    for step in (1, 2, 3):
        log.append(step, [given])
    path.write_text(path.read_text() + '{"step": 4, "sam')  # torn by a crash
    log.forget_after(2)
    log.append(3, [given])
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [row["step"] for row in rows] == [1, 2, 3]
    assert rows[0] == {
        "step": 1, "sample_id": "a", "num_tokens": 40, "num_loss_tokens": 20, "image_tokens": 9,
        "image_sizes": [[84, 56]], "dropped": False,
    }  # fmt: skip
