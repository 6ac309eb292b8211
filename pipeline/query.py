"""Answers queries about the database from where the job runs, for `deployer verify --via task`.

    QUESTIONS=<base64 of zlib of JSON> forecast-etl query

The JSON is MongoDB's extended one, relaxed:
`{"database": NAME, "questions": [{"kind", "collection", "body", "within"}]}`.
Kinds: `counts`; `find_one` (body: a query); `aggregate`, `explain` (body: a pipeline); `indexes`; `options`.
Each answer is a line, `{"question": N, "seconds": S, "answer": ...}`, or with `error` {"kind", "message"} in
the answer's place. A longer one comes in parts, `{"question": N, "part": 1, "of": 3, "zlib": "<base64>"}`: a
line of more than 16 KB may be broken on its way into a log. It only reads: a pipeline with `$out` or `$merge`
is refused. Exit codes: 0 all are answered (a refusal is an answer), 2 configuration, 4 MongoDB.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
import os
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bson import json_util
from bson.errors import BSONError
from pymongo.client_session import ClientSession
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import OperationFailure
from pymongo.read_concern import ReadConcern

from pipeline.config import MongoSettings, mongo_settings
from pipeline.connectivity import explain
from pipeline.errors import ConfigurationError, MongoError
from pipeline.gateways.mongo import connect, translated

VARIABLE = "QUESTIONS"
LINE = 8_000
"""Characters of one line at most, its frame left out."""
LARGEST = 4_000_000
"""Characters of one answer at most."""
_TIME_LIMIT = frozenset({50, 262})
_LOGIN = frozenset({13, 18, 8000})
_WRITES = frozenset({"$out", "$merge"})

Document = dict[str, Any]
Answer = Callable[[Document, Database[Document], ClientSession], Any]


def questions(environment: Mapping[str, str] = os.environ) -> tuple[str, list[Document]]:
    """The database's name and what is asked. ConfigurationError: the variable is not there, or broken."""
    text = environment.get(VARIABLE, "")
    try:
        asked = json_util.loads(
            zlib.decompress(base64.b64decode(text, validate=True)).decode(), json_options=_JSON
        )
        return str(asked["database"]), list(asked["questions"])
    except (binascii.Error, zlib.error, ValueError, KeyError, TypeError, BSONError) as error:
        raise ConfigurationError(
            f"{VARIABLE} holds no questions: {type(error).__name__}",
            "It is set by `deployer verify --via task`.",
        ) from error


def answered(settings: MongoSettings, asked: list[Document]) -> Iterator[str]:
    """The lines, question by question. MongoError: the database does not answer (or no longer does)."""
    client = connect(settings)
    try:
        with translated(), client.start_session(causal_consistency=True) as session:
            client.admin.command("ping", session=session)
            for number, question in enumerate(asked):
                begun = time.perf_counter()
                answer = _answered(question, client[settings.database], session)
                yield from _lines(number, {**answer, "seconds": round(time.perf_counter() - begun, 3)})
    finally:
        client.close()


def _answered(question: Document, database: Database[Document], session: ClientSession) -> Document:
    try:
        ask = _KINDS[question["kind"]]
        if _writes(question.get("body")):
            return _refusal("refused", "it only reads: no $out, no $merge")
        return {"answer": ask(question, database, session)}
    except KeyError as error:
        return _refusal("refused", f"no such kind of question, or a part of it is missing: {error}")
    except BSONError as error:
        return _refusal("refused", f"a value that MongoDB does not know: {error}")
    except OperationFailure as error:
        if error.code in _LOGIN:
            raise
        kind = "time-limit" if error.code in _TIME_LIMIT else "refused"
        return _refusal(kind, str(error).split(", full error:")[0].splitlines()[0])


def _refusal(kind: str, message: str) -> Document:
    return {"error": {"kind": kind, "message": message[:1000]}}


def _writes(value: Any) -> bool:
    if isinstance(value, dict):
        return bool(_WRITES & value.keys()) or any(map(_writes, value.values()))
    return isinstance(value, list) and any(map(_writes, value))


def _counts(_: Document, database: Database[Document], session: ClientSession) -> dict[str, int]:
    listed = database.list_collections(session=session, filter={"type": "collection"})
    names = sorted(str(entry["name"]) for entry in listed)
    wanted = [name for name in names if not name.startswith("system.")]
    return {name: database[name].estimated_document_count() for name in wanted}


def _find_one(question: Document, database: Database[Document], session: ClientSession) -> Any:
    return _of(question, database).find_one(question["body"], session=session, max_time_ms=_limit(question))


def _aggregate(question: Document, database: Database[Document], session: ClientSession) -> list[Any]:
    rows = _of(question, database).aggregate(question["body"], session=session, maxTimeMS=_limit(question))
    return list(rows)


def _explain(question: Document, database: Database[Document], session: ClientSession) -> list[str]:
    """The names of the stages of the plan that the database would follow."""
    aggregation = {"aggregate": question["collection"], "pipeline": question["body"], "cursor": {}}
    command = {"explain": aggregation, "verbosity": "queryPlanner"}
    return sorted(_stages(database.command(command, session=session)))


def _stages(plan: object) -> set[str]:
    if isinstance(plan, list):
        return {name for item in plan for name in _stages(item)}
    if not isinstance(plan, dict):
        return set()
    inner = {name for key, value in plan.items() if key != "rejectedPlans" for name in _stages(value)}
    return inner | ({plan["stage"]} if isinstance(plan.get("stage"), str) else set())


def _indexes(question: Document, database: Database[Document], session: ClientSession) -> list[Document]:
    return [dict(index) for index in _of(question, database).list_indexes(session=session)]


def _options(question: Document, database: Database[Document], session: ClientSession) -> Any:
    wanted = {"name": question["collection"]}
    found = list(database.list_collections(session=session, filter=wanted))
    return dict(found[0].get("options", {})) if found else None


_KINDS: dict[str, Answer] = {
    "counts": _counts,
    "find_one": _find_one,
    "aggregate": _aggregate,
    "explain": _explain,
    "indexes": _indexes,
    "options": _options,
}


def _of(question: Document, database: Database[Document]) -> Collection[Document]:
    return database.get_collection(question["collection"], read_concern=ReadConcern("majority"))


def _limit(question: Document) -> int:
    return math.ceil(float(question.get("within", 60)) * 1000)


_JSON = json_util.RELAXED_JSON_OPTIONS.with_options(tz_aware=True)


def _lines(number: int, answer: Document) -> Iterator[str]:
    text = json_util.dumps({"question": number, **answer}, json_options=_JSON)
    if len(text) > LARGEST:
        refusal = _refusal("refused", f"the answer has {len(text):,} characters; ask for fewer rows")
        text = json_util.dumps(
            {"question": number, **refusal, "seconds": answer["seconds"]}, json_options=_JSON
        )
    if len(text) <= LINE:
        yield text
        return
    packed = base64.b64encode(zlib.compress(text.encode(), 9)).decode()
    parts = [packed[start : start + LINE] for start in range(0, len(packed), LINE)]
    for part, piece in enumerate(parts, start=1):
        yield json.dumps({"question": number, "part": part, "of": len(parts), "zlib": piece})


def main() -> None:
    """All questions of the environment, to stdout."""
    database, asked = questions()
    settings = MongoSettings(mongo_settings().uri, database)
    try:
        for line in answered(settings, asked):
            print(line, flush=True)
    except MongoError as error:
        raise explain(settings, error) from error
