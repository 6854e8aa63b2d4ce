from emocal_rl.benchmarks.vecbench.official import judge_official, judge_official_overall
from emocal_rl.benchmarks.vecbench.official_log import metric_conf_log, metric_log, write_logs
from emocal_rl.benchmarks.vecbench.outcomes import collect
from emocal_rl.benchmarks.vecbench.table_report import TableReport, TableRow
from emocal_rl.platform.data.vecbench import Prediction

REPORT = TableReport(
    "official",
    {"Abstract-8": TableRow(67 / 229, 0.29944, None, None, None, 229), "FI-2": TableRow(1.0, 1.0, None, None, None, 9)},
    {
        "ID VSA": TableRow(0.8195, 0.8175, 0.0476, 0.1468, 0.6609, 2000),
        "OOD VER": TableRow(1.0, 0.5, 0.0, 0.01, None, 2),
    },
    TableRow(0.6135, 0.6132, None, None, None, 8032),
    {},
)

ROW = TableRow(0.5, 0.5, None, None, None, 4)


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
        "| OOD VER         | 100.00 |  50.00 | N/A      | N/A        | N/A        | 2         |",
        "--------------------------------------------------------------------------------------",
        "| Overall         |  61.35 |  61.32 | N/A      | N/A        | N/A        | 8032      |",
        "--------------------------------------------------------------------------------------",
    ]


def test_both_files_are_written_and_one_knows_nothing_of_confidences(tmp_path) -> None:
    texts = ["<answer>awe</answer><confidence>.5</confidence>", "<answer>fear</answer><confidence>90%</confidence>"]
    rows = [
        Prediction(str(number), (), "?", ("awe", "fear"), "awe", "FI-8", response=text)
        for number, text in enumerate(texts)
    ]
    write_logs(collect(map(judge_official, rows)), collect(map(judge_official_overall, rows)), tmp_path)
    assert (tmp_path / "metric.log").read_text().splitlines()[3::2] == [
        "| FI-8            |  50.00 |  66.67 | 2         |",
        "| Overall         |  50.00 |  66.67 | 2         |",
    ]
    assert (tmp_path / "metric_conf.log").read_text().splitlines()[3:10] == [
        "| FI-8            | 100.00 | 100.00 | N/A      | N/A        | N/A        | 1         |",
        "-" * 86,
        "| ID VSA          | N/A    | N/A    | N/A      | N/A        | N/A        | 0         |",
        "| ID VER          | 100.00 | 100.00 | N/A      | N/A        | N/A        | 1         |",
        "| OOD VER         | N/A    | N/A    | N/A      | N/A        | N/A        | 0         |",
        "-" * 86,
        "| Overall         | 100.00 | 100.00 | N/A      | N/A        | N/A        | 1         |",
    ]


def test_tasks_that_the_evaluator_does_not_know_have_no_line() -> None:
    tasks = ("Artphoto-8", "ArtPhoto-8", "Emo-3", "WebEmo-25", "WebEmo-7", "FI-8 ", "ÉMO")
    report = TableReport("official", {task: TableRow(1.0, 1.0, None, None, None, 1) for task in tasks}, {}, ROW, {})
    for text, num_groups in ((metric_log(report), 0), (metric_conf_log(report), 3)):
        names = [line.split("|")[1].strip() for line in text.splitlines() if line.startswith("|")]
        assert names[1:4] == ["Artphoto-8", "WebEmo-25", "WebEmo-7"]
        assert len(names) == 4 + num_groups + 1


def test_no_line_at_all_leaves_the_rules() -> None:
    lines = metric_log(TableReport("official", {}, {}, ROW, {})).splitlines()
    assert [line[:10] for line in lines] == ["-" * 10, "| Task    ", *["-" * 10] * 2, "| Overall ", "-" * 10]
