"""What doctor warns of in an address, before anything is sent there."""

from typing import Any

import pytest

from deployer.adapters.mongodb.connectivity import unprotected

PUBLIC, PRIVATE, HERE = [("8.8.8.8", 27017)], [("10.4.0.9", 27017)], [("127.0.0.1", 27017)]


@pytest.mark.parametrize(
    ("hosts", "options", "said"),
    [
        (PUBLIC, {}, "8.8.8.8 unencrypted"),
        (PUBLIC, {"tls": False}, "8.8.8.8 unencrypted"),
        (PUBLIC, {"tls": True}, ""),
        (PUBLIC, {"ssl": True}, ""),
        (PRIVATE, {}, ""),
        (HERE, {}, ""),
        (PRIVATE, {"tls": True, "tlsallowinvalidcertificates": True}, "any certificate"),
        (PUBLIC, {"tls": True, "tlsinsecure": True}, "any certificate"),
    ],
)
def test_what_others_may_read_is_a_warning(
    hosts: list[tuple[str, int]], options: dict[str, Any], said: str
) -> None:
    """A public host without TLS, and any certificate accepted; a private network is the operator's affair."""
    found = unprotected(hosts, options)
    assert said in found[0] if found and said else (found, said) == (None, "")
