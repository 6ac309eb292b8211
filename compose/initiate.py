"""Initiates the replica set rs0 and creates the ETL's user; running it again changes nothing.

Runs in mongo1's network namespace, because MongoDB lets nobody but localhost in while it has no user (the
localhost exception: https://www.mongodb.com/docs/manual/core/localhost-exception/). A failure gives one line,
the reason, and exit code 1.
"""

import os
import sys
import time
from typing import Any

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

UNAUTHORIZED, AUTHENTICATION_FAILED, ALREADY_INITIALIZED = 13, 18, 23  # codes of the MongoDB server
TIME_LIMIT = 60.0  # seconds
ROLES = ["readWriteAnyDatabase", "dbAdminAnyDatabase"]  # roles on one database are not localhost's to give

# The short times elect a primary within about a second of initiation; they suit one machine, not a network.
REPLICA_SET = {
    "_id": "rs0",
    "members": [
        {"_id": 0, "host": "mongo1:27017", "priority": 2},
        {"_id": 1, "host": "mongo2:27017", "priority": 1},
        {"_id": 2, "host": "mongo-arbiter:27017", "arbiterOnly": True},
    ],
    "settings": {"electionTimeoutMillis": 1000, "heartbeatIntervalMillis": 500},
}

Client = MongoClient[dict[str, Any]]


def connect(user: str | None = None, password: str | None = None) -> Client:
    """Connects to mongo1 itself, whatever its state in the set."""
    return MongoClient(
        "localhost", directConnection=True, serverSelectionTimeoutMS=30_000, username=user, password=password
    )


def is_initiated(user: str, password: str) -> bool:
    """Says whether an earlier run has come to its end: the user, made last, can log in."""
    try:
        connect(user, password).admin.command("ping")
    except OperationFailure as error:
        if error.code != AUTHENTICATION_FAILED:
            raise
        return False
    return True


def initiate(client: Client) -> None:
    try:
        client.admin.command("replSetInitiate", REPLICA_SET)
    except OperationFailure as error:
        if error.code == UNAUTHORIZED:
            sys.exit("The data has another MONGO_PASSWORD; 'docker compose down --volumes' removes it")
        if error.code != ALREADY_INITIALIZED:
            raise


def wait_for_primary(client: Client) -> None:
    deadline = time.monotonic() + TIME_LIMIT
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            sys.exit(f"mongo1 has not become primary within {TIME_LIMIT:.0f} s")
        time.sleep(0.1)


def main() -> None:
    user, password = os.environ["MONGO_USER"], os.environ["MONGO_PASSWORD"]
    client = connect()
    repeated = is_initiated(user, password)
    if not repeated:
        initiate(client)
    wait_for_primary(client)
    if not repeated:
        client.admin.command("createUser", user, pwd=password, roles=ROLES)
    print(f"rs0 is ready for user {user}")


if __name__ == "__main__":
    try:
        main()
    except PyMongoError as error:
        sys.exit(f"The replica set could not be initiated: {error}")
