import base64
import hashlib
import io
import json
import re

from PIL import Image

from emocal_rl.platform.contracts import DemonstrationSample, Sample
from emocal_rl.platform.data.statistics import StageStatistics
from emocal_rl.platform.report.dataset_figures import corpus_png
from emocal_rl.platform.report.dataset_page import draw_sample, render_samples, render_statistics

ATTACK = "</script><script>alert(1)</script><img src=x onerror=alert(1)>"


def example(index=0, **changes):
    fields = {
        "id": f"s{index}",
        "images": ("a.png",),
        "question": "Which?",
        "candidates": ("awe", "fear"),
        "label": "awe",
    }
    sample = Sample(**{**fields, "task": "FI-8", "line": index, **changes})
    return DemonstrationSample(sample, f"<answer>awe</answer>{ATTACK}", ((0, 8),), False)


def load_image(_reference):
    file = io.BytesIO()
    Image.new("RGB", (400, 300), "red").save(file, "PNG")
    return file.getvalue()


def embedded(page):
    return json.loads(re.search(r'<script type="application/json" id="data">(.*?)</script>', page)[1])


def test_samples_are_embedded_and_escaped():
    page = render_samples(
        ATTACK, [example(3, question=ATTACK, images=("a.png", "data:image/png;base64,AA"))], 9, load_image
    )
    assert "alert(1)</script>" not in page
    assert "1 of 9 rows" in page
    (shown,) = embedded(page)
    assert (shown["question"], shown["spans"], shown["loss_on_end"], shown["line"]) == (ATTACK, [[0, 8]], False, 3)
    assert [image["reference"] for image in shown["images"]] == ["a.png", "embedded"]
    data = base64.b64decode(shown["images"][0]["source"].removeprefix("data:image/jpeg;base64,"))
    assert Image.open(io.BytesIO(data)).size == (168, 126)


def test_nothing_else_is_let_in():
    page = render_samples("x", [example().sample], 1, lambda _: None)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', page)[1]
    script = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)[-1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in policy
    assert policy.startswith("default-src &#39;none&#39;; img-src data:;")
    assert re.findall(r'(?:src|href)="(?!data:|#)', page) == []
    (shown,) = embedded(page)
    assert (shown["response"], shown["images"][0]["source"]) == (None, "")


def test_a_sample_is_drawn_evenly_and_in_order():
    drawn, num_rows = draw_sample((example(index) for index in range(1000)), 50, seed=1)
    lines = [each.sample.line for each in drawn]
    assert (num_rows, len(lines), lines) == (1000, 50, sorted(set(lines)))
    assert 400 < sum(lines) / 50 < 600
    assert draw_sample((example(index) for index in range(3)), 50, seed=1)[0] == [example(index) for index in range(3)]


def stages():
    one, two = StageStatistics("stage-1"), StageStatistics(ATTACK)
    one.sources.update({"EmoSet-8": 30_022, "Other-8": 4})
    one.labels.update({"EmoSet-8": {"awe": 30_000, "fear": 22}, "Other-8": {"awe": 4}})
    one.response_lengths.extend([10, 20, 30])
    one.question_lengths.extend([5])
    two.sources.update({"EmoSet-8": 3})
    two.pixels.extend([1_000_000, 2_000_000])
    return [one, two]


def test_statistics_as_a_page():
    page = render_statistics(stages(), "words")
    text = re.sub(r"<[^>]+>", " ", page)
    assert re.search(r"Stage\s+EmoSet\s+Other-8\s+Total\s+stage-1\s+30,022\s+4\s+30,026", text)
    assert re.search(r"stage-1\s+response, words\s+3\s+10\s+10\s+20\s+20\s+30\s+30", text)
    assert "alert(1)</script>" not in page
    assert page.count("data:image/svg+xml;base64,") == 2


def test_statistics_as_a_picture():
    picture = Image.open(io.BytesIO(corpus_png(stages(), "words")))
    assert (picture.format, picture.size) == ("PNG", (1664, 896))
