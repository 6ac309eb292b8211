"""`forecast-etl query`: answers about a real database, and nothing but reading."""

from __future__ import annotations

import base64
import json
import zlib
from datetime import UTC, datetime
from typing import Any

import pytest
from bson import json_util
from pymongo import MongoClient

from pipeline.config import MongoSettings
from pipeline.query import LINE
from tests.pipeline.process import Ended, etl

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
AWARE = json_util.CANONICAL_JSON_OPTIONS.with_options(tz_aware=True)


@pytest.fixture
def weather(mongo: MongoSettings) -> MongoSettings:
    with MongoClient[dict[str, Any]](mongo.uri) as client:
        readings = client[mongo.database]["readings"]
        readings.create_index([("at", 1)])
        readings.insert_many([{"_id": n, "at": NOON, "text": f"{n * n:0200}"} for n in range(300)])
    return mongo


def asked(mongo: MongoSettings, *questions: dict[str, Any]) -> Ended:
    text = json_util.dumps({"database": mongo.database, "questions": questions})
    packed = base64.b64encode(zlib.compress(text.encode())).decode()
    return etl(MongoSettings(mongo.uri, "another"), "query", QUESTIONS=packed)


def answers(ended: Ended) -> list[dict[str, Any]]:
    """Whole lines; those in parts are tested apart."""
    assert ended.code == 0, ended.err
    return [json_util.loads(line, json_options=AWARE) for line in ended.out.splitlines()]


def test_each_kind_of_question_is_answered(weather: MongoSettings) -> None:
    """In order, with times as MongoDB has them, from the database that the question names."""
    given = answers(
        asked(
            weather,
            {"kind": "counts"},
            {"kind": "find_one", "collection": "readings", "body": {"_id": 0}},
            {"kind": "find_one", "collection": "readings", "body": {"_id": -1}},
            {
                "kind": "aggregate",
                "collection": "readings",
                "body": [{"$match": {"at": {"$gte": NOON}}}, {"$count": "n"}],
            },
            {"kind": "explain", "collection": "readings", "body": [{"$match": {"text": "x"}}]},
            {"kind": "explain", "collection": "readings", "body": [{"$match": {"at": NOON}}]},
            {"kind": "indexes", "collection": "readings"},
            {"kind": "options", "collection": "readings"},
            {"kind": "options", "collection": "nowhere"},
        )
    )
    found = [answer["answer"] for answer in given]
    assert [answer["question"] for answer in given] == list(range(9))
    assert all(answer["seconds"] >= 0 for answer in given)
    assert found[0] == {"readings": 300}
    assert found[1]["at"] == NOON
    assert found[2] is None
    assert found[3] == [{"n": 300}]
    assert "COLLSCAN" in found[4]
    assert "COLLSCAN" not in found[5]
    assert [index["name"] for index in found[6]] == ["_id_", "at_1"]
    assert found[7:] == [{}, None]


@pytest.mark.parametrize(
    ("question", "kind", "says"),
    [
        ({"kind": "aggregate", "body": [{"$out": "other"}]}, "refused", "only reads"),
        ({"kind": "aggregate", "body": [{"$facet": {"a": [{"$merge": "b"}]}}]}, "refused", "only reads"),
        ({"kind": "explain", "body": [{"$oops": 1}]}, "refused", "oops"),
        ({"kind": "drop", "body": {}}, "refused", "no such kind"),
        ({"kind": "aggregate"}, "refused", "missing"),
        (
            {
                "kind": "aggregate",
                "within": 0.05,
                "body": [
                    *[{"$lookup": {"from": "readings", "pipeline": [], "as": "a"}}, {"$unwind": "$a"}] * 3,
                    {"$count": "n"},
                ],
            },
            "time-limit",
            "time",
        ),
    ],
)
def test_what_cannot_be_answered_is_an_answer(
    weather: MongoSettings, question: dict[str, Any], kind: str, says: str
) -> None:
    """A refusal says why, the questions after it are answered, and nothing was written."""
    refused, after = answers(asked(weather, {"collection": "readings", **question}, {"kind": "counts"}))
    assert refused["error"]["kind"] == kind
    assert says in refused["error"]["message"]
    assert after["answer"] == {"readings": 300}


def test_a_long_answer_comes_in_parts(weather: MongoSettings) -> None:
    """No line is longer than a log takes in one piece, and the parts are the whole."""
    question = {"kind": "aggregate", "collection": "readings", "body": [{"$sort": {"_id": 1}}]}
    lines = asked(weather, question).out.splitlines()
    parts = [json.loads(line) for line in lines]
    assert max(map(len, lines)) < LINE + 200
    assert [part["part"] for part in parts] == list(range(1, parts[0]["of"] + 1))
    text = zlib.decompress(base64.b64decode("".join(part["zlib"] for part in parts))).decode()
    assert len(json_util.loads(text)["answer"]) == 300


def test_an_answer_that_is_too_long_is_refused(weather: MongoSettings) -> None:
    """More than a log should hold is not printed; the refusal says what to do."""
    grow: list[dict[str, Any]] = [{"$project": {"all": {"$range": [0, 5000]}}}]
    (given,) = answers(asked(weather, {"kind": "aggregate", "collection": "readings", "body": grow}))
    assert "fewer rows" in given["error"]["message"]


@pytest.mark.parametrize("text", ["", "no base64!", base64.b64encode(b"not zlib").decode()])
def test_without_questions_it_says_so(weather: MongoSettings, text: str) -> None:
    """Exit 2 with a message, never a traceback."""
    ended = etl(weather, "query", QUESTIONS=text)
    assert ended.code == 2
    assert "QUESTIONS" in ended.err
    assert "Traceback" not in ended.err


def test_a_database_that_is_not_there_is_exit_4() -> None:
    """MongoDB cannot be asked: that is no answer."""
    nowhere = MongoSettings("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500", "weather")
    ended = asked(nowhere, {"kind": "counts"})
    assert (ended.code, ended.out) == (4, "")
    assert "Traceback" not in ended.err


def test_connectivity_is_checked_by_the_job_s_own_command(mongo: MongoSettings) -> None:
    """`forecast-etl connectivity` is the same check: an image's entry point can be given it as a command."""
    ended = etl(mongo, "connectivity", "--output", "json")
    assert ended.code == 0
    assert ended.report["ok"] is True
    nowhere = MongoSettings("mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=500", "weather")
    refused = etl(nowhere, "connectivity", "--output", "json")
    assert (refused.code, refused.report["failed"]) == (4, "tcp")
