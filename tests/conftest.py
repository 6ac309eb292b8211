"""What holds for every test."""

import os

from hypothesis import settings

# No test asserts on the clock, and on a busy machine any example may take its time. CI tries the same
# examples every time, so that a failure there is one that can be had again.
settings.register_profile("project", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("project")
