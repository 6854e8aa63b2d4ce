from dataclasses import replace
from math import exp, log

import numpy as np
import pytest

from emocal_rl.platform.contracts import Response, RolloutGroup, Sample
from emocal_rl.platform.data.location import Location
from emocal_rl.stages.chat.exchange import Failure, Reply, TokenizedReply
from emocal_rl.stages.inference.answer import Answer, answer_of_group, answer_of_reply, prediction_row
from emocal_rl.stages.inference.question import Question

SAMPLE = Sample("s", ("/data/a.png",), "?", ("amusement", "awe", "fear"), "awe", "FI-8")
PIECES = ("<answer>", "a", "we", "</answer>", "<confidence>0.8</confidence>", "")
PROBABILITIES = (0.9, 0.8, 0.5, 1.0, 0.6, 0.4)
TEXT, ENDS = "".join(PIECES), tuple(len("".join(PIECES[: n + 1])) for n in range(len(PIECES)))


def test_ans_is_the_decisive_tokens_probability_and_avg_the_mean_over_all() -> None:
    logprobs = np.log(np.array(PROBABILITIES, np.float32))
    response = Response(TEXT, np.arange(6, dtype=np.int32), logprobs, "stop", 0, np.array(ENDS, np.int32))
    group = RolloutGroup(SAMPLE, (), np.arange(40, dtype=np.int32), (response,), ((56, 84),))
    answer = answer_of_group(Question(0, SAMPLE), group)
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
    answer = answer_of_reply(Question(0, SAMPLE), reply)
    assert answer.confidence_ans == pytest.approx(0.5)
    assert answer.confidence_avg == pytest.approx(sum(exp(value) for value in logprobs) / 6)
    assert (answer.finish_reason, answer.prompt_tokens, answer.num_tokens) == ("length", 11, 6)
    plain = answer_of_reply(Question(0, SAMPLE), Reply("s", "evaluated", "h", TEXT, "stop", 11, 6))
    assert (plain.text, plain.confidence_ans, plain.confidence_avg) == (TEXT, None, None)


def test_refusals_and_failures_are_error_rows() -> None:
    refused = answer_of_reply(Question(0, SAMPLE), Reply("s", "evaluated", "h", "not this image", "refused", 0, 0))
    assert refused == Answer(None, "refused", error="refused: not this image")
    for answer, error in ((refused, "refused: not this image"), (Failure("no answer"), "no answer")):
        row = prediction_row(Location.parse("/elsewhere"), SAMPLE, 0, answer)
        assert set(row) == {"original_data", "error"}
        assert row["error"] == error
        assert row["original_data"]["ground_truth"] == "awe"


LEVELS = ("High", "Medium", "Low")


def test_first_words_of_an_engine_add_up_to_one() -> None:
    said = np.log(np.array([0.2, 0.1, 0.1]))
    response = Response(
        "M", np.zeros(1, np.int32), np.zeros(1, np.float32), "length", 0, np.ones(1, np.int32), tuple(said)
    )
    group = RolloutGroup(SAMPLE, (), np.zeros(1, np.int32), (response,))
    answer = answer_of_group(Question(0, SAMPLE, first_words=LEVELS), group)
    assert answer.first_words == pytest.approx({"High": 0.5, "Medium": 0.25, "Low": 0.25})
    unknown = replace(group, responses=(replace(response, first_word_logprobs=()),))
    assert answer_of_group(Question(0, SAMPLE, first_words=LEVELS), unknown).first_words is None


def test_first_words_of_an_endpoint_are_the_tokens_they_begin_with() -> None:
    alternatives = {" high": 0.3, "High": 0.1, "Med": 0.2, "The": 0.2, "": 0.1, "Highest": 0.05}
    tokens = tuple((text, log(probability)) for text, probability in alternatives.items())
    reply = TokenizedReply("s", "evaluated", "h", "High", "length", 1, 1, (-1.0,), (4,), tokens)
    answer = answer_of_reply(Question(0, SAMPLE, first_words=LEVELS), reply)
    assert answer.first_words == pytest.approx({"High": 0.4 / 0.6, "Medium": 0.2 / 0.6, "Low": 0.0})
    other = replace(reply, first_alternatives=(("The", -0.1),))
    assert answer_of_reply(Question(0, SAMPLE, first_words=LEVELS), other).first_words is None
    twin = replace(reply, first_alternatives=(("Po", -0.1), ("Nega", -0.1)))
    found = answer_of_reply(Question(0, SAMPLE, first_words=("Positive", "Polite", "Negative")), twin)
    assert found.first_words == {"Positive": 0.0, "Polite": 0.0, "Negative": 1.0}


def test_nothing_to_choose_from_has_no_decisive_token() -> None:
    free = replace(SAMPLE, candidates=(), task="description|single|Other")
    reply = TokenizedReply("s", "evaluated", "h", TEXT, "stop", 11, 6, (-1.0,) * 6, ENDS)
    assert answer_of_reply(Question(0, free), reply).confidence_ans is None
