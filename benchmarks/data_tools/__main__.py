"""`python -m emocal_rl.benchmarks.data_tools FOLDER`: speed and memory of the data tools on 143,446 rows.

It writes about 2 GB into FOLDER, which must not exist. Whatever does not come back as it was ends it.
"""

import argparse
from pathlib import Path

from emocal_rl.benchmarks.data_tools import round_trips, splitting
from emocal_rl.benchmarks.data_tools.corpus import NUM_ROWS, write_images

parser = argparse.ArgumentParser("python -m emocal_rl.benchmarks.data_tools", description=__doc__)
parser.add_argument("folder", metavar="FOLDER", type=Path, help="where 2 GB may be written; must not exist")
folder = parser.parse_args().folder.resolve()
folder.mkdir(parents=True)
archive = folder / "images.zip"
write_images(archive)
images = f"zip://::{archive}"
round_trips.run(folder / "tenth", NUM_ROWS // 10, images)
splitting.run(folder / "stages", images)
round_trips.run(folder / "whole", NUM_ROWS, images)
