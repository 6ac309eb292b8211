"""Draws the release flowchart once, from the edge table: `python -m scripts.flowchart`."""

from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]

PICTURES: Final = (_ROOT / "deployer" / "view" / "flow.svg", _ROOT / "docs" / "images" / "flow.svg")
"""The picture that a release's page has in it, and the same one for the docs."""
