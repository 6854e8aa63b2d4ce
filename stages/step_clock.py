import time
from collections.abc import Iterator
from contextlib import contextmanager


class StepClock:
    """Seconds of one step by phase. What no phase covers is the driver's own: time in which no role works."""

    def __init__(self) -> None:
        self._started = time.perf_counter()
        self._phases: dict[str, float] = {}

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time the block as `name`; repeated phases add up."""
        started = time.perf_counter()
        try:
            yield
        finally:
            self._phases[name] = self._phases.get(name, 0.0) + time.perf_counter() - started

    def seconds(self) -> dict[str, float]:
        """`time/<phase>_s` for every phase, `time/driver_s` for the rest, `time/step_s` for all."""
        step = time.perf_counter() - self._started
        phases = {f"time/{name}_s": seconds for name, seconds in self._phases.items()}
        return {**phases, "time/driver_s": step - sum(self._phases.values()), "time/step_s": step}
