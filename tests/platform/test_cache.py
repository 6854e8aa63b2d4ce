from pathlib import Path

import pytest

from emocal_rl.platform.cache import cache_directory


def test_the_cache_is_below_xdg_cache_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/scratch/cache")

    assert cache_directory() == Path("/scratch/cache/emocal-rl")


@pytest.mark.parametrize("configured", [None, "", "relative/cache"])
def test_without_a_usable_variable_it_is_below_home(monkeypatch: pytest.MonkeyPatch, configured: str | None) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    if configured is None:
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    else:
        monkeypatch.setenv("XDG_CACHE_HOME", configured)

    assert cache_directory() == Path("/home/somebody/.cache/emocal-rl")
