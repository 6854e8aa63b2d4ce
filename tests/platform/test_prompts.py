from emocal_rl.platform.prompts import question_text


def test_a_question_shows_the_candidates_as_a_python_list():
    assert question_text(("awe", "fear"), confidence=False) == (
        "Which emotion may this image evoke in a viewer? Choose one of ['awe', 'fear']. Think step by step in "
        "<think></think>, with the parts <element>, <human>, <context>, <interaction>, <analysis>, then give your "
        "answer in <answer></answer>."
    )


def test_confidence_is_asked_for_only_where_it_is_wanted():
    assert question_text(["awe"], confidence=True).endswith(
        ", then the probability that your answer is right, from 0 to 1, in <confidence></confidence>."
    )


def test_two_polarities_are_a_sentiment():
    assert question_text(["positive", "negative"], confidence=True).startswith("Which sentiment may")
