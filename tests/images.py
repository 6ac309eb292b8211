"""The base images that this machine can have, as scripts/ensure-base has chosen them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[1]


@cache
def base_images() -> dict[str, str]:
    """PYTHON_IMAGE and MONGO_IMAGE. Starts the engine and makes the images where they are not there yet."""
    for script in ("ensure-engine", "ensure-base"):
        subprocess.run([ROOT / "scripts" / script], check=True)
    lines = (ROOT / ".deployer" / "images.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)
