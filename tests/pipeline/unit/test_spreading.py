"""Groups of objects, what is worth a process, and what a long run says while it works."""

from __future__ import annotations

import time
from typing import Any

from pipeline.executors import worth_processes
from pipeline.model import ObjectRef
from pipeline.prefetch import GROUP_OBJECTS, SMALL, groups
from pipeline.progress import Counts
from pipeline.terminal import showing
from tests.pipeline.fakes import NOON


def ref(number: int, size: int, *, suspect: bool = False) -> ObjectRef:
    return ObjectRef(f"{number}", "v1", size, NOON, suspect=suspect)


def sizes(*objects: ObjectRef) -> list[int]:
    return [len(group) for group in groups(objects)]


def test_small_objects_come_in_groups_and_large_ones_alone() -> None:
    """By number and by bytes; the order stays."""
    assert sizes(*[ref(n, 10) for n in range(GROUP_OBJECTS + 3)]) == [GROUP_OBJECTS, 3]
    assert sizes(*[ref(n, SMALL) for n in range(9)]) == [4, 4, 1]
    assert sizes(ref(1, 10), ref(2, SMALL + 1), ref(3, 10), ref(4, 10)) == [1, 1, 2]
    assert sizes(ref(1, 10), ref(2, 10, suspect=True), ref(3, 10)) == [1, 1, 1]
    assert [item.key for group in groups(ref(n, n) for n in range(600)) for item in group] == [
        f"{n}" for n in range(600)
    ]


def test_processes_are_started_for_much_work_only() -> None:
    """Two thousand tiny objects, or one large one, are done sooner by one process."""
    tiny = [ref(n, 1_500) for n in range(2_000)]
    assert worth_processes(iter(tiny)) == (tiny, False)
    assert worth_processes(iter([ref(1, 10**9)])) == ([ref(1, 10**9)], False)
    rest = iter([ref(n, 10**7) for n in range(20)])
    first, enough = worth_processes(rest)
    assert (enough, len(first) + len(list(rest))) == (True, 20)


def test_a_long_run_says_how_far_it_is() -> None:
    """Objects and rows so far, of the objects listed, and the rate; a short run says nothing."""
    said: list[tuple[str, dict[str, Any]]] = []
    counts = Counts(live=True)
    with showing(counts, lambda event, **facts: said.append((event, facts)), bar=False, every_s=0.01):
        counts.add_listed()
        counts.add_rows(500)
        counts.add_object(500)
        deadline = time.monotonic() + 10
        while not said and time.monotonic() < deadline:
            time.sleep(0.005)
    event, facts = said[-1]
    assert (event, facts["objects"], facts["of"], facts["rows"]) == ("progress", 1, 1, 500)
    said.clear()
    with showing(counts, lambda event, **facts: said.append((event, facts)), bar=False):
        counts.add_rows(1)
    assert said == []
