import logging
import re
import warnings
from pathlib import Path

from emocal_rl.platform.runs.log_file import log_to_file


def test_our_log_and_warnings_land_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "log.txt"
    with log_to_file(path):
        logging.getLogger("emocal_rl.actors").info("worker %d is up", 3)
        logging.getLogger("emocal_rl.actors").debug("not this")
        logging.getLogger("other").error("nor this")
        warnings.warn("careful", stacklevel=1)
    logging.getLogger("emocal_rl.actors").warning("after the run")
    lines = path.read_text().splitlines()
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO emocal_rl.actors: worker 3 is up", lines[0])
    assert "careful" in lines[1]
    assert not any("this" in line or "after" in line for line in lines)
