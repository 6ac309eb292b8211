"""A job that prints every secret that it is given, in every spelling, and fails: nobody gets to see one."""

import json
import secrets
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.e2e.command import Ran
from tests.e2e.outside import Outside
from tests.e2e.projects import Project

PRINTS = """
import base64, hashlib, json, sys
from urllib.parse import quote, unquote
uri, token, key = os.environ["MONGO_URI"], os.environ["API_TOKEN"], os.environ["SIGNING_KEY"]
coded = uri.partition("@")[0].rpartition(":")[2]
password = unquote(coded)
seen = lambda word: hashlib.sha256((run + word).encode()).hexdigest()
print("connecting to", uri)
print(password)
print(f"tried {coded} and {quote(password, safe='')}", file=sys.stderr)
print(*(base64.b64encode(said.encode()).decode() for said in (f"etl:{password}", uri)))
print(json.dumps({"level": "debug", "uri": uri, "token": token, "words": password}))
print(f"token {token}")
print(key)
print(f"AWS_ACCESS_KEY_ID=AKIA{seen('id')[:16].upper()} aws_secret_access_key = {seen('key')}")
print(f"Authorization: Bearer {seen('bearer')}")
print(f"MONGO_PASSWORD={seen('other')}")
sys.exit(f"RuntimeError: cannot use {uri} with {token} and password={seen('other')}")
"""
SEEN = ("id", "key", "bearer", "other")
"""What the job makes up of its run: a redactor has to know these by their looks."""


def needles(password: str, token: str, key: str, release: str) -> set[str]:
    """Every spelling that the job prints."""
    made_up = {word: sha256(f"{release}{word}".encode()).hexdigest() for word in SEEN}
    encoded = b64encode(f"etl:{password}".encode()).decode()
    return {
        *(password, quote(password, safe=""), json.dumps(password)[1:-1], token, encoded, encoded[8:-4]),
        *key.splitlines()[1:-1],
        *(made_up["key"], made_up["bearer"], made_up["other"], made_up["id"][:16].upper()),
    }


@pytest.fixture
def told(job: Project, outside: Outside) -> tuple[str, str, str]:
    """The job's secrets, made for this run alone, and a state bucket to be mirrored to."""
    password, token = (
        f'{secrets.token_urlsafe(9)}/p@ss"+é{secrets.token_urlsafe(6)}',
        secrets.token_urlsafe(24),
    )
    key = "\n".join(
        ("-----BEGIN KEY-----", secrets.token_hex(32), secrets.token_hex(32), "-----END KEY-----")
    )
    uri = outside.facts["SANDBOX_MONGO_URI"]
    vault = outside.aws("secretsmanager")
    vault.put_secret_value(
        SecretId=job.name, SecretString=f"mongodb://etl:{quote(password, safe='')}@{uri.rpartition('@')[2]}"
    )
    held = vault.create_secret(
        Name=f"{job.name}-more", SecretString=json.dumps({"token": token, "signing": key, "user": "job"})
    )
    names = {"API_TOKEN": "token", "SIGNING_KEY": "signing"}
    more = "".join(
        f', {{"name": "{name}", "valueFrom": "{held["ARN"]}:{field}::"}}' for name, field in names.items()
    )
    job.edit("task-definition.json", '"${MONGO_URI_SECRET_ARN}"}', f'"${{MONGO_URI_SECRET_ARN}}"}}{more}')
    job.edit("deploy.toml", "[env.aws.aws]", '[state]\nbucket = "${SANDBOX_STATE_BUCKET}"\n\n[env.aws.aws]')
    job.edit("job.py", 'print(f"run {run} begins", flush=True)', f'print(f"run {{run}} begins")\n{PRINTS}')
    return password, token, key


def test_no_secret_is_found_anywhere(
    job: Project, outside: Outside, told: tuple[str, str, str], tmp_path: Path
) -> None:
    """Everything that the release writes, mirrors, prints and shows later is searched for every spelling."""
    ran = job.release("--start-at", "build")
    assert ran.ended["end"] == "PAUSED", ran.said()
    page, release = tmp_path / "page.html", ran.release
    printed = {
        "release --output json": ran,
        "release --output plain": job.deployer("resume", "--output", "plain"),
        **{" ".join(words): job.deployer(*words) for words in looking(release, page)},
    }
    places = {name: (shown.stdout + shown.stderr).encode() for name, shown in printed.items()}
    places |= {str(path): path.read_bytes() for path in files(job.folder / ".deployer")}
    places |= {"page": page.read_bytes(), **mirrored(outside, release)}
    assert any(b"run_id" in text or b"begins" in text for text in places.values())
    assert {"mirror", "task-1.jsonl"} <= {part for name in places for part in name.split("/")}
    wanted = needles(*told, release)
    assert [word for word in wanted if word not in raw(outside, job, release)] == []
    found = [(name, word) for name, text in places.items() for word in wanted if word.encode() in text]
    assert found == []
    assert_useful(printed["logs"])


def looking(release: str, page: Path) -> list[tuple[str, ...]]:
    """What somebody types afterwards."""
    return [
        ("logs",),
        ("logs", "--output", "json"),
        *(("explain", release, "--output", form) for form in ("human", "json", "markdown")),
        ("show", release),
        ("show", release, "--output", "json"),
        ("show", release, "--html", str(page)),
        ("verify",),
        ("verify", "--output", "json"),
        ("doctor",),
    ]


def raw(outside: Outside, job: Project, release: str) -> str:
    """The log as CloudWatch has it."""
    group = outside.facts["SANDBOX_LOG_GROUP"]
    stream = f"ecs/job/{outside.tasks(release)[0]['taskArn'].rpartition('/')[2]}"
    events = outside.aws("logs").get_log_events(logGroupName=group, logStreamName=stream, startFromHead=True)
    return "\n".join(event["message"] for event in events["events"])


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def mirrored(outside: Outside, release: str) -> dict[str, bytes]:
    """What the state bucket holds of the release, by its name there."""
    s3, bucket = outside.aws("s3"), outside.facts["SANDBOX_STATE_BUCKET"]
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [entry["Key"] for page in pages for entry in page.get("Contents", ()) if release in entry["Key"]]
    return {f"mirror/{key}": s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def assert_useful(logs: Ran) -> None:
    """What is no secret is still there to be read."""
    assert "connecting to mongodb://etl:***@" in logs.stdout, logs.said()
    assert "RuntimeError: cannot use mongodb://etl:***@" in logs.stdout
