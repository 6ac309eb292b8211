"""Secrets taken out of everything that is shown, written or logged, on its way in."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import unquote, urlsplit

_T = TypeVar("_T")
HIDDEN: Final = "***"
_SHORTEST: Final = 6
"""A shorter value than this would be found by chance in ordinary text."""

_PATTERNS: Final = (
    re.compile(r"(?P<kept>\b[a-z][a-z0-9+.-]*://[^/\s:@\"']*:)[^@/\s\"']+(?=@)", re.IGNORECASE),
    re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"),
    re.compile(
        r"(?P<kept>\b(?:aws_)?(?:secret_?access_?key|session_?token|password|passwd|secret_?key|api_?key)"
        r"[\"']?\s*[=:]\s*[\"']?)(?!\*\*\*)[^\s\"',;}&]+",
        re.IGNORECASE,
    ),
    re.compile(
        r"(?P<kept>\bauthorization[\"']?\s*[=:]\s*[\"']?(?:basic|bearer)\s+)[^\s\"',]+", re.IGNORECASE
    ),
    re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+"),
)


class Redactor:
    """Knows some values by heart (the `secrets`) and the rest by their looks: passwords in addresses, AWS
    keys, `password=...`, bearer tokens."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({s for s in secrets if len(s) >= _SHORTEST}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        if self._known:
            text = self._known.sub(HIDDEN, text)
        for pattern in _PATTERNS:
            text = pattern.sub(_hide, text)
        return text

    def clean(self, value: _T) -> _T:
        """The same value with every string in it cleaned: strings, lists, tuples, mappings, dataclasses."""
        return self._clean(value)  # type: ignore[no-any-return]

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self._clean(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self._clean(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self._clean(item) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: self._clean(getattr(value, f.name)) for f in fields(value)})
        return value


def secrets_of(uri: str, environ: Mapping[str, str]) -> Iterable[str]:
    """The database's password, as it stands in its address and plain, and the operator's keys."""
    password = urlsplit(uri).password if "://" in uri else None
    if password:
        yield from (password, unquote(password))
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ATLAS_PRIVATE_KEY"):
        if environ.get(name):
            yield environ[name]


def _hide(match: re.Match[str]) -> str:
    return f"{match.groupdict().get('kept') or ''}{HIDDEN}"
