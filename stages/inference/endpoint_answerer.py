from collections.abc import Iterable, Sequence

from emocal_rl.actors.rollout.sampling_seed import response_seed
from emocal_rl.platform.config.endpoint import EndpointConfig
from emocal_rl.platform.config.tree import Config
from emocal_rl.platform.data.images import ImageLimits
from emocal_rl.stages.chat.budget import Budget, Caps, price
from emocal_rl.stages.chat.endpoint import Endpoint
from emocal_rl.stages.chat.exchange import Ask, Failure, Reply
from emocal_rl.stages.chat.streak import Streak
from emocal_rl.stages.chat.usage import Usage
from emocal_rl.stages.inference.answer import Answer, Receive, answer_of_reply
from emocal_rl.stages.inference.question import Question

_SEED_RANGE = 2**31
"""What servers take as a seed."""


class EndpointAnswerer:
    """An `Answerer`: the model behind `evaluation.endpoint`, as far as its budget goes.

    Args:
        config: of the run.
        earlier: answers of earlier runs on the same output; what they cost is spent.

    Raises:
        UserError: the key's variable is not set.
    """

    def __init__(self, config: Config, earlier: Iterable[Answer]) -> None:
        self._config, model = config, config.evaluation.endpoint
        self._usage = Usage()
        for answer in earlier:
            refused = answer.finish_reason == "refused"
            self._usage.add("evaluated", answer.prompt_tokens, answer.num_tokens, is_refused=refused)
        caps = Caps("evaluation.endpoint", model.max_cost, model.max_requests)
        budget, limits = Budget({"evaluated": model}, caps, self._usage), ImageLimits.from_config(config.data)
        self._endpoint = Endpoint("evaluated", model, limits, budget, logprobs=model.logprobs)

    def answer(self, questions: Sequence[Question], receive: Receive) -> None:
        """Answer everything; see `Answerer`. Returns early when the budget is spent.

        Raises:
            UserError: the endpoint is of no use, or failed `max_failures` samples in a row.
        """
        by_key = {(question.sample.id, question.repeat): question for question in questions}

        def keep(ask: Ask, reply: Reply) -> None:
            self._usage.count(reply)
            question = by_key[ask.sample.id, ask.attempt]
            receive(question, answer_of_reply(question, reply))

        streak = Streak(self._config.evaluation.endpoint.max_failures, keep)

        def take(ask: Ask, answer: Reply | Failure) -> None:
            streak.receive(ask, answer)
            if isinstance(answer, Failure):
                receive(by_key[ask.sample.id, ask.attempt], answer)

        self._endpoint.answer([self._ask(question) for question in questions], take)
        streak.close()

    def _ask(self, question: Question) -> Ask:
        sample, seed = question.sample, None
        if self._config.evaluation.endpoint.sends_seed:
            seed = response_seed(self._config.run.seed + question.repeat, sample.id) % _SEED_RANGE
        first_only = bool(question.first_words)
        return Ask(sample, "evaluated", sample.question, question.repeat, sample.system, seed, first_only)


def cost_of(config: EndpointConfig, answers: Iterable[Answer]) -> float:
    """Return what these answers have cost at an endpoint, in the currency of its prices."""
    return sum(price(config, answer.prompt_tokens, answer.num_tokens) for answer in answers)
