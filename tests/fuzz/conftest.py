"""Bounded, and the same examples every time; `make test-fuzz` tries FUZZ_EXAMPLES other ones each."""

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

LONG = int(os.environ.get("FUZZ_EXAMPLES", "0"))
FUZZ = settings(
    max_examples=LONG or 60,
    derandomize=not LONG,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

ODD = st.sampled_from(
    [
        "",
        "\x00",
        "\x1b]0;x\x07",
        "\u202e",
        "\ud7ff",
        "${X}",
        "$" * 40,
        "../../x",
        "9" * 400,
        "NaN",
        "\U000e0041",
    ]
)
TEXTS = st.one_of(ODD, st.text(max_size=12))
NUMBERS = st.one_of(
    st.integers(-(2**70), 2**70), st.floats(allow_nan=False), st.sampled_from([0, -1, 10**400])
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXTS)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=12,
)
"""Anything that JSON or TOML can hold, and some that only Python can."""


def places(value: object, path: tuple[object, ...] = ()) -> list[tuple[object, ...]]:
    """The path of every value within nested tables and lists, its own included."""
    found = [path]
    if isinstance(value, dict):
        found += [place for key, inner in value.items() for place in places(inner, (*path, key))]
    elif isinstance(value, list):
        found += [place for number, inner in enumerate(value) for place in places(inner, (*path, number))]
    return found


def put(value: object, path: tuple[object, ...], new: object) -> object:
    """A copy with another value at this place."""
    if not path:
        return new
    first, rest = path[0], path[1:]
    if isinstance(value, dict):
        return {key: put(inner, rest, new) if key == first else inner for key, inner in value.items()}
    assert isinstance(value, list)
    return [put(inner, rest, new) if number == first else inner for number, inner in enumerate(value)]


@st.composite
def changed(draw: st.DrawFn, value: object) -> object:
    """The value with something else at one to three of its places."""
    for _ in range(draw(st.integers(1, 3))):
        value = put(value, draw(st.sampled_from(places(value))), draw(VALUES))
    return value


@st.composite
def torn(draw: st.DrawFn, content: bytes) -> bytes:
    """The bytes, some of them replaced, left out or doubled."""
    for _ in range(draw(st.integers(1, 4))):
        place, length = draw(st.integers(0, len(content))), draw(st.integers(0, 40))
        middle = draw(st.one_of(st.binary(max_size=8), st.just(content[place : place + length] * 2)))
        content = content[:place] + middle + content[place + length :]
    return content
