"""No secret is shown or written, whichever way it comes in."""

import json
import time
import timeit
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from deployer.events import Logged
from deployer.redaction import Redactor, parts_of, secrets_of, without_secrets

PASSWORD = "corr3ct-horse"


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (
            f"mongodb+srv://etl:{PASSWORD}@cluster.example.net/db",
            "mongodb+srv://etl:***@cluster.example.net/db",
        ),
        (
            f"cannot log in to https://AWS:{PASSWORD}@registry.test/v2/",
            "cannot log in to https://AWS:***@registry.test/v2/",
        ),
        ("key " + "AKIA" + "ABCDEFGHIJKLMNOP" + " is old", "key *** is old"),
        (f'{{"password": "{PASSWORD}", "user": "etl"}}', '{"password": "***", "user": "etl"}'),
        (f"aws_secret_access_key={PASSWORD}", "aws_secret_access_key=***"),
        (f"Authorization: Bearer {PASSWORD}", "Authorization: Bearer ***"),
        (f"'authorization': 'token {PASSWORD}'", "'authorization': 'token ***'"),
        (f"MONGO_PASSWORD={PASSWORD} MONGO_HOST=db", "MONGO_PASSWORD=*** MONGO_HOST=db"),
        (f"refresh_token: {PASSWORD}", "refresh_token: ***"),
        ("remote: " + "ghp" + "_" + "a1" * 10, "remote: ***"),
        ("the session token has expired", "the session token has expired"),
        ("mongodb://host:27017/?replicaSet=rs0", "mongodb://host:27017/?replicaSet=rs0"),
        ("password: see the vault", "password: *** the vault"),
    ],
)
def test_secrets_are_known_by_their_looks(text: str, kept: str) -> None:
    """Passwords in addresses, keys and tokens go; what stands around them stays."""
    assert Redactor().text(text) == kept


def test_known_values_are_hidden_wherever_they_stand() -> None:
    """The database's password is hidden also where nothing around it tells what it is."""
    redactor = Redactor(secrets_of(f"mongodb://etl:p%40ss-{PASSWORD}@h/", {}))
    assert redactor.text(f"tried p@ss-{PASSWORD} and p%40ss-{PASSWORD}") == "tried *** and ***"


def test_every_string_in_a_value_is_cleaned() -> None:
    """Nested data and events are cleaned all through, and keep their types."""
    redactor = Redactor([PASSWORD])
    value = {"a": [f"x {PASSWORD}", 1, None], "b": (PASSWORD,)}
    assert redactor.clean(value) == {"a": ["x ***", 1, None], "b": ("***",)}
    assert redactor.clean(Logged("task", PASSWORD, 1.0)) == Logged("task", "***", 1.0)


def test_short_values_are_not_hunted() -> None:
    """A key such as `test` would blank out half of every sentence; the embedded AWS has such keys."""
    assert Redactor(["test"]).text("run the test") == "run the test"


@pytest.mark.parametrize("around", ["", "u:", "mongodb://etl:", "xyz"])
@pytest.mark.parametrize("encode", [b64encode, urlsafe_b64encode])
def test_base64_hides_nothing(around: str, encode: Callable[[bytes], bytes]) -> None:
    """A known value is found in base64 as well, wherever it stands in what was encoded."""
    said = encode(f"{around}{ODD}@h/".encode()).decode()
    cleaned = Redactor([ODD]).text(f"header {said} end")
    assert said not in cleaned
    assert cleaned.startswith("header ")
    assert cleaned.endswith(" end")


ODD = 'p"a/s s+w?rd-\u00e9t\u00e9'


@pytest.mark.parametrize(
    "said", [ODD, quote(ODD), quote(ODD, safe=""), json.dumps({"x": ODD}), json.dumps(ODD)]
)
def test_a_known_value_is_found_however_it_is_spelled(said: str) -> None:
    """In an address, in JSON, and plain."""
    assert "w?rd" not in Redactor([ODD]).text(said)
    assert "w%3Frd" not in Redactor([ODD]).text(said)


def test_a_secret_s_value_is_taken_apart() -> None:
    """Of an address the password, of a JSON object every text that is not said openly elsewhere, of a key
    every line."""
    assert set(parts_of("mongodb://etl:p%40ssword@h/db")) == {"p%40ssword", "p@ssword"}
    held = {
        "username": "forecast-etl",
        "password": PASSWORD,
        "url": "mongodb://etl:nested-1@h/",
        "port": 27017,
    }
    assert set(parts_of(json.dumps(held), {"forecast-etl"})) == {PASSWORD, "nested-1", "27017"}
    assert {"first line", "second line"} < set(parts_of("first line\nsecond line"))
    assert set(parts_of("greenandcoop", {"greenandcoop"})) == set()


WORD = "tr0ub4dor-x9"
SPOKEN = (
    f"mongodb://etl:{WORD}/with@slash@db.test/x",
    f"redis://:{WORD}@cache.test:6379/0",
    f"postgres://u:p@{WORD}@h/db?x=1",
    f"jdbc:mysql://root:{WORD}@db/x https://ok.test/",
    f"https://{WORD}{WORD}@o1.ingest.test/42",
    f"https://hooks.slack.com/services/T000/B000/{WORD}",
    f"https://discord.com/api/webhooks/1234/{WORD}",
    f"https://a.blob.core.windows.net/c?sv=1&sig={WORD}",
    f"https://b.s3.amazonaws.com/k?X-Amz-Signature={WORD}&x=1",
    f"https://b.s3.amazonaws.com/k?X-Amz-Security-Token={WORD}",
    f"https://api.test/v1?access_token={WORD}",
    f"DB_PASSWORD='{WORD} and more words'",
    f'db_password = "{WORD} and more words"',
    f"client_secret={WORD}",
    f"PWD={WORD}",
    f"passphrase: {WORD}",
    f"private-key: {WORD}",
    f"AccountKey={WORD};EndpointSuffix=core",
    f'{{"outer": {{"api_key": "{WORD}"}}}}',
    json.dumps({"message": json.dumps({"password": WORD})}),
    json.dumps({"a": json.dumps({"b": json.dumps({"password": WORD})})}),
    f"password%3D{WORD}",
    f"password\\u003d{WORD}",
    f"pass\x1b[1mword\x1b[0m={WORD}",
    f"Authorization: Basic {WORD}{WORD}",
    f"{{'authorization': 'apikey {WORD}'}}",
    f"Bearer {WORD}{WORD}",
    f"mongosh --password {WORD} --host db",
    f"-----BEGIN RSA PRIVATE KEY-----\n{WORD.replace('-', '')}\n-----END RSA PRIVATE KEY-----",
    f"{{'credentials': '{WORD}'}}",
    f"password => {WORD}",
)


@pytest.mark.parametrize("text", SPOKEN)
def test_a_secret_that_nobody_knows_is_hidden_by_its_surroundings(text: str) -> None:
    """Addresses, query strings, dotenv, JSON in JSON, headers, options: thirty ways to print one."""
    cleaned = Redactor().text(text)
    assert WORD not in cleaned
    assert WORD.replace("-", "") not in cleaned
    assert "***" in cleaned
    assert Redactor().text(cleaned) == cleaned


@pytest.mark.parametrize(
    "text",
    [
        "unexpected token: }",
        "https://registry.test:5000/team/image@sha256:abc",
        "image registry.test/job@sha256:0123 pushed",
        "s3://bucket/key with a@b.example",
        "key: station_id, value: 7",
        "the password has expired",
        "signal 9; design: ok; tokens: 12",
    ],
)
def test_healthy_text_is_left_alone(text: str) -> None:
    """What only resembles a secret can be read."""
    assert Redactor().text(text) == text


def test_data_is_cleaned_by_the_names_of_its_fields() -> None:
    """A value under a secret's name is hidden, also as an entry of a container's environment."""
    data = {
        "password": "x1",
        "environment": [{"name": "DB_PASSWORD", "value": "x2"}, {"name": "HOST", "value": "db"}],
        "token": "kept",
        "api_key": "${API_KEY}",
    }
    cleaned = Redactor().clean(data)
    assert cleaned["password"] == "***"
    assert [entry["value"] for entry in cleaned["environment"]] == ["***", "db"]
    assert (cleaned["token"], cleaned["api_key"]) == ("kept", "${API_KEY}")


SLOW = (
    "a", "a://", "://", "a:b@", "a.b", "-eyJ", "eyJaaaaaaaaaa.", "password=", 'password="', "password ",
    "ghp_", "AKIA", "bearer ", "authorization: ", "\x1b[", "\x1b]", "\\", "token=", "sig=",
    "hooks.slack.com/services/", "-----BEGIN PRIVATE KEY-----", "http://u:p", " ", "@", "key", "--password ",
)  # fmt: skip


@pytest.mark.parametrize("piece", SLOW)
def test_a_long_line_of_the_worst_kind_takes_linear_time(piece: str) -> None:
    """Four times the text takes about four times as long, not sixteen; ratios, not seconds."""
    redactor = Redactor([WORD])

    def seconds(size: int) -> float:
        text = piece * (size // len(piece)) + " password token key sig eyj gh private key ://"
        return min(timeit.repeat(lambda: redactor.text(text), timer=time.process_time, number=1, repeat=4))

    short, long = seconds(32_768), seconds(131_072)
    assert long < 9 * short + 0.02


SECRETS_OF_THE_OPERATOR = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_PROFILE": "production", "AWS_SESSION_TOKEN": "x" * 20,
    "ATLAS_PUBLIC_KEY": "abcdefgh", "MONGO_URI": "mongodb+srv://cluster.test", "MONGODB_URI": "mongodb://h",
    "DATABASE_URL": "postgres://h/db", "GITHUB_TOKEN": "none", "CI_JOB_JWT": "none", "NPM_TOKEN": "none",
    "MY_API_KEY": "none", "APIKEY": "none", "DB_PASSWORD": "none", "PGPASSFILE_SECRET": "none",
    "SENTRY_DSN": "none", "GOOGLE_APPLICATION_CREDENTIALS": "/key.json", "SLACK_WEBHOOK": "none",
    "PIP_INDEX_URL": "https://user:hunter22@packages.test/simple", "mongo_uri": "mongodb://h",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://ci.test",
}  # fmt: skip
PLAIN = {
    "PATH": "/bin", "HOME": "/root", "PWD": "/root", "LANG": "C.UTF-8", "AWS_REGION": "eu-west-3",
    "DOCKER_HOST": "tcp://127.0.0.1:2375", "SSH_AUTH_SOCK": "/tmp/agent", "CI": "true",
    "HTTPS_PROXY": "http://user:hunter22@proxy.test:3128", "MONGO_IMAGE": "mongo:8.0", "PYTHONPATH": "src",
    "KEYBOARD": "fr", "TOKENIZERS_PARALLELISM": "false", "COMPASS": "north",
}  # fmt: skip


def test_a_child_does_not_inherit_credentials() -> None:
    """What is a secret by its name or value stays behind; everything else, and what is allowed, is kept."""
    environ = {**PLAIN, **SECRETS_OF_THE_OPERATOR}
    assert without_secrets(environ) == PLAIN
    allowed = without_secrets(environ, ("PIP_*", "DB_PASSWORD"))
    assert allowed.keys() - PLAIN.keys() == {"PIP_INDEX_URL", "DB_PASSWORD"}
