"""Names and words of others on their way to a screen."""

from __future__ import annotations

from typing import Any


def printable(value: Any) -> str:
    """On one line, and without what would drive a terminal."""
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in str(value))
