"""The images that `make base` chose for this machine: PYTHON_IMAGE and MONGO_IMAGE."""

from pathlib import Path
from typing import Final

_CHOSEN: Final = Path(__file__).parents[3] / ".deployer" / "images.env"
IMAGES: Final = dict(line.split("=", 1) for line in _CHOSEN.read_text().splitlines() if "=" in line)
