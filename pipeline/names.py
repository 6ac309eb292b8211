"""What the name of an object tells: whose it is, which days it is of, which pass of the repeated hour."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.dates import Order, Span, before_days, day_of, is_of_dates, looks_dated, span_in, year_in

_SUFFIX = re.compile(
    r"(?:\.(?:xlsx|xlsm|xls|csv|tsv|jsonl|ndjson|json|parquet|avro|txt))?(?:\.(?:gz|zip|zst|bz2|xz|7z))*$",
    re.IGNORECASE,
)
_DAY_KEYS = frozenset(["date", "day", "dt", "jour", "datum"])
"""In `date=2024-10-02` the name of a partition; other partitions, such as `exported=`, tell no day."""
_PARTITION = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_EXPORTED = re.compile(r"(?<![a-z])(?:export|extract|download|sync|backup|dump)", re.IGNORECASE)
_TREE = re.compile(
    r"(?:^|/)(?:year=|y=)?(20\d\d)/(?:month=|m=)?(\d{1,2})/(?:day=|d=)?(\d{1,2})(?=/|$)", re.IGNORECASE
)
_NEUTRAL = frozenset(
    re.findall(
        r"\w+",
        """
    from du de le van to au tot until day days jour dag date week weeks wk semaine month mois data
    donnees export exported readings reading observations obs history historique historical daily
    hourly raw table sheet airbyte wu wunderground pws weather utc local copy copie kopie final all
    full new
    """,
    )
)
"""Words that may stand between a station's name and the day without naming another station."""
_COPY = re.compile(
    r"\(\d{1,3}\)|(?<![A-Za-z0-9])(?:v\d{1,3}|part[-_ ]?\d{0,6})(?![A-Za-z0-9])", re.IGNORECASE
)
"""What a browser adds to a second download, and what programs number parts with."""
_YEAR_AND_MONTH = re.compile(r"(?<!\d)(?:19|20)\d\d[-_](?:0[1-9]|1[0-2])(?![-_]?\d)")
_PWS_ID = re.compile(r"(?<![A-Za-z0-9])[IK][A-Z]{3,10}\d{1,4}(?![A-Za-z0-9])")
_PASS = re.compile(
    r"(?<![A-Za-z0-9])(?:0?[1-3]h?:?(?:00)?([ab])|(cest|cet|bst|gmt|summer|winter|ete|hiver))(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_SUMMER = frozenset({"a", "cest", "bst", "summer", "ete"})


def parts_of(key: str) -> list[str]:
    """The folders and the name of a key, the name without the endings of formats."""
    *folders, name = re.split(r"[/\\]", key)
    return [*folders, _SUFFIX.sub("", name)]


def plain(text: str) -> str:
    """A name as names are compared: lower case, and one kind of separator. Of the same length."""
    return re.sub(r"[\s-]", "_", text.lower())


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a key, ready to be compared with the names of many stations; a day may stand in front."""

    text: str
    plain: str
    front: int

    @classmethod
    def of(cls, text: str) -> Part:
        found = re.match(r"[\d_.\- T]*(?<=\d)[_\- ]+(?=[^\d])", text)
        return cls(text, plain(text), found.end() if found and span_in(found[0]) else 0)

    def rest_after(self, pattern: str) -> str | None:
        """What stands beside a station's name; None when the part is not of that station.

        Behind the name only a day, the number of a part, or a neutral word may follow: `station_lille_BE2`
        and `station_lille_BE_north` are neighbors of `station_lille_BE*`, not its files.
        """
        literal = plain(pattern.removesuffix("*"))
        if not self.plain.startswith(literal, self.front):
            return None
        rest = self.text[self.front + len(literal) :]
        if rest and (not pattern.endswith("*") or rest[0].isalnum() or not _is_neutral(rest)):
            return None
        return f"{self.text[: self.front]} {rest}"

    def ids(self) -> set[str]:
        """The words of the part in lower case: one of them may be a station's own id."""
        return set(re.split(r"[^a-z0-9]+", self.text.lower()))


def _is_neutral(rest: str) -> bool:
    """Whether what stands before the day, or all where there is none, names nothing."""
    words = re.split(r"[\W_]+", before_days(_COPY.sub(" ", _YEAR_AND_MONTH.sub(" ", rest))))
    return all(word in _NEUTRAL or is_of_dates(word) for word in words if word)


def names_a_station(part: str, beginnings: Sequence[str]) -> bool:
    """Whether a file in a station's folder has the name of some station, by its form."""
    first = re.split(r"[\W_]+", part.lower())[0]
    return _PWS_ID.search(part) is not None or (first in beginnings and not _is_neutral(part))


def span_of(parts: Sequence[str], own: int, rest: str, order: Order | None = None) -> Span | None:
    """The days that a key tells: its name first, then its folders from the inner ones outwards.

    `own` is the index of the part that names the station, `rest` what stands beside that name. A day
    without a year, as `March-3`, is of the year that stands elsewhere in the key.
    """
    year = year_in("/".join(parts))
    for index in reversed(range(len(parts))):
        for text in _dated_texts(rest if index == own else parts[index]):
            if span := span_in(text, order, year):
                return span
            if looks_dated(text):
                return None
    if found := _TREE.search("/".join(parts)):
        day = day_of(int(found[1]), int(found[2]), int(found[3]))
        return Span(day, day) if day else None
    return None


def _dated_texts(part: str) -> Iterator[str]:
    """The part, or the value of a partition by day; nothing where it is the day of an export."""
    found = _PARTITION.fullmatch(part)
    if found is None and not _EXPORTED.search(part):
        yield part
    elif found and found[1].lower() in _DAY_KEYS:
        yield found[2]


def summer_pass(key: str) -> bool | None:
    """Which pass of the repeated hour a name tells, as `02A` and `02B` or `CEST` and `CET` do."""
    found = _PASS.search(parts_of(key)[-1])
    return (found[1] or found[2]).lower() in _SUMMER if found else None
