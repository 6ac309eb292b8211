"""The table of what is classified, in order: at equal confidence the earlier signature speaks first.

One INI file a topic, one section `[class/subcause]` a signature; the keys are the fields of `Signature`,
`seen` its channels. A long value goes on in indented lines. `<name>` stands for a part of `shared.ini`:
a context in `within` and `without`, a fragment in `fix`.
"""

import re
from collections.abc import Mapping
from configparser import RawConfigParser
from functools import lru_cache
from importlib.resources import files
from typing import get_args

from deployer.diagnosis.signature import CHANNELS, ECS, TASK, Signature
from deployer.errors import FailureClass

_TOPICS = (
    "aws",
    "ecs",
    "capacity",
    "registry",
    "mongodb",
    "mongodb_use",
    "data",
    "docker",
    "code",
    "machine",
)
_LAST = ("last",)
_GROUPS = {"all": CHANNELS, "task": TASK, "ecs": ECS}
_REGEXES = ("pattern", "within", "without")
_TEXTS = (*_REGEXES, "texts", "names", "meaning", "fix", "source", "counter", "ecosystem")
_SHARED = re.compile(r"<([a-z ]+)>")


@lru_cache(maxsize=1)
def signatures() -> tuple[Signature, ...]:
    """Every signature but the last resorts. Raises ValueError where a file of the table cannot be read."""
    return tuple(signature for topic in _TOPICS for signature in _read(topic))


@lru_cache(maxsize=1)
def whole_table() -> tuple[Signature, ...]:
    """With what is said when no signature speaks."""
    return (*signatures(), *(signature for topic in _LAST for signature in _read(topic)))


def _sections(topic: str) -> RawConfigParser:
    parser = RawConfigParser(delimiters=("=",), empty_lines_in_values=False)
    parser.read_string(files(__name__).joinpath(f"{topic}.ini").read_text(encoding="utf-8"), f"{topic}.ini")
    return parser


@lru_cache(maxsize=1)
def shared() -> Mapping[str, str]:
    """Contexts and fragments by name, each told once."""
    return {
        key: value.replace("\n", "" if section == "contexts" else " ")
        for section, keys in _sections("shared").items()
        for key, value in keys.items()
    }


def _read(topic: str) -> list[Signature]:
    return [_signature(name, keys) for name, keys in _sections(topic).items() if name != "DEFAULT"]


def _signature(name: str, keys: Mapping[str, str]) -> Signature:
    failure_class, _, subcause = name.partition("/")
    texts = {key: _text(key, keys[key]) for key in _TEXTS if key in keys}
    return Signature(
        failure_class=_known(failure_class),
        subcause=subcause,
        example=keys["example"].replace("\n", " ").replace("\\n", "\n"),
        channels=tuple(channel for word in keys["seen"].split() for channel in _GROUPS.get(word, (word,))),
        weight=float(keys["weight"]),
        exit_codes=tuple(map(int, keys.get("exit_codes", "").split())),
        stop_codes=tuple(keys.get("stop_codes", "").split()),
        transient=keys.get("transient") == "yes",
        frames=keys.get("frames") == "yes",
        **texts,
    )


def _text(key: str, value: str) -> str:
    value = value.replace("\n", "" if key in _REGEXES else " ")
    return _SHARED.sub(lambda name: shared().get(name[1], name[0]), value)


def _known(name: str) -> FailureClass:
    return next(known for known in get_args(FailureClass) if known == name)
