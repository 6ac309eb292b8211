"""The command line: parses, calls `app`, prints, exits. Everything heavy is imported where it is used."""

from deployer.cli import looking, releasing, setting_up
from deployer.cli.frame import app
from deployer.signals import end_on_terminate

__all__ = ["app", "looking", "main", "releasing", "setting_up"]


def main() -> None:
    """Entry point of the console script."""
    end_on_terminate()
    app()
