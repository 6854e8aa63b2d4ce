import pytest

from emocal_rl.benchmarks.synthvec.tasks import TASKS
from emocal_rl.benchmarks.vecbench.tasks import TASK_GROUPS, group_of_task


@pytest.mark.parametrize(
    ("task", "group"),
    [
        ("FI-2", "ID VSA"),
        ("webemo-25", "ID VER"),
        ("ArtPhoto-8", "OOD VER"),
        ("UnbaisedEmo-6", "OOD VER"),
        ("SynthWebEmo-2", "ID VSA"),
        ("SynthUnbiasedEmo-6", "OOD VER"),
        ("Cats-9", None),
    ],
)
def test_group_of_task(task, group):
    assert group_of_task(task) == group


def test_every_vecbench_task_has_a_synthetic_mirror_in_the_same_domain():
    assert {task.removeprefix("Synth") for task in TASKS} == set(TASK_GROUPS)
    for name, task in TASKS.items():
        assert task.in_domain == (group_of_task(name) != "OOD VER")
