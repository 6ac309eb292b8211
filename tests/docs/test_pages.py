"""The documentation says what the program does: generated pages, links, commands."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from deployer.cli.app import app, settings
from deployer.errors import EXIT_CODES
from scripts.docs import FOLDER, PAGES
from scripts.docs.commands import commands, options, spellings
from scripts.docs.configuration import keys
from scripts.docs.events import kinds
from scripts.docs.meanings import MEANINGS

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
DOCS = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").rglob("*.md"))]
WRITTEN = [page for page in DOCS if "Written by `" not in page.read_text(encoding="utf-8")]

COMMANDS = dict(commands(app))
BEFORE = {"--help"}.union(*(spellings(info) for _, info, _ in options(settings)))
"""What may stand before a command."""
TARGETS = set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def shown(page: Path) -> Iterator[list[str]]:
    """Every command line of a page's shell blocks and inline code, as words; comments left out."""
    text = text_of(page)
    blocks = re.findall(r"^```(?:bash|sh)\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    prose = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    lines = "\n".join(blocks).replace("\\\n", " ").splitlines() + re.findall(r"`([^`\n]+)`", prose)
    for line in lines:
        for part in re.split(r"&&|\|\||[|;]|\$\(", line):
            if re.match(r"\s*(?:\S+/)?(?:deployer|make) ", part):
                words = shlex.split(re.sub(r"[()<>].*", "", part).replace('"', ""), comments=True)
                yield [Path(words[0]).name, *words[1:]]


def anchors(page: Path) -> set[str]:
    titles = re.findall(r"^#+ (.+)$", text_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    """`python -m scripts.docs` would write what is there."""
    assert text_of(FOLDER / name) == PAGES[name]()


def test_every_command_and_option_is_documented() -> None:
    """Each has a line in the command reference, and a sentence that says what it is for."""
    reference = text_of(FOLDER / "cli.md")
    for name, command in [*COMMANDS.items(), ("deployer", settings)]:
        assert command.__doc__, name
        assert name == "deployer" or f"\n## {name}\n" in reference
        for parameter, info, _ in options(command):
            assert info.help, f"{name}: {parameter} says nothing"
            for spelling in spellings(info):
                assert f"`{spelling}`" in reference, f"{name} {spelling}"


def test_every_key_of_deploy_toml_has_a_meaning() -> None:
    """A key that is added gets its sentence, below the field or in `scripts/docs/meanings.py`."""
    assert [path for path, meaning in keys() if not meaning] == []


def test_no_meaning_is_left_of_a_key_that_is_gone() -> None:
    """Each sentence in `meanings.py` belongs to a key that exists."""
    known = {path for path, _ in keys()}
    tails = {f"*.{path.rsplit('.', 1)[-1]}" for path in known}
    assert set(MEANINGS) <= known | tails


def test_every_event_is_documented() -> None:
    """Each kind of line of `--output json` has a section."""
    reference = text_of(FOLDER / "events.md")
    assert [kind.name for kind in kinds() if f"\n## {kind.name}\n" not in reference] == []


def test_the_readme_names_the_two_commands() -> None:
    """Somebody who has just cloned the project finds how to release and how to test."""
    assert {("make", "release"), ("make", "test")} <= {tuple(words) for words in shown(README)}


def test_the_readme_lists_every_exit_code() -> None:
    """A code that a script meets can be looked up on the first page."""
    listed = re.findall(r"^\| (\d+) \| (?:`([a-z-]+)`)? ?\|", text_of(README), re.MULTILINE)
    assert {name: int(code) for code, name in listed if name} == EXIT_CODES


@pytest.mark.parametrize("page", DOCS, ids=named)
def test_every_link_of_a_page_resolves(page: Path) -> None:
    """A relative link leads to a file that is there, and to a heading in it."""
    text = re.sub(r"^```.*?^```", "", text_of(page), flags=re.MULTILINE | re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, heading = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), f"{target} leads nowhere"
        assert not heading or heading in anchors(there), f"{target}: no such heading"


@pytest.mark.parametrize("page", ["ARCHITECTURE.md", "CONTRIBUTING.md"])
def test_every_file_that_a_page_for_developers_names_is_there(page: str) -> None:
    """A path in code style that begins in this repository leads to a file or a folder."""
    paths = re.findall(r"`((?:deployer|pipeline|tests|scripts|docs)/[\w./-]*)`", text_of(ROOT / page))
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def mistake(words: list[str]) -> str:
    """What is wrong with a command line; nothing if it can be typed."""
    if words[0] == "make":
        return "" if words[1] in TARGETS else f"no target {words[1]}"
    name = next((name for name in (" ".join(words[:3]), " ".join(words[:2])) if name in COMMANDS), None)
    if name is None:
        return "" if words[1] in (*BEFORE, "sandbox") else f"no command {' '.join(words[:2])}"
    known = {"-", "--help"}.union(*(spellings(info) for _, info, _ in options(COMMANDS[name])))
    unknown = {word.partition("=")[0] for word in words if word.startswith("-")} - known
    return f"{name}: no option {', '.join(sorted(unknown))}" if unknown else ""


@pytest.mark.parametrize("page", WRITTEN, ids=named)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    """What a reader types is a target of the Makefile, or a command of deployer with options it knows."""
    assert [found for words in shown(page) if (found := mistake(words))] == []


@pytest.mark.parametrize(
    "line", ["make relase", "deployer releas", "deployer release --resum", "deployer sandbox up --dat x"]
)
def test_a_command_that_does_not_exist_would_be_found(line: str, tmp_path: Path) -> None:
    """A slip in a page does not pass for a command."""
    page = tmp_path / "page.md"
    page.write_text(f"Type\n```bash\n{line}    # and wait\n```\n", encoding="utf-8")
    assert [mistake(words) for words in shown(page)] != [""]
    assert list(shown(page)) == [line.split()]
