"""The reference pages, written from the code that they describe: `python -m scripts.docs`."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from deployer.config import schema
from scripts.docs import commands, configuration, events, exit_codes

FOLDER: Final = Path(__file__).parents[2] / "docs" / "reference"

PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "cli.md": commands.page,
    "config.md": configuration.page,
    "events.md": events.page,
    "exit-codes.md": exit_codes.page,
    "deploy.schema.json": schema.page,
}
