"""docs/reference/events.md: the lines of `deployer release --output json`, from the event classes."""

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any, Final

from deployer import events
from scripts.docs.hints import spelled
from scripts.docs.markdown import code, head, prose, table

_INTRODUCTION: Final = """\
`deployer release` and `deployer resume` with `--output json` print one JSON object a line on stdout, and
nothing else there. `event` names the kind. New kinds and new fields may be added; a reader should ignore
those that it does not know.

`time`, in every line, is when it happened. Times are seconds since the epoch (UTC), durations are seconds.
The last line is always an `ended`:

```json
{"event": "ended", "time": 1795558395.5, "release": "20261124-221256-69e5", "end": "END_SUCCESS"}
```

(shortened). If a release could not begin, `release` and `end` are null, and `error` and `hint` say why:

```json
{"event": "ended", "time": 1795558395.5, "release": null, "exit_code": 3, "error": "...", "hint": "..."}
```
"""
_LOGS: Final = """\
## Lines of `deployer logs --output json`

| event | fields |
| --- | --- |
| `log` | `time`, `task` (its ID), `text` |
| `note` | `text`: a remark about the log, such as that lines may be missing |
| `task-ended` | `task`, `exit_code`, `stop_code`, `stopped_reason` |
| `ended` | `exit_code`, `lines`: always the last |
"""


def page() -> str:
    sections = [_section(kind) for kind in kinds()]
    return "\n".join([head("Events", "deployer/events.py"), _INTRODUCTION, *sections, _LOGS])


def kinds() -> list[type[events.Event]]:
    """Every kind of event, in the order of the code."""
    return [
        kind
        for kind in vars(events).values()
        if isinstance(kind, type) and issubclass(kind, events.Event) and kind is not events.Event
    ]


def _section(kind: type[events.Event]) -> str:
    return f"## {kind.name}\n\n{_about(kind)}\n\n{table(('field', 'type', 'default'), _rows(kind))}"


def _about(kind: type[events.Event]) -> str:
    return prose(kind.__doc__).replace("None", "null")


def _rows(kind: type[events.Event]) -> Iterator[tuple[str, str, str]]:
    hints = typing.get_type_hints(kind)
    for field in dataclasses.fields(kind):
        optional = type(None) in typing.get_args(hints[field.name])
        words = spelled(hints[field.name]) + (" or null" if optional else "")
        yield code(field.name), words, _default(field)


def _default(field: dataclasses.Field[Any]) -> str:
    if field.default is dataclasses.MISSING or field.default in ("", (), None):
        return ""
    return code(str(field.default).lower())
