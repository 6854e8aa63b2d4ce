import pytest

from emocal_rl.platform.config.endpoint import EndpointConfig
from emocal_rl.stages.chat.budget import Budget, Caps, price
from emocal_rl.stages.chat.exchange import Reply, Role
from emocal_rl.stages.chat.usage import Usage

MODEL = EndpointConfig(
    model="m", base_url="http://localhost/v1", input_price=2.0, output_price=10.0, max_new_tokens=100_000
)


@pytest.fixture
def usage() -> Usage:
    return Usage()


def budget_of(
    usage: Usage, judge: EndpointConfig | None = None, max_cost: float | None = None, max_requests: int | None = None
) -> Budget:
    models: dict[Role, EndpointConfig] = {"teacher": MODEL, "judge": judge or EndpointConfig()}
    return Budget(models, Caps("synthesis", max_cost, max_requests), usage)


def reply(prompt_tokens: int, completion_tokens: int) -> Reply:
    return Reply("s", "teacher", "h", "", "stop", prompt_tokens, completion_tokens)


def test_price_is_by_the_million_tokens() -> None:
    assert price(MODEL, 500_000, 100_000) == 2.0


def test_a_request_starts_only_if_all_in_flight_fit_at_their_worst(usage: Usage) -> None:
    budget = budget_of(usage, max_cost=5.0)
    assert budget.reserve("teacher")
    assert not budget.reserve("teacher")  # the first goes alone: nobody knows how long a prompt is
    usage.count(reply(250_000, 50_000))  # costs 1
    budget.release()
    assert budget.cost("teacher") == 1.0
    assert [budget.reserve("teacher") for _ in range(4)] == [True, True, False, False]  # at worst 1.5 each
    assert not budget.is_spent  # they may come cheaper
    for _ in range(2):
        usage.count(reply(250_000, 50_000))
        budget.release()
    assert budget.reserve("teacher")
    usage.count(reply(250_000, 100_000))
    budget.release()
    assert budget.cost("teacher") == 4.5
    assert not budget.reserve("teacher")
    assert budget.is_spent


def test_requests_are_counted_over_both_roles_but_local_models_are_free(usage: Usage) -> None:
    budget = budget_of(usage, max_requests=2)
    usage.count(Reply("s", "judge", "h", "", "stop", 5, 5))  # a local judge
    assert budget.num_requests == 0
    for _ in range(2):
        assert budget.reserve("teacher")
        usage.count(reply(0, 0))
        budget.release()
    assert not budget.reserve("teacher")
    assert budget.is_spent


def test_before_its_own_prompts_are_known_a_role_counts_the_others_longest(usage: Usage) -> None:
    budget = budget_of(usage, judge=MODEL, max_cost=2.4)
    usage.count(reply(250_000, 50_000))  # costs 1, another one at worst 1.5
    assert not budget.reserve("judge")


def test_what_was_spent_before_counts(usage: Usage) -> None:
    usage.count(reply(0, 400_000))
    budget = budget_of(usage, max_cost=4.5)
    assert not budget.reserve("teacher")
    assert budget.is_spent
