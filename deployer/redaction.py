"""Secrets taken out of everything that is shown, written or logged, on its way in."""

import json
import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Final, TypeVar
from urllib.parse import quote, unquote, urlsplit

_T = TypeVar("_T")
HIDDEN: Final = "***"
_SHORTEST: Final = 6
"""A shorter value than this would be found by chance in ordinary text."""

_PATTERNS: Final[tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]] = (
    (
        ("://",),
        re.compile(r"(?P<kept>\b[a-z][a-z0-9+.-]*://[^/\s:@\"']*:)[^@/\s\"']+(?=@)", re.IGNORECASE),
    ),
    (("akia", "asia"), re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    (
        ("passw", "key", "token"),
        re.compile(
            r"(?P<kept>(?:secret_?access_?key|password|passwd|secret_?key|api_?key"
            r"|(?:session|access|refresh|auth|id|bearer|api)_?token)[\"']?\s*[=:]\s*[\"']?)"
            r"(?!\*\*\*)[^\s\"',;}&]+",
            re.IGNORECASE,
        ),
    ),
    (
        ("authorization",),
        re.compile(
            r"(?P<kept>\bauthorization[\"']?\s*[=:]\s*[\"']?(?:basic|bearer|token)\s+)[^\s\"',]+",
            re.IGNORECASE,
        ),
    ),
    (("eyj",), re.compile(r"\beyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+")),
    (
        ("gh", "glpat", "xox"),
        re.compile(r"\b(?:gh[pousr]_|github_pat_|glpat-|xox[abpr]-)[\w-]{16,}"),
    ),
)
"""Each with what must stand in the text, in small letters, for it to match: most lines hold nothing of it."""


class Redactor:
    """Knows some values by heart (the `secrets`, however they are spelled) and the rest by their looks:
    passwords in addresses, AWS keys, `password=...`, bearer tokens."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spelled = {spelling for secret in secrets for spelling in _spellings(secret)}
        self._known = tuple(sorted(spelled, key=len, reverse=True))

    def text(self, text: str) -> str:
        for known in self._known:
            if known in text:
                text = text.replace(known, HIDDEN)
        small = text.lower()
        for signs, pattern in _PATTERNS:
            if any(sign in small for sign in signs):
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


def _spellings(secret: str) -> Iterator[str]:
    """As it stands, in an address, in JSON, and in base64 wherever it begins in what was encoded."""
    if len(secret) < _SHORTEST:
        return
    yield from {secret, quote(secret), quote(secret, safe=""), json.dumps(secret)[1:-1]}
    plain = secret.encode()
    for before in range(3):
        encoded = b64encode(bytes(before) + plain).decode()
        whole = encoded[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
        yield from {whole, whole.translate(_URL_SAFE)}


_URL_SAFE: Final = str.maketrans("+/", "-_")


def parts_of(value: str, clear: Collection[str] = ()) -> Iterator[str]:
    """What is secret in the value of a secret: an address's password, every text in a JSON object, each line
    of a key; not what `clear` holds, which is said openly elsewhere (a user's name, a host)."""
    try:
        held = json.loads(value)
    except ValueError:
        held = None
    if isinstance(held, dict):
        for inner in held.values():
            yield from parts_of(inner if isinstance(inner, str) else json.dumps(inner), clear)
    elif "://" in value:
        yield from _passwords(value)
    else:
        yield from (line for line in {value, *value.splitlines()} if line not in clear)


def _passwords(uri: str) -> Iterator[str]:
    """As it stands in the address, and plain."""
    try:
        password = urlsplit(uri).password
    except ValueError:
        password = None
    if password:
        yield from (password, unquote(password))


def secrets_of(uri: str, environ: Mapping[str, str]) -> Iterable[str]:
    """The database's password, as it stands in its address and plain, and the operator's keys."""
    yield from _passwords(uri)
    for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "ATLAS_PRIVATE_KEY"):
        if environ.get(name):
            yield environ[name]


def _hide(match: re.Match[str]) -> str:
    return f"{match.groupdict().get('kept') or ''}{HIDDEN}"
