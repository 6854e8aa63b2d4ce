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
        is_refused = reply.finish_reason == "refused"
        self.add(reply.role, reply.prompt_tokens, reply.completion_tokens, is_refused=is_refused)

    def add(self, role: Role, prompt_tokens: int, completion_tokens: int, *, is_refused: bool) -> None:
        """Take one reply of so many tokens in."""
        self.num_replies[role] += 1
        self.num_prompt_tokens[role] += prompt_tokens
        self.num_completion_tokens[role] += completion_tokens
        if not is_refused:
            self.longest_prompt[role] = max(prompt_tokens, self.longest_prompt.get(role, 0))
