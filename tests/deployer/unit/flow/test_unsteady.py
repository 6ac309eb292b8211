"""Releases while every fifth call to the outside goes wrong, over fakes with the settings as they come."""

import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from deployer.errors import TransientFailure
from deployer.ports import Ports
from tests.fakes.release import Releasing
from tests.fakes.world import World

RELEASES, SHARE = 200, 0.2
PORTS = ("registry", "engine", "tasks", "schedules", "logs", "database")


class Unsteady:
    """A port of which `SHARE` of the calls fail, half of these after they have taken effect."""

    def __init__(self, port: object, lots: random.Random, broken: list[str]) -> None:
        self._port, self._lots, self._broken = port, lots, broken

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if not callable(method):
            return method

        def call(*arguments: Any, **named: Any) -> Any:
            lot = self._lots.random()
            if lot < SHARE:
                self._broken.append(name)
            if lot < SHARE / 2:
                raise TransientFailure("network", f"{name}: connection reset")
            answer = method(*arguments, **named)
            if lot < SHARE:
                raise TransientFailure("capacity", f"{name}: the answer was lost")
            return answer

        return call


class UnsteadyWorld(World):
    def __init__(self, seed: int) -> None:
        super().__init__()
        self.lots, self.broken = random.Random(seed), list[str]()

    def ports(self, folder: Path) -> Ports:
        ports = super().ports(folder)
        unsteady = {name: Unsteady(getattr(ports, name), self.lots, self.broken) for name in PORTS}
        return replace(ports, **unsteady)


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    world = World()
    world.tasks.script.append(world.loads())
    assert Releasing(world, tmp_path_factory.mktemp("calm")).go().end == "END_SUCCESS"
    return world.effects()


@pytest.mark.parametrize("tenth", range(10))
def test_a_fifth_of_the_calls_fails_and_nothing_comes_of_it(
    tmp_path: Path, undisturbed: dict[str, Any], tenth: int
) -> None:
    """Every release ends well in its first process, with the effects of an undisturbed one, none twice."""
    for seed in range(tenth, RELEASES, 10):
        world = UnsteadyWorld(seed)
        world.tasks.script.append(world.loads())
        stop = Releasing(world, tmp_path / str(seed)).go()
        assert (stop.end, stop.exit_code) == ("END_SUCCESS", 0), f"seed {seed}: {stop} {world.broken}"
        assert world.effects() == undisturbed, f"seed {seed}: {world.broken}"
        assert world.broken
