"""Prints a line for each cost: two sizes, the fitted exponent, wanted and met. Exit code 1: one is not.

python -m bench.scale [NAME ...]
"""

import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.pipeline.ratio import machine
from bench.scale.growth import Growth
from bench.scale.logs import explained, followed, viewed
from bench.scale.records import bucket, inputs, journal, listed, verified

ROWS: dict[str, Callable[[Path], Iterator[Growth]]] = {
    "listed": listed,
    "bucket": bucket,
    "journal": journal,
    "followed": followed,
    "viewed": viewed,
    "explained": explained,
    "inputs": inputs,
    "verified": verified,
}


def main(names: list[str]) -> None:
    if unknown := set(names) - set(ROWS):
        raise SystemExit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(ROWS)}")
    for fact in machine():
        print(fact)
    found: list[Growth] = []
    for name in names or ROWS:
        with tempfile.TemporaryDirectory() as folder:
            for growth in ROWS[name](Path(folder)):
                print(growth.line(), flush=True)
                found.append(growth)
    missed = [growth.name for growth in found if not growth.met]
    print(f"{len(found) - len(missed)} of {len(found)} met")
    raise SystemExit(1 if missed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
