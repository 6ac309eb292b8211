"""No secret is shown or written, whichever way it comes in."""

import json
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest

from deployer.events import Logged
from deployer.redaction import Redactor, parts_of, secrets_of

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
