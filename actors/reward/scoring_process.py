"""A process that scores responses, and the handle that can kill it.

Run as `python -m emocal_rl.actors.reward.scoring_process FD` with one end of a socket pair. A deadline needs a process:
a signal handler in an actor's thread is swallowed, and user code may hang in C.
"""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from multiprocessing.connection import Connection, Pipe

from emocal_rl.platform.config.reward import RewardConfig
from emocal_rl.platform.contracts import RewardedResponse, Sample
from emocal_rl.platform.errors import EmoCalError, RewardError
from emocal_rl.rewards.composition import Composition
from emocal_rl.rewards.group_scoring import Text, masked_response, score_group

_START_TIMEOUT_S = 60.0
_MAX_FAILED_STARTS = 3
"""After so many in a row the process will not come back."""
_PR_SET_PDEATHSIG = 1


class ScoringProcess:
    """One scoring process: started on first use, killed past a deadline, started again for the next response."""

    def __init__(self, config: RewardConfig, search_path: str = "") -> None:
        self._config, self._search_path = config, search_path
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: Connection | None = None
        self._num_failed_starts = 0

    def score(self, sample: Sample, texts: Sequence[Text]) -> list[RewardedResponse]:
        """Score responses to one sample; an error, a timeout or a non-finite value comes back as a masked response.

        The deadline is for all of them. A process that dies is replaced and asked once more: the second death is put
        down to the responses. One that does not come up again masks them too.

        Raises:
            EmoCalError: it did not come up for the third time in a row.
        """
        for _ in range(2):
            try:
                connection = self.start()
            except EmoCalError as error:
                self._num_failed_starts += 1
                if self._num_failed_starts == _MAX_FAILED_STARTS:
                    raise
                return [masked_response(f"error: {error}")] * len(texts)
            self._num_failed_starts = 0
            try:
                connection.send((sample, texts))
                if not connection.poll(self._config.timeout_s):
                    self.close()
                    return [masked_response(f"timeout: no reward within {self._config.timeout_s:g} s")] * len(texts)
                rewarded: list[RewardedResponse] = connection.recv()
            except (EOFError, ConnectionError):
                self.close()
                continue
            return rewarded
        return [masked_response("error: the scoring process died twice")] * len(texts)

    @property
    def pid(self) -> int | None:
        """Id of the live process, or None."""
        return self._process.pid if self._process is not None else None

    def close(self) -> None:
        """Kill the process, if there is one."""
        if self._connection is not None:
            self._connection.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._connection = None

    def start(self) -> Connection:
        """Start the process unless it runs; the composition is built there.

        Raises:
            RewardError: the composition cannot be built, or the process does not come up.
        """
        if self._connection is not None and self._process is not None and self._process.poll() is None:
            return self._connection
        self.close()
        ours, theirs = Pipe()
        command = [sys.executable, "-m", "emocal_rl.actors.reward.scoring_process", str(theirs.fileno())]
        path = os.pathsep.join(part for part in (self._search_path, os.environ.get("PYTHONPATH", "")) if part)
        self._process = subprocess.Popen(
            command, pass_fds=(theirs.fileno(),), env={**os.environ, "PYTHONPATH": path}, stdin=subprocess.DEVNULL
        )
        theirs.close()
        try:
            ours.send(self._config)
            ready = ours.recv() if ours.poll(_START_TIMEOUT_S) else f"did not start within {_START_TIMEOUT_S:g} s"
        except (EOFError, ConnectionError):
            ready = "died at start"
        if ready is not None:
            self.close()
            if isinstance(ready, EmoCalError):
                raise ready
            fix = "Import the reward rule by itself: what it does at import ends or blocks the process."
            raise RewardError("reward", rule=f"the scoring process {ready}", fix=fix)
        self._connection = ours
        return ours


def serve(connection: Connection) -> None:
    """Build the composition from the first message, then answer every (sample, responses to it) with their rewards."""
    try:
        composition = Composition.from_config(connection.recv())
    except EmoCalError as error:
        connection.send(error)
        return
    connection.send(None)
    while True:
        try:
            sample, texts = connection.recv()
        except EOFError:
            return
        connection.send(score_group(composition, sample, texts))


if __name__ == "__main__":
    # End with the actor, also when it is killed: the pipe's end is not enough while user code hangs.
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    serve(Connection(int(sys.argv[1])))
