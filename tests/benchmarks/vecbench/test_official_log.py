from emocal_rl.benchmarks.vecbench.official_log import metric_conf_log, metric_log, write_logs
from emocal_rl.benchmarks.vecbench.table_report import TableReport, TableRow

NAN = float("nan")
REPORT = TableReport(
    "official",
    {"Abstract-8": TableRow(67 / 229, 0.29944, None, None, None, 229), "FI-2": TableRow(1.0, 1.0, None, None, None, 9)},
    {
        "ID VSA": TableRow(0.8195, 0.8175, 0.0476, 0.1468, 0.6609, 2000),
        "ID VER": TableRow(None, None, None, None, None, 0),
        "OOD VER": TableRow(0.5, 0.5, 0.0, NAN, NAN, 2),
    },
    TableRow(0.6135, 0.6132, None, None, None, 8032),
    {},
)


def test_metric_log() -> None:
    assert metric_log(REPORT).splitlines() == [
        "-----------------------------------------------------",
        "| Task            | Acc      | F1       | #Samples  |",
        "-----------------------------------------------------",
        "| Abstract-8      |  29.26 |  29.94 | 229       |",
        "| FI-2            | 100.00 | 100.00 | 9         |",
        "-----------------------------------------------------",
        "| Overall         |  61.35 |  61.32 | 8032      |",
        "-----------------------------------------------------",
    ]


def test_metric_conf_log() -> None:
    assert metric_conf_log(REPORT).splitlines() == [
        "--------------------------------------------------------------------------------------",
        "| Task/Group      | Acc    | F1     | ECE      | Brier      | ROC AUC    | #Samples  |",
        "--------------------------------------------------------------------------------------",
        "| Abstract-8      |  29.26 |  29.94 | N/A      | N/A        | N/A        | 229       |",
        "| FI-2            | 100.00 | 100.00 | N/A      | N/A        | N/A        | 9         |",
        "--------------------------------------------------------------------------------------",
        "| ID VSA          |  81.95 |  81.75 |     4.76 |      14.68 |      66.09 | 2000      |",
        "| ID VER          | N/A    | N/A    | N/A      | N/A        | N/A        | 0         |",
        "| OOD VER         |  50.00 |  50.00 |     0.00 |        nan |        nan | 2         |",
        "--------------------------------------------------------------------------------------",
        "| Overall         |  61.35 |  61.32 | N/A      | N/A        | N/A        | 8032      |",
        "--------------------------------------------------------------------------------------",
    ]


def test_both_files_are_written(tmp_path) -> None:
    write_logs(REPORT, tmp_path)
    assert (tmp_path / "metric.log").read_text() == metric_log(REPORT)
    assert (tmp_path / "metric_conf.log").read_text() == metric_conf_log(REPORT)


def test_a_report_is_json_and_nan_is_null() -> None:
    values = REPORT.to_dict()
    assert values["groups"]["OOD VER"] == {
        "accuracy": 0.5, "f1": 0.5, "ece": 0.0, "brier": None, "auc": None, "num_samples": 2
    }  # fmt: skip
