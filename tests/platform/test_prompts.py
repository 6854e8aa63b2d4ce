from emocal_rl.platform.prompts import question_text, zero_shot_text


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


def test_a_model_without_training_is_told_the_tags_and_what_a_confidence_is():
    plain, with_confidence = (zero_shot_text(["awe", "joy"], confidence=asks) for asks in (False, True))
    assert plain == (
        "Look at the image. Which of these emotions is it most likely to evoke in a viewer? ['awe', 'joy'] Reason step "
        "by step first. End with the chosen emotion, spelled as in the list and nothing else, in <answer></answer>."
    )
    assert with_confidence == plain + (
        " Then write in <confidence></confidence> how likely your answer is to be right, as one number from 0 (surely "
        "wrong) to 1 (surely right)."
    )
