"""The flowchart's picture with the path of one release lit: flow.svg, drawn once, and a style block."""

from collections import Counter
from collections.abc import Sequence
from importlib.resources import files
from itertools import pairwise

_TAKEN = "{fill:var(--litbox);stroke:var(--lit) !important;stroke-width:2.5}"
_STOPPED = "{fill:var(--lostbox);stroke:var(--lost) !important;stroke-width:2.5}"


def light(path: Sequence[str], stopped_at: str = "") -> str:
    """The SVG; the nodes of `path` and the edges between them are lit, `stopped_at` is marked as lost.

    A node that was visited more than once has the number beside it. Both arguments are node ids.
    """
    picture = (files("deployer.view") / "flow.svg").read_text(encoding="utf-8")
    for node, visits in Counter(path).items():
        if visits > 1:
            place = f'<text class="visits v-{node}"'
            before, _, after = picture.partition(place)
            picture = before + place + after.replace("></text>", f">×{visits}</text>", 1)
    return picture.replace("</style>", f"{_style(path, stopped_at)}</style>", 1)


def _style(path: Sequence[str], stopped_at: str) -> str:
    if not path:
        return ""
    nodes = ",".join(f".flow .n-{node} .box" for node in dict.fromkeys(path))
    edges = ",".join(f".flow .w-{source}-{target}" for source, target in dict.fromkeys(pairwise(path)))
    lost = f".flow .n-{stopped_at} .box{_STOPPED}\n" if stopped_at else ""
    taken = ".flow .taken" + (f",{edges}" if edges else "")
    return f"{nodes}{_TAKEN}\n{lost}{taken}{{display:inline}}\n"
