"""Hides secrets in everything that is shown, written or logged, as it comes in."""

import json
import re
from base64 import b64encode
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from fnmatch import fnmatchcase
from html import escape
from typing import Any, Final, TypeVar
from urllib.parse import quote, quote_plus, unquote, urlsplit

_T = TypeVar("_T")
HIDDEN: Final = "***"
_SHORT: Final = 120
"""Up to here one look for all signs is cheaper than one for each."""
_SHORTEST: Final = 6
"""A shorter value would be found by chance in ordinary text."""

_ESCAPE: Final = re.compile(
    r"\x1b(?:\[[0-?]{0,40}[ -/]{0,8}[@-~]|\][^\x07\x1b]{0,400}(?:\x07|\x1b\\)?|[ -~]?)"
)
"""Terminal escapes are taken out first: in the middle of a secret one would hide it from the patterns."""

_VALUE: Final = (
    r"(?P<value>\\{1,7}[\"'][^\"'\\]{1,2000}|\"(?:[^\"\\]|\\.){1,2000}|'(?:[^'\\]|\\.){1,2000}"
    r"|(?!\*\*\*)[^\s\"'\\,;}&]{1,2000})"
)
"""Quoted, also in JSON within JSON, or up to the next separator."""
_IS: Final = r"(?:\\{0,7}[\"'])?\s{0,8}(?:=>|=(?!>)|:|%3d|\\{1,4}u003d)\s{0,8}"
_SURE: Final = r"pass(?:word|wd|phrase)|pwd|credentials?"
_SECOND: Final = r"key|secret|token"
"""The second half of a secret's name; what stands before it decides (see `_FIRST`)."""
_FIRST: Final = re.compile(
    r"(?:(?:secret[_-]?access|secret|api|private|account|shared|access)[_-]?(?=key)"
    r"|(?:client|app|consumer|shared)[_-]?(?=secret)"
    r"|(?:session|access|refresh|auth|id|bearer|api|security)[_-]?(?=token))(?:key|secret|token)$"
)
_NAMED: Final = re.compile(rf"(?P<name>{_SURE}|{_SECOND}){_IS}{_VALUE}")
_OPTION: Final = re.compile(rf"(?<=-)(?P<name>{_SURE}|{_SECOND})\s{{1,8}}(?!-){_VALUE}")
_LOWER: Final[tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]] = (
    (("pass", "pwd", "key", "token", "secret", "credential"), _NAMED),
    (("--",), _OPTION),
    (
        ("token=", "sig", "x-amz-"),
        re.compile(
            r"(?<![a-z])(?:token|sig|signature|x-amz-(?:signature|credential|security-token))(?:=|%3d)"
            r"(?P<value>(?!\*\*\*)[^\s\"'\\,;}&]{8,2000})"
        ),
    ),
    (
        ("authorization",),
        re.compile(
            r"authorization(?:\\{0,7}[\"'])?\s{0,8}[=:]\s{0,8}(?:\\{0,7}[\"'])?"
            r"(?:(?:basic|bearer|token|digest|apikey)\s{1,8})?"
            r"(?P<value>(?!\*\*\*|(?:basic|bearer|token|digest|apikey)\b)[^\s\"'\\,]{1,4000})"
        ),
    ),
    (("bearer ",), re.compile(r"bearer (?P<value>(?!\*\*\*)[\w.~+/-]{16,4000})")),
    (
        ("hooks.slack.com/", "/api/webhooks/", "/webhookb2/"),
        re.compile(
            r"(?:hooks\.slack\.com/(?:services|workflows|triggers)|/api/webhooks|/webhookb2)/"
            r"(?P<value>[\w@/.-]{8,400})"
        ),
    ),
)
_EXACT: Final[tuple[tuple[tuple[str, ...], re.Pattern[str]], ...]] = (
    (("akia", "asia"), re.compile(r"(?<![A-Za-z0-9])(?P<value>A(?:KIA|SIA)[0-9A-Z]{16})(?![A-Za-z0-9])")),
    (("eyj",), re.compile(r"(?<![\w-])(?P<value>eyJ[\w-]{10,}\.[\w-]{10,}\.[\w-]+)")),
    (
        ("gh", "glpat", "xox"),
        re.compile(r"(?<![\w-])(?P<value>(?:gh[pousr]_|github_pat_|glpat-|xox[abpr]-)[\w-]{16,255})"),
    ),
    (
        ("private key",),
        re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?P<value>[^-*]{1,10000})"),
    ),
)
"""Each with what must be in the text, in small letters, for it to match: most lines have nothing of it. The
first ones are matched against the text in small letters, a third of the work of ignoring case. Every
repetition is bounded or begins where no other can, so that the time is linear."""

_SIGNS: Final = re.compile(
    "|".join(sorted({"://"}.union(re.escape(s) for signs, _ in (*_LOWER, *_EXACT) for s in signs)))
)
"""Without any of them nothing can match: one look instead of twenty at most texts."""

_TOKEN: Final = re.compile(r"[^\s\"'<>\\]{0,4000}")
_PORT: Final = re.compile(r"\d{1,5}(?:[/?#]|$)")
_KEY_AS_USER: Final = re.compile(r"[\w-]{16,}")
_SECRET_NAME: Final = re.compile(rf"(?:{_SURE})$")


def names_a_secret(name: object) -> bool:
    """Whether a value under this name is to be hidden: `DB_PASSWORD`, `client-secret`."""
    if not isinstance(name, str):
        return False
    small = name.lower()
    return bool(_SECRET_NAME.search(small) or _FIRST.search(small))


def _is_literal(value: object) -> bool:
    return isinstance(value, str) and value != "" and not value.startswith("${")


def _without_passwords(text: str) -> str:
    """Addresses without their passwords: up to the last `@`, for `/` and `@` may be unescaped."""
    first, *others = text.split("://")
    return "://".join((first, *map(_authority, others)))


def _authority(rest: str) -> str:
    """What stands behind `://`, its password hidden; a long user without a password is a key (a DSN)."""
    match = _TOKEN.match(rest)
    token = match[0] if match else ""
    at = token.rfind("@")
    if at < 0:
        return rest
    user, colon, password = token[:at].partition(":")
    if any(sign in user for sign in "/?#"):
        return rest
    if colon and not _PORT.match(password):
        return f"{user}:{HIDDEN}{rest[at:]}"
    return f"{HIDDEN}{rest[at:]}" if not colon and _KEY_AS_USER.fullmatch(user) else rest


class Redactor:
    """Hides known values (the `secrets`, however they are spelled) and what looks like a secret: passwords in
    addresses, AWS keys, `password=...`, bearer tokens, webhooks, signatures."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        spelled = {spelling for secret in secrets for spelling in _spellings(secret)}
        self._known = tuple(sorted(spelled, key=len, reverse=True))

    def text(self, text: str) -> str:
        if "\x1b" in text:
            text = _ESCAPE.sub("", text)
        for known in self._known:
            if known in text:
                text = text.replace(known, HIDDEN)
        small = _small(text)
        if len(text) < _SHORT and not _SIGNS.search(small):
            return text
        if "://" in text and "@" in text:
            text = _without_passwords(text)
            small = _small(text)
        for signs, pattern in _LOWER:
            if any(sign in small for sign in signs):
                text = _hidden(text, pattern.finditer(small))
                small = _small(text)
        for signs, pattern in _EXACT:
            if any(sign in small for sign in signs):
                text = _hidden(text, pattern.finditer(text))
        return text

    def clean(self, value: _T) -> _T:
        """The same value with every string in it cleaned: strings, lists, tuples, mappings, dataclasses."""
        return self._clean(value)  # type: ignore[no-any-return]

    def _clean(self, value: Any) -> Any:
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            named = _is_literal(value.get("value")) and names_a_secret(value.get("name"))
            return {
                key: HIDDEN
                if _is_literal(item) and (names_a_secret(key) or (named and key == "value"))
                else self._clean(item)
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._clean(item) for item in value]
        if isinstance(value, tuple):
            return tuple(self._clean(item) for item in value)
        if is_dataclass(value) and not isinstance(value, type):
            return replace(value, **{f.name: self._clean(getattr(value, f.name)) for f in fields(value)})
        return value


def _spellings(secret: str) -> Iterator[str]:
    """Plain, in an address, in JSON (also within JSON, and as Go writes it), in HTML, in hexadecimal, and in
    base64 wherever it begins in what was encoded."""
    if len(secret) < _SHORTEST:
        return
    in_json = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}
    in_json |= {text.translate(_AS_GO) for text in in_json}
    quoted = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    yield from {secret, repr(secret)[1:-1], escape(secret), *quoted, *in_json}
    yield from (re.sub("%[0-9A-F]{2}", lambda match: match[0].lower(), text) for text in quoted)
    yield from (json.dumps(text)[1:-1] for text in in_json)
    plain = secret.encode()
    yield from (plain.hex(), plain.hex().upper())
    for before in range(3):
        encoded = b64encode(bytes(before) + plain).decode()
        whole = encoded[-(-before * 8 // 6) : (before + len(plain)) * 8 // 6]
        yield from {whole, whole.translate(_URL_SAFE)}


_AS_GO: Final = str.maketrans({"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"})
_URL_SAFE: Final = str.maketrans("+/", "-_")


def parts_of(value: str, clear: Collection[str] = ()) -> Iterator[str]:
    """The secret parts of a secret's value: an address's password, every text in a JSON object, each line of
    a key; not what is in `clear`, which is public elsewhere (a user's name, a host)."""
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


_KEPT: Final = ("AWS_REGION", "AWS_DEFAULT_REGION", "PWD", "OLDPWD", "SSH_AUTH_SOCK")
_SECRET_VARIABLE: Final = re.compile(
    r"AWS_|ATLAS_|MONGO\w{0,60}_UR[IL]$|DATABASE_URL$|(?:\w{0,60}_)?(?:TOKEN|JWT|PAT|SECRETS?|PASS(?:WORD|WD|PHRASE)?|PWD"
    r"|CREDENTIALS?|\w{0,60}KEY|DSN|WEBHOOK)(?:_|$)"
)


def without_secrets(environ: Mapping[str, str], allowed: Iterable[str] = ()) -> dict[str, str]:
    """The environment for a program that does not need the operator's credentials: without `AWS_*` (but the
    region), the database's address and whatever is a secret by its name or value. A proxy's address stays.
    `allowed`: names that are kept, with `*` for any rest."""
    plain, patterns = Redactor(), tuple(allowed)

    def fits(name: str, value: str) -> bool:
        upper = name.upper()
        if upper in _KEPT or upper.endswith("_PROXY") or any(fnmatchcase(name, each) for each in patterns):
            return True
        return not _SECRET_VARIABLE.match(upper) and plain.text(value) == value

    return {name: value for name, value in environ.items() if fits(name, value)}


def _small(text: str) -> str:
    """In small letters, of the same length."""
    return text.lower() if text.isascii() else text.translate(_ASCII_LOWER)


_ASCII_LOWER: Final = {ord(letter): letter.lower() for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
_QUOTE: Final = re.compile(r"\\{0,7}[\"']")


def _hidden(text: str, matches: Iterable[re.Match[str]]) -> str:
    """The text without the matches' values. Quotes around a value stay, so that JSON remains JSON."""
    pieces, end = list[str](), 0
    for match in matches:
        if not _is_a_secret(match):
            continue
        begin, after = match.span("value")
        quote_mark = _QUOTE.match(text, begin, after)
        pieces += (text[end : quote_mark.end() if quote_mark else begin], HIDDEN)
        end = after
    return "".join((*pieces, text[end:])) if pieces else text


def _is_a_secret(match: re.Match[str]) -> bool:
    """A key, secret or token only with a first half such as `api_`."""
    name = match.groupdict().get("name")
    if name not in ("key", "secret", "token"):
        return True
    return bool(_FIRST.search(match.string, max(0, match.start("name") - 20), match.end("name")))
