"""The checks of `deployer verify` as a JUnit file, which GitLab and other CI systems show."""

from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from deployer.view.text import harmless

Data = Mapping[str, Any]


def junit(result: Data) -> str:
    """A test case a check, and one for the run itself, which fails with `problem`; `result` is `verify`'s."""
    suite = ElementTree.Element("testsuite", name=f"deployer verify {result['env']}")
    _case(suite, "the run", "" if result["ok"] else str(result["problem"]), 0.0)
    for check in result["checks"]:
        wrong = f"expected {check['expected']}, found {check['found']}"
        ids = "".join(f"\n{name}" for name in check["offending"])
        _case(suite, str(check["name"]), "" if check["ok"] else wrong + ids, float(check["seconds"]))
    failures = len(suite.findall("testcase/failure"))
    suite.attrib |= {"tests": str(len(suite)), "failures": str(failures)}
    ElementTree.indent(suite)
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True) + "\n"


def _case(suite: ElementTree.Element, name: str, problem: str, seconds: float) -> None:
    about = {"classname": str(suite.get("name")), "name": harmless(name), "time": f"{seconds:.3f}"}
    case = ElementTree.SubElement(suite, "testcase", about)
    if problem:
        lines = [harmless(line) for line in problem.splitlines()]
        ElementTree.SubElement(case, "failure", message=lines[0]).text = "\n".join(lines)
