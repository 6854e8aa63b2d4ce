import time

import pytest

from emocal_rl.platform.data.parallel import map_ahead


def test_results_come_in_order_and_the_source_is_read_a_little_ahead():
    taken = []

    def rows():
        for number in range(10_000):
            taken.append(number)
            yield number

    def square(number):
        time.sleep(0.001 * (number % 3))
        return number * number

    results = map_ahead(square, rows())
    assert [next(results) for _ in range(5)] == [0, 1, 4, 9, 16]
    assert len(taken) < 300
    results.close()


def test_what_came_before_an_error_is_yielded_first():
    def rows():
        yield from range(100)
        message = "broken"
        raise ValueError(message)

    results = map_ahead(lambda n: -n, rows())
    assert [next(results) for _ in range(100)] == [-n for n in range(100)]
    with pytest.raises(ValueError, match="broken"):
        next(results)


def test_an_error_of_the_function_comes_in_its_place():
    results = map_ahead(lambda n: 1 // (n - 3), range(10))
    assert [next(results) for _ in range(3)] == [-1, -1, -1]
    with pytest.raises(ZeroDivisionError):
        next(results)
