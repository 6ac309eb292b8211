"""One release per environment on one machine."""

from pathlib import Path

import pytest

from deployer.errors import RefusedError
from deployer.lease import Holder, held, holder_of


def test_a_second_release_is_refused_with_the_holder(tmp_path: Path) -> None:
    """While the lease is held, another one is told who, which release, and since when."""
    first = Holder.here("20270101-000000-aaaa", 1_800_000_000.0)
    with held(tmp_path, "production", first):
        assert holder_of(tmp_path, "production") == first
        with (
            pytest.raises(RefusedError, match=r"20270101-000000-aaaa, since 2027-01-15 08:00:00 UTC"),
            held(tmp_path, "production", Holder.here("b", 0.0)),
        ):
            raise AssertionError("both hold it")


def test_environments_do_not_block_each_other(tmp_path: Path) -> None:
    """A release to one environment says nothing about another."""
    here = Holder.here("a", 0.0)
    with held(tmp_path, "production", here), held(tmp_path, "sandbox", here):
        assert holder_of(tmp_path, "sandbox") == here


def test_nothing_is_held_afterwards(tmp_path: Path) -> None:
    """The lease ends with the release, also when that ends by an error."""
    with pytest.raises(ZeroDivisionError), held(tmp_path, "production", Holder.here("a", 0.0)):
        raise ZeroDivisionError
    assert holder_of(tmp_path, "production") is None


def test_a_file_left_by_a_crash_holds_nothing(tmp_path: Path) -> None:
    """Only the kernel's lock counts, which no crash leaves behind."""
    (tmp_path / "production.json").write_text('{"release": "dead"}')
    (tmp_path / "production.lock").touch()
    assert holder_of(tmp_path, "production") is None
    with held(tmp_path, "production", Holder.here("b", 0.0)):
        pass
