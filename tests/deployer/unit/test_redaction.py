"""No secret is shown or written, whichever way it comes in."""

import pytest

from deployer.events import Logged
from deployer.redaction import Redactor, secrets_of

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
