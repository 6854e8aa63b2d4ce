import numpy as np

from emocal_rl.benchmarks.synthvec.pretraining_targets import ATTRIBUTES, attribute_targets


def test_targets_are_the_latents_of_the_pretraining_images(small_world):
    ids, targets = attribute_targets(small_world)
    assert ids == [f"pretrain-{index:06d}" for index in range(64)]
    assert targets.shape == (64, len(ATTRIBUTES))
    assert targets.dtype == np.float32
    assert targets.min() >= -1e-6
    assert targets.max() <= 1 + 1e-6
    assert set(np.unique(targets[:, ATTRIBUTES.index("clarity")])) == {0.0, 0.5, 1.0}
    assert np.array_equal(targets[:, -4:].sum(axis=1), np.ones(64))
    assert targets[:, :4].std(axis=0).min() > 0.15
