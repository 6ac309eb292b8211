"""The words of `deployer`: plain English, and nothing of any particular job."""

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[3] / "deployer"

PRIVATE = {
    "mend": "fix",
    "no more": "no longer",
    "any more": "no longer",
    "way to MongoDB": "MongoDB connectivity",
    "is asked of": "is read from",
    "hiccup": "temporary error",
    "the mission": "the release flowchart",
    "design, section": "an ADR, or nothing",
    "looks whether": "checks whether",
    "gateways/": "adapters/",
}
"""Words that a stranger would have to learn, each with the one to use."""

OF_A_JOB = (
    "mongo1", "forecast", "load_runs", "ETL_IMAGE", "pipeline.connectivity", "greenandcoop", "make setup",
    "scripts/",
)  # fmt: skip
"""Names of the job in this repository, and tools that an installed program does not have."""

LEFTOVERS = ("diagnosis/",)
"""Files that are being rewritten."""


def texts(*, leftovers: bool = False) -> dict[str, str]:
    named = {path.relative_to(SOURCE).as_posix(): path for path in sorted(SOURCE.rglob("*.py"))}
    return {
        name: path.read_text(encoding="utf-8")
        for name, path in named.items()
        if leftovers or not name.startswith(LEFTOVERS)
    }


def found(word: str, sources: dict[str, str]) -> list[str]:
    pattern = re.compile(
        rf"(?<![\w-]){re.escape(word)}(?:s|ed|ing)?(?![\w-])" if word[-1].isalpha() else re.escape(word),
        re.IGNORECASE,
    )
    return [
        f"{name}:{number}: {line.strip()}"
        for name, text in sources.items()
        for number, line in enumerate(text.splitlines(), start=1)
        if pattern.search(line)
    ]


@pytest.mark.parametrize("word", PRIVATE)
def test_no_private_word_is_left(word: str) -> None:
    """Messages, docstrings and comments keep to the field's words."""
    assert found(word, texts()) == [], f"use: {PRIVATE[word]}"


@pytest.mark.parametrize("name", OF_A_JOB)
def test_nothing_of_a_particular_job_is_known(name: str) -> None:
    """The deployer releases any job; it names none."""
    pattern = re.compile(re.escape(name), re.IGNORECASE)
    assert [path for path, text in texts().items() if pattern.search(text)] == []


def test_a_planted_word_is_found() -> None:
    """The search finds a word in every form, and not within another word."""
    planted = {"a.py": "# mends it\nrecommended = 1\nx = 'Mending'\n"}
    assert found("mend", planted) == ["a.py:1: # mends it", "a.py:3: x = 'Mending'"]
