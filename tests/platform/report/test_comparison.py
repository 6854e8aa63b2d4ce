from emocal_rl.platform.report.comparison import compare
from emocal_rl.platform.report.data import Evaluation, Metrics, Scope


def scope(accuracy: float, *, known: bool = False) -> Scope:
    expected: Metrics | None = {"accuracy": accuracy + 0.01} if known else None
    oracle: Metrics | None = {"accuracy": 0.64} if known else None
    return Scope({"accuracy": accuracy}, expected, oracle, {}, [], [])


def test_real_data_has_no_oracle_and_no_second_number() -> None:
    evaluations = {
        "before_sampled": Evaluation("before_sampled", 0.7, scope(0.5), None),
        "after_sampled": Evaluation("after_sampled", 0.7, scope(0.6), None),
    }
    (table,) = compare(evaluations)
    assert table.title == "Sampled at T = 0.7, all tasks"
    assert [(row.label, row.metrics["accuracy"], row.measured) for row in table.rows] == [
        ("Cold start", 0.5, None),
        ("Calibrated", 0.6, None),
    ]


def test_the_known_world_shows_expected_beside_measured_and_the_oracle() -> None:
    evaluations = {"after_greedy": Evaluation("after_greedy", 0.0, scope(0.5), scope(0.6, known=True))}
    tables = compare(evaluations)
    assert [table.title for table in tables] == ["Greedy, in-domain tasks", "Greedy, all tasks"]
    assert [(row.label, row.metrics["accuracy"], row.measured) for row in tables[0].rows] == [
        ("Calibrated", 0.61, {"accuracy": 0.6}),
        ("Oracle", 0.64, None),
    ]


def test_nothing_evaluated_is_no_table() -> None:
    assert compare({}) == []
