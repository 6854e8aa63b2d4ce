from collections import Counter

from emocal_rl.stages.chat.exchange import Reply, Role


class Usage:
    """Replies so far by role: how many, and their tokens. A journal restores it when it is opened."""

    def __init__(self) -> None:
        self.num_replies: Counter[Role] = Counter()
        self.num_prompt_tokens: Counter[Role] = Counter()
        self.num_completion_tokens: Counter[Role] = Counter()
        self.longest_prompt: dict[Role, int] = {}
        """In tokens; refusals, which cost nothing, aside."""

    def count(self, reply: Reply) -> None:
        """Take one reply in."""
        role = reply.role
        self.num_replies[role] += 1
        self.num_prompt_tokens[role] += reply.prompt_tokens
        self.num_completion_tokens[role] += reply.completion_tokens
        if reply.finish_reason != "refused":
            self.longest_prompt[role] = max(reply.prompt_tokens, self.longest_prompt.get(role, 0))
