"""`deployer --help` stays quick because it loads nothing heavy."""

import subprocess
import sys

HEAVY = ("boto3", "botocore", "docker", "pymongo", "rich.live", "pydantic")


def test_help_loads_nothing_heavy() -> None:
    """None of the libraries that a command may need is imported to say what commands there are."""
    look = f"import sys; from deployer.cli import app; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
