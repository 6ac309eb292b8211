"""The page of failing jobs says what the end-to-end tests hold: node, exit code, words, mend."""

from pathlib import Path

from tests.e2e.failures import FAILURES, LOSSES

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "failing-jobs.md"


def rows() -> dict[str, list[str]]:
    """The cells behind each branch's name."""
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {name.strip("`"): rest for name, *rest in cells}


def test_every_branch_has_its_row() -> None:
    """Each failure that is made in the sandbox stands there with what its test asserts."""
    told = rows()
    for failure in FAILURES:
        node, code = failure.stop
        _, there, exit_code, said, mend = told[failure.name]
        assert (there, exit_code) == (f"`{node}`", str(code)), failure.name
        assert failure.says in said, failure.name
        assert failure.remedy in mend, failure.name
    for loss in LOSSES:
        _, there, exit_code, said, mend = told[f"{loss.name}-lost"]
        assert (there, exit_code) == ("`CHECK_CONFIG`", "13"), loss.name
        assert loss.says in said, loss.name
        assert loss.sees in said, loss.name
        assert loss.remedy in mend, loss.name


def test_no_branch_is_told_that_is_not_shown() -> None:
    """Rows beyond the tables name the test that shows them."""
    known = {failure.name for failure in FAILURES} | {f"{loss.name}-lost" for loss in LOSSES}
    tests = "".join(path.read_text() for path in (Path(__file__).parents[1] / "e2e").glob("test_*.py"))
    for name, (made, *_) in rows().items():
        assert name in known or made.rpartition("`test_")[2].strip("`)") in tests, name
