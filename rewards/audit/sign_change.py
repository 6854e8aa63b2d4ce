from collections.abc import Callable

_HALVINGS = 16


def sign_change(function: Callable[[float], float], low: float, high: float) -> float:
    """Return where `function` changes sign between `low` and `high`, to 1e-5 of the interval.

    Bisection, because a reward may jump. The signs at the ends must differ; zero counts as negative.
    """
    positive_low = function(low) > 0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if (function(middle) > 0) == positive_low:
            low = middle
        else:
            high = middle
    return (low + high) / 2
