"""What may still be spent at endpoints. Requests in flight count at the most they can cost."""

from collections.abc import Mapping
from dataclasses import dataclass

from emocal_rl.platform.config.endpoint import EndpointConfig
from emocal_rl.stages.chat.exchange import Role
from emocal_rl.stages.chat.usage import Usage


@dataclass(frozen=True, slots=True)
class Caps:
    """`max_cost` and `max_requests` of the config section that is named, kept over all runs on one output."""

    section: str
    max_cost: float | None
    max_requests: int | None


def price(config: EndpointConfig, prompt_tokens: int, completion_tokens: int) -> float:
    """Return what so many tokens cost."""
    return (prompt_tokens * config.input_price + completion_tokens * config.output_price) / 1_000_000


class Budget:
    """Keeps the caps.

    A request starts only if it fits at its worst: as many prompt tokens as the longest so far (of any role, before the
    role's own are known), and `max_new_tokens` of completion. A role's first request goes alone, to learn its length.
    So the cost can pass its cap by no more than what prompts longer than all before them add.

    Args:
        models: by role; those without `base_url` cost nothing and are no requests.
        caps: what may be spent.
        usage: what has been, by whoever journals the replies.
    """

    def __init__(self, models: Mapping[Role, EndpointConfig], caps: Caps, usage: Usage) -> None:
        self._models, self.caps, self._usage = models, caps, usage
        self._in_flight = 0
        self.is_spent = False
        """Whether a request was refused although none was in flight."""

    def cost(self, role: Role) -> float:
        """Return what all replies of a role have cost so far."""
        usage = self._usage
        return price(self._models[role], usage.num_prompt_tokens[role], usage.num_completion_tokens[role])

    @property
    def num_requests(self) -> int:
        """Requests that endpoints have answered so far."""
        return sum(self._usage.num_replies[role] for role, model in self._models.items() if model.base_url is not None)

    def reserve(self, role: Role) -> bool:
        """Take one more request into account, or say that it must wait; all requests in flight are of one role."""
        caps, model, longest = self.caps, self._models[role], self._usage.longest_prompt
        if self._in_flight and role not in longest:
            return False
        prompt_tokens = longest.get(role, max(longest.values(), default=0))
        worst = (self._in_flight + 1) * price(model, prompt_tokens, model.max_new_tokens)
        fits = caps.max_requests is None or self.num_requests + self._in_flight + 1 <= caps.max_requests
        fits &= caps.max_cost is None or sum(map(self.cost, self._models)) + worst <= caps.max_cost
        self._in_flight += fits
        self.is_spent |= not fits and self._in_flight == 0
        return fits

    def release(self) -> None:
        """A request is over; what it cost is the usage's to say."""
        self._in_flight -= 1
