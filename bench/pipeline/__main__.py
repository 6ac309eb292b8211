"""Takes the measurements and prints one line for each ratio.

    python -m bench.pipeline [--memory-readings N] [NAME ...]

Exit code 1 when a ratio misses its target.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.pipeline.loading import load, memory, mongod, rerun
from bench.pipeline.ratio import Ratio, machine
from bench.pipeline.tiny import refused, tiny
from bench.pipeline.transforming import transform, workbook, workers

NAMES = ("transform", "xlsx", "workers", "load", "rerun", "tiny", "refused", "memory")


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.pipeline")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(NAMES)}; default all")
    parser.add_argument("--memory-readings", type=int, default=5_000_000)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    for fact in machine():
        print(fact)
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        for ratio in _take(arguments.names or NAMES, Path(folder), arguments.memory_readings):
            print(ratio.line(), flush=True)
            taken.append(ratio)
    missed = [ratio for ratio in taken if not ratio.met]
    print(f"{len(taken) - len(missed)} of {len(taken)} ratios met")
    for ratio in missed:
        print(f"MISS {ratio.name} against {ratio.against}")
    raise SystemExit(1 if missed else 0)


def _take(names: tuple[str, ...], folder: Path, readings: int) -> Iterator[Ratio]:
    alone: dict[str, Callable[[], Iterator[Ratio]]] = {
        "transform": transform,
        "xlsx": workbook,
        "workers": lambda: workers(folder / "workers"),
    }
    stored: dict[str, Callable[[str], Iterator[Ratio]]] = {
        "load": lambda uri: load(uri, folder / "load"),
        "rerun": lambda uri: rerun(uri, folder / "rerun"),
        "tiny": lambda uri: tiny(uri, folder / "tiny"),
        "refused": lambda uri: refused(uri, folder / "refused"),
        "memory": lambda uri: memory(uri, folder / "memory", readings),
    }
    for name in names:
        if name in alone:
            yield from alone[name]()
        else:
            with mongod(folder / f"mongod-{name}") as uri:
                yield from stored[name](uri)
            shutil.rmtree(folder / f"mongod-{name}")


if __name__ == "__main__":
    main()
