"""What may still be spent at endpoints. Requests in flight count at the most they can cost."""

from emocal_rl.platform.config.synthesis import ChatModelConfig, SynthesisConfig
from emocal_rl.stages.synthesis.exchange import ROLES, Role
from emocal_rl.stages.synthesis.reply_journal import ReplyJournal


def price(config: ChatModelConfig, prompt_tokens: int, completion_tokens: int) -> float:
    """Return what so many tokens cost."""
    return (prompt_tokens * config.input_price + completion_tokens * config.output_price) / 1_000_000


class Budget:
    """The caps `synthesis.max_cost` and `synthesis.max_requests`, kept over all runs on one output.

    A request starts only if it fits at its worst: as many prompt tokens as the longest so far (of any role, before the
    role's own are known), and `max_new_tokens` of completion. A role's first request goes alone, to learn its length.
    So the cost can pass its cap by no more than what prompts longer than all before them add.
    """

    def __init__(self, config: SynthesisConfig, journal: ReplyJournal) -> None:
        self._config, self._journal = config, journal
        self._models: dict[Role, ChatModelConfig] = {"teacher": config.teacher, "judge": config.judge}
        self._in_flight = 0
        self.is_spent = False
        """Whether a request was refused although none was in flight."""

    @property
    def caps_cost(self) -> bool:
        """Whether replies must say what they cost."""
        return self._config.max_cost is not None

    def cost(self, role: Role) -> float:
        """Return what all replies of a role have cost so far."""
        journal = self._journal
        return price(self._models[role], journal.num_prompt_tokens[role], journal.num_completion_tokens[role])

    @property
    def num_requests(self) -> int:
        """Requests that endpoints have answered so far."""
        return sum(self._journal.num_replies[role] for role in ROLES if self._models[role].base_url is not None)

    def reserve(self, role: Role) -> bool:
        """Take one more request into account, or say that it must wait; all requests in flight are of one role."""
        caps, model, longest = self._config, self._models[role], self._journal.longest_prompt
        if self._in_flight and role not in longest:
            return False
        prompt_tokens = longest.get(role, max(longest.values(), default=0))
        worst = (self._in_flight + 1) * price(model, prompt_tokens, model.max_new_tokens)
        fits = caps.max_requests is None or self.num_requests + self._in_flight + 1 <= caps.max_requests
        fits &= caps.max_cost is None or sum(map(self.cost, ROLES)) + worst <= caps.max_cost
        self._in_flight += fits
        self.is_spent |= not fits and self._in_flight == 0
        return fits

    def release(self) -> None:
        """A request is over; what it cost is the journal's to say."""
        self._in_flight -= 1
