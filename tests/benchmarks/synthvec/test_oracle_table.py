import pytest

from emocal_rl.benchmarks.synthvec.oracle import load_oracle
from emocal_rl.benchmarks.synthvec.oracle_table import oracle_table
from emocal_rl.benchmarks.synthvec.tasks import TASKS


def test_a_row_for_each_task_and_each_domain(small_world):
    rows = {row.task: row for row in oracle_table(load_oracle(small_world.directory))}
    assert set(rows) == {*TASKS, "all in domain", "all out of domain"}
    assert rows["all in domain"].num_samples == 60
    accuracies = [rows[task.name].metrics["accuracy"] for task in TASKS.values() if task.in_domain]
    assert rows["all in domain"].metrics["accuracy"] == pytest.approx(sum(accuracies) / 6)
    assert all(row.metrics["ece"] == pytest.approx(0.0, abs=1e-12) for row in rows.values())
