"""From what was seen to a `Cause`: the bridge between the steps and the diagnosis."""

from collections.abc import Sequence

from deployer.diagnosis.classify import classify_all
from deployer.diagnosis.model import Evidence
from deployer.model import Cause


def diagnosed(message: str, pieces: Sequence[Evidence], node: str) -> Cause:
    """The best explanation of these pieces of evidence of one failure, seen at `node`."""
    found = classify_all(pieces).cause
    lines = found.evidence or tuple(piece.text for piece in pieces if piece.text)[:3]
    return found.with_(message=message, evidence=lines, node=node)
