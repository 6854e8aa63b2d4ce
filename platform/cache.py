"""Where results that can be rebuilt are kept between runs: cold starts, SynthVEC worlds."""

import os
from pathlib import Path


def cache_directory() -> Path:
    """Return the user's cache directory of emocal-rl, which need not exist yet.

    It is `$XDG_CACHE_HOME/emocal-rl`, or `~/.cache/emocal-rl` when the variable is unset, empty or, as the XDG Base
    Directory specification asks, a relative path.
    """
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (configured if configured.is_absolute() else Path.home() / ".cache") / "emocal-rl"
