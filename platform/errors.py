"""The error tree. A user-fixable error carries key, value, rule and way out; the CLI prints its message and exits 2."""

import difflib
from collections.abc import Iterable


class EmoCalError(Exception):
    """Anything emocal-rl raises on purpose."""


class UserError(EmoCalError):
    """Something the user can mend: printed as one message without a traceback, exit code 2.

    Args:
        key: what is wrong, as the user wrote it (a config key, a flag, `file:line`).
        value: the offending value; `None` when the key itself is the problem.
        rule: what would have been accepted.
        fix: the way out, as an instruction.
    """

    def __init__(self, key: str, value: object = None, *, rule: str, fix: str = "") -> None:
        self.key, self.value, self.rule, self.fix = key, value, rule, fix
        shown = "" if value is None else f" = {_shorten(value)}"
        way_out = f" {_sentence(fix)}" if fix else ""
        super().__init__(f"{key}{shown}: {_sentence(rule)}{way_out}")

    def __reduce__(self) -> tuple[object, ...]:
        """Survive pickling across Ray: the arguments, not the formatted message, rebuild the error."""
        return (_rebuild, (type(self), self.key, self.value, self.rule, self.fix))


class ConfigError(UserError):
    """The configuration cannot be resolved."""


class ConfigErrors(ConfigError):  # noqa: N818 - several at once
    """All problems of one configuration at once."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = tuple(errors)
        first = self.errors[0]
        super().__init__(first.key, first.value, rule=first.rule, fix=first.fix)

    def __str__(self) -> str:
        return "\n".join(str(error) for error in self.errors)

    def __reduce__(self) -> tuple[object, ...]:
        return (ConfigErrors, (self.errors,))


class DataError(UserError):
    """A data file, row or image breaks its format; `key` is `file:line` where there is one."""


class RowError(DataError):
    """One row breaks its format. `line` is its 1-based line (or row), `check` the short name of what was checked."""

    def __init__(
        self, key: str, value: object = None, *, rule: str, fix: str = "", line: int = 0, check: str = "field"
    ) -> None:
        super().__init__(key, value, rule=rule, fix=fix)
        self.line, self.check = line, check

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild_row_error, (self.key, self.value, self.rule, self.fix, self.line, self.check))


class ModelError(UserError):
    """A model directory is missing, incomplete or of an architecture we cannot run."""


class RewardError(UserError):
    """A reward cannot be found or configured. A reward that fails on a response masks the response instead."""


class PlacementError(UserError):
    """The cluster cannot hold the roles that were asked for."""


class RunError(UserError):
    """A run directory is locked, missing, or does not fit the command."""


class AlarmError(UserError):
    """An alarm of `alarms.stop` has ended a run of stage 3; a checkpoint of the step was written."""

    def __init__(self, alarm: str, step: int, finding: str) -> None:
        self.alarm, self.step, self.finding = alarm, step, finding
        fix = (
            "Look at the report; `--resume RUN` goes on from here if other alarms.* settings are given with it, "
            "e.g. --set alarms.stop=[]"
        )
        super().__init__(
            "alarms.stop", alarm, rule=f"the alarm sounded at step {step} and ended the run: {finding}", fix=fix
        )

    def __reduce__(self) -> tuple[object, ...]:
        return (AlarmError, (self.alarm, self.step, self.finding))


class EngineError(EmoCalError):
    """An engine (vLLM, DeepSpeed, the weight transfer) broke a promise the run depends on."""


class ParityError(EngineError):
    """Learner and rollout engine disagree about log-probabilities of the same tokens after a sync."""


class WorkerError(EmoCalError):
    """A worker died more often than the configuration allows to restart it."""


def nearest(word: str, known: Iterable[str]) -> str:
    """Return `Did you mean 'x'?` for the closest known word, or an empty string."""
    matches = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"Did you mean '{matches[0]}'?" if matches else ""


def _shorten(value: object, limit: int = 200) -> str:
    text = repr(value)
    return text if len(text) <= limit else f"{text[:limit]}... ({len(text)} characters)"


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _rebuild(cls: type[UserError], key: str, value: object, rule: str, fix: str) -> UserError:
    return cls(key, value, rule=rule, fix=fix)


def _rebuild_row_error(key: str, value: object, rule: str, fix: str, line: int, check: str) -> RowError:
    return RowError(key, value, rule=rule, fix=fix, line=line, check=check)
