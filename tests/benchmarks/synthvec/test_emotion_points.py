import numpy as np
import pytest

from emocal_rl.benchmarks.synthvec.emotion_points import EMOTION_POINTS, point_matrix
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES


def test_every_label_of_every_taxonomy_has_a_point():
    assert {name: set(points) for name, points in EMOTION_POINTS.items()} == {
        name: set(taxonomy.labels) for name, taxonomy in TAXONOMIES.items()
    }


@pytest.mark.parametrize(("taxonomy", "closest"), [("mikels8", 0.35), ("webemo7", 0.3), ("webemo25", 0.15)])
def test_points_are_in_the_cube_and_apart(taxonomy, closest):
    points = point_matrix(taxonomy)
    assert points.shape == (len(TAXONOMIES[taxonomy].labels), 3)
    assert points.min() >= 0
    assert points.max() <= 1
    distances = np.linalg.norm(points[:, None] - points[None], axis=-1)[np.triu_indices(len(points), 1)]
    assert distances.min() > closest


def test_rows_follow_the_order_of_the_labels():
    assert point_matrix("unbiased6")[0].tolist() == list(EMOTION_POINTS["unbiased6"]["joy"])
