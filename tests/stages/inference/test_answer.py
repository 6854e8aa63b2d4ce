from math import exp, log

import numpy as np
import pytest

from emocal_rl.platform.contracts import Response, RolloutGroup, Sample
from emocal_rl.platform.data.location import Location
from emocal_rl.stages.chat.exchange import Failure, Reply, TokenizedReply
from emocal_rl.stages.inference.answer import Answer, answer_of_group, answer_of_reply, prediction_row

SAMPLE = Sample("s", ("/data/a.png",), "?", ("amusement", "awe", "fear"), "awe", "FI-8")
PIECES = ("<answer>", "a", "we", "</answer>", "<confidence>0.8</confidence>", "")
PROBABILITIES = (0.9, 0.8, 0.5, 1.0, 0.6, 0.4)
TEXT, ENDS = "".join(PIECES), tuple(len("".join(PIECES[: n + 1])) for n in range(len(PIECES)))


def test_ans_is_the_decisive_tokens_probability_and_avg_the_mean_over_all() -> None:
    logprobs = np.log(np.array(PROBABILITIES, np.float32))
    response = Response(TEXT, np.arange(6, dtype=np.int32), logprobs, "stop", 0, np.array(ENDS, np.int32))
    group = RolloutGroup(SAMPLE, (), np.arange(40, dtype=np.int32), (response,), ((56, 84),))
    answer = answer_of_group(SAMPLE, group)
    assert answer.confidence_ans == pytest.approx(0.5)
    assert answer.confidence_avg == pytest.approx(sum(PROBABILITIES) / 6)
    assert (answer.prompt_tokens, answer.num_tokens, answer.image_sizes) == (40, 6, [[56, 84]])
    row = prediction_row(Location.parse("/data"), SAMPLE, 3, answer)
    assert row["confidence"] == 0.8
    assert row["image_sizes"] == [[56, 84]]
    assert row["seed"] == 3
    assert row["conversations"][0]["content"][0]["image"] == "a.png"


def test_a_reply_with_log_probs_says_the_same() -> None:
    logprobs = tuple(log(probability) for probability in PROBABILITIES)
    reply = TokenizedReply("s", "evaluated", "h", TEXT, "length", 11, 6, logprobs, ENDS)
    answer = answer_of_reply(SAMPLE, reply)
    assert answer.confidence_ans == pytest.approx(0.5)
    assert answer.confidence_avg == pytest.approx(sum(exp(value) for value in logprobs) / 6)
    assert (answer.finish_reason, answer.prompt_tokens, answer.num_tokens) == ("length", 11, 6)
    plain = answer_of_reply(SAMPLE, Reply("s", "evaluated", "h", TEXT, "stop", 11, 6))
    assert (plain.text, plain.confidence_ans, plain.confidence_avg) == (TEXT, None, None)


def test_refusals_and_failures_are_error_rows() -> None:
    refused = answer_of_reply(SAMPLE, Reply("s", "evaluated", "h", "not this image", "refused", 0, 0))
    assert refused == Answer(None, "refused", error="refused: not this image")
    for answer, error in ((refused, "refused: not this image"), (Failure("no answer"), "no answer")):
        row = prediction_row(Location.parse("/elsewhere"), SAMPLE, 0, answer)
        assert set(row) == {"original_data", "error"}
        assert row["error"] == error
        assert row["original_data"]["ground_truth"] == "awe"
