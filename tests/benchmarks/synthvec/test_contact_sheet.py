from PIL import Image

from emocal_rl.benchmarks.synthvec.contact_sheet import draw_contact_sheet
from emocal_rl.benchmarks.synthvec.oracle import load_oracle


def test_the_sheet_has_a_row_of_images_for_every_task(small_world, tmp_path):
    path = tmp_path / "figures" / "sheet.png"
    draw_contact_sheet(small_world, load_oracle(small_world.directory), path, images_per_task=3)
    with Image.open(path) as sheet:
        assert sheet.size == (3 * 180 + 12, 9 * 255 + 12)
        assert len(sheet.getcolors(sheet.width * sheet.height)) > 1000
