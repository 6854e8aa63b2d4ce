from typing import Any

from emocal_rl.actors.stateless_pool import StatelessPool


class Method:
    def __init__(self, name: str) -> None:
        self.name = name

    def remote(self, *arguments: Any) -> tuple[Any, ...]:
        return (self.name, *arguments)


class Worker:
    def __init__(self, name: str) -> None:
        self.score = Method(name)


def test_workers_take_turns_and_get_every_argument() -> None:
    pool = StatelessPool([Worker("a"), Worker("b")], "score")
    assert [pool.submit("group"), pool.submit("group", "reference"), pool.submit("next")] == [
        ("a", "group"),
        ("b", "group", "reference"),
        ("a", "next"),
    ]
