from collections.abc import Callable

from emocal_rl.platform.errors import UserError
from emocal_rl.stages.chat.exchange import SECTIONS, Ask, Failure, Reply


class Streak:
    """Keeps replies, and tells a sample that cannot be answered from an endpoint that answers none.

    Refusals wait until another sample is answered: when all are refused it is not the samples, and none is kept.

    Args:
        max_failures: refused or unanswered samples in a row that end the run.
        keep: journals a reply.
    """

    def __init__(self, max_failures: int, keep: Callable[[Ask, Reply], None]) -> None:
        self._max_failures, self._keep = max_failures, keep
        self._refusals: list[tuple[Ask, Reply]] = []
        self._length = 0

    def receive(self, ask: Ask, answer: Reply | Failure) -> None:
        """Take an answer in.

        Raises:
            UserError: too many in a row were none.
        """
        if isinstance(answer, Reply) and answer.finish_reason != "refused":
            self.close()
            self._keep(ask, answer)
            return
        if isinstance(answer, Reply):
            self._refusals.append((ask, answer))
        self._length += 1
        if self._length >= self._max_failures:
            message = answer.text if isinstance(answer, Reply) else answer.message
            rule = (
                f"{self._length} samples in a row were refused or got no answer, the last {ask.sample.id} ({message})"
            )
            fix = "Mend the cause and run the same command again: it continues."
            raise UserError(SECTIONS[ask.role], rule=rule, fix=fix)

    def close(self) -> None:
        """The refusals so far were the samples' own."""
        for ask, refusal in self._refusals:
            self._keep(ask, refusal)
        self._refusals.clear()
        self._length = 0
