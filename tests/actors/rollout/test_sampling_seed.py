from emocal_rl.actors.rollout.sampling_seed import response_seed


def test_seed_is_fixed_for_a_run_seed_and_a_sample() -> None:
    assert response_seed(0, "train-000001") == 4093649641178528761
    assert 0 <= response_seed(2**31 - 1, "train-000001") < 2**62


def test_seeds_differ_between_samples_and_run_seeds() -> None:
    seeds = {response_seed(seed, f"s{number}") for seed in range(20) for number in range(20)}
    assert len(seeds) == 400
    assert response_seed(1, "1/x") != response_seed(11, "x")
