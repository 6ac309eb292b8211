"""Identifiers keep to the rules of what they are handed to."""

import re

from deployer.adapters.local.machine import RandomIds


def test_release_ids_sort_by_time() -> None:
    """A later release has a greater id; both fit Compose's and ECS's rules for names."""
    ids = [RandomIds().release_id(now) for now in (1_700_000_000.0, 1_700_000_001.0, 1_800_000_000.0)]
    assert ids == sorted(ids)
    assert all(re.fullmatch(r"\d{8}-\d{6}-[0-9a-f]{4}", one) for one in ids)
    assert ids[0].startswith("20231114-221320-")


def test_tokens_are_never_the_same() -> None:
    """A thousand tokens are a thousand different ones."""
    assert len({RandomIds().token() for _ in range(1000)}) == 1000
