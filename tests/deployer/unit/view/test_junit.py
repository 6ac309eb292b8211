"""The checks as a JUnit file."""

from dataclasses import asdict
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deployer.commands.verify import write_junit
from deployer.errors import UsageError
from deployer.model import CheckResult, Verification

CHECKS = (
    CheckResult("parcels of this run", ok=True, expected="7", found="7", seconds=0.25),
    CheckResult(
        "weights", ok=False, expected="no \x1b[31mbad\x00 <ones>", found="2 & more", offending=("p1", "p2")
    ),
)
FOUND = {
    "env": "production",
    **asdict(Verification(ok=False, checks=CHECKS, problem="a newer run failed\nat night")),
}


def test_a_case_a_check_and_one_for_the_run(tmp_path: Path) -> None:
    """With what was expected and found; control bytes of foreign texts do not come through."""
    write_junit(tmp_path / "verify.xml", FOUND)
    suite = ElementTree.parse(tmp_path / "verify.xml").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("3", "2")
    run, good, bad = suite
    assert (good.get("name"), good.get("time"), len(good)) == ("parcels of this run", "0.250", 0)
    assert run[0].get("message") == "a newer run failed"
    text = bad[0].text or ""
    assert "<ones>, found 2 & more\np1\np2" in text
    assert not {"\x1b", "\x00"} & {*text}


def test_a_file_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """Where, and why."""
    with pytest.raises(UsageError, match="No such file"):
        write_junit(tmp_path / "no" / "verify.xml", FOUND)
