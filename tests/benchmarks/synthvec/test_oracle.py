import pytest

from emocal_rl.benchmarks.synthvec.oracle import load_oracle
from emocal_rl.platform.data.vecbench import read_vecbench
from emocal_rl.platform.errors import DataError


def test_the_oracle_knows_every_sample(small_world):
    oracle = load_oracle(small_world.directory)
    for sample in read_vecbench(str(small_world.test)):
        distribution = oracle.distribution(sample.id)
        assert tuple(distribution) == sample.candidates
        assert sum(distribution.values()) == pytest.approx(1.0)
        answer, confidence = oracle.bayes_answer(sample.id)
        assert confidence == max(distribution.values()) == distribution[answer]
        assert oracle.probability(sample.id, sample.label) == distribution[sample.label]
    assert oracle.table.filter(oracle.table["answer"] == oracle.table["label"]).height > 100


def test_an_answer_outside_the_labels_is_certainly_wrong(small_world):
    oracle = load_oracle(small_world.directory)
    assert oracle.probability("test-000000", "boredom") == 0.0
    assert oracle.probability("test-000000", None) == 0.0
    with pytest.raises(KeyError):
        oracle.distribution("test-999999")


def test_no_world_no_oracle(tmp_path):
    with pytest.raises(DataError, match=r"no such file.*synthvec build"):
        load_oracle(tmp_path)
