import itertools

import pytest

from emocal_rl.platform.emotions.ring import RING_POSITIONS, ring_distance
from emocal_rl.platform.emotions.taxonomy import TAXONOMIES, Taxonomy
from emocal_rl.platform.errors import DataError

MIKELS8, WEBEMO25 = TAXONOMIES["mikels8"], TAXONOMIES["webemo25"]


def test_the_published_check_values():
    assert ring_distance(MIKELS8, "amusement", "contentment") == pytest.approx(0.0808, abs=1e-12)
    assert ring_distance(MIKELS8, "amusement", "anger") == pytest.approx(0.2371, abs=1e-12)
    assert ring_distance(WEBEMO25, "horror", "lust") == pytest.approx(0.0559, abs=1e-12)
    assert ring_distance(TAXONOMIES["unbiased6"], "fear", "sadness") == pytest.approx(0.2047, abs=1e-12)
    assert ring_distance(TAXONOMIES["polarity2"], "positive", "negative") == 0.5


def test_labels_are_resolved_before_measuring():
    assert ring_distance(WEBEMO25, "Cheerfullness", "cheerfulness") == 0.0


@pytest.mark.parametrize("taxonomy", TAXONOMIES.values(), ids=TAXONOMIES)
def test_every_shipped_ring_is_a_semimetric_up_to_one_half(taxonomy):
    assert set(RING_POSITIONS[taxonomy.name]) == set(taxonomy.labels)
    for a, b in itertools.product(taxonomy.labels, repeat=2):
        assert ring_distance(taxonomy, a, b) == ring_distance(taxonomy, b, a)
        assert 0.0 <= ring_distance(taxonomy, a, b) <= 0.5
        assert (ring_distance(taxonomy, a, b) == 0.0) == (a == b)


def test_siblings_of_webemo25_are_adjacent():
    ordered = sorted(WEBEMO25.labels, key=RING_POSITIONS["webemo25"].__getitem__)
    assert len(list(itertools.groupby(ordered, key=WEBEMO25.parents.__getitem__))) == 7


def test_what_has_no_place_on_a_ring_is_an_error():
    with pytest.raises(DataError, match="label = 'bliss': must be a label of mikels8"):
        ring_distance(MIKELS8, "awe", "bliss")
    with pytest.raises(DataError, match="have a ring"):
        ring_distance(Taxonomy("candidates", ("a", "b")), "a", "b")
