"""Settings from the environment."""

from __future__ import annotations

from datetime import timedelta

import pytest

from pipeline.config import duration, settings_from
from pipeline.errors import ConfigurationError
from pipeline.words import printable

LOCAL = {"MONGO_HOST": "mongo1", "MONGO_REPLICA_SET": "rs0"}


def test_a_uri_is_used_as_it_is() -> None:
    """MONGO_URI wins over the parts."""
    uri = "mongodb+srv://cluster.example.net/?w=majority"
    assert settings_from({**LOCAL, "MONGO_URI": uri}).mongo.uri == uri


def test_a_uri_is_made_of_the_parts() -> None:
    """Host, port, replica set, user and password with characters that a URI must escape."""
    parts = {**LOCAL, "MONGO_USER": "etl", "MONGO_PASSWORD": "p@ss/word"}
    settings = settings_from(parts)
    assert settings.mongo.uri == "mongodb://etl:p%40ss%2Fword@mongo1:27017/?replicaSet=rs0&authSource=admin"
    assert settings.mongo.database == "greenandcoop_weather"
    several = settings_from({"MONGO_HOST": "mongo1,mongo2:27018", "MONGO_PORT": "27020"})
    assert several.mongo.uri == "mongodb://mongo1:27020,mongo2:27018/"


def test_a_password_never_shows() -> None:
    """The repr of settings, which may end in a log, does not hold the URI."""
    assert "word" not in repr(settings_from({**LOCAL, "MONGO_USER": "etl", "MONGO_PASSWORD": "p@ssword"}))


def test_the_source_is_the_bucket_or_the_folder() -> None:
    """A bucket with its prefix where there is one, else the folder; an argument wins over both."""
    assert settings_from(LOCAL).source == "data/downloaded"
    bucket = {**LOCAL, "S3_BUCKET_NAME": "raw", "S3_PREFIX": "/weather/"}
    assert settings_from(bucket).source == "s3://raw/weather/"
    assert settings_from(bucket, source="elsewhere").source == "elsewhere"
    assert settings_from({**LOCAL, "S3_BUCKET_NAME": "  "}).source == "data/downloaded"


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "MONGO_URI"),
        ({"MONGO_URI": "http://x"}, "MONGO_URI"),
        ({**LOCAL, "MONGO_PORT": "many"}, "MONGO_PORT"),
        ({**LOCAL, "MONGO_USER": "etl"}, "MONGO_PASSWORD"),
        ({**LOCAL, "S3_TIMEOUT_S": "soon"}, "S3_TIMEOUT_S"),
        ({**LOCAL, "S3_TIMEOUT_S": "0"}, "S3_TIMEOUT_S"),
        ({**LOCAL, "S3_TIMEOUT_S": "nan"}, "S3_TIMEOUT_S"),
    ],
)
def test_a_mistake_names_its_variable(environment: dict[str, str], named: str) -> None:
    """Configuration errors say which variable, and exit with 2."""
    with pytest.raises(ConfigurationError, match=named) as failure:
        settings_from(environment)
    assert failure.value.exit_code == 2
    assert failure.value.hint


def test_patterns_to_leave_out_come_from_the_environment() -> None:
    """Separated by commas; none where it is not set."""
    base = {"MONGO_URI": "mongodb://m/"}
    assert settings_from({**base, "EXCLUDE": "*.zip, old/* ,"}).exclude == ("*.zip", "old/*")
    assert settings_from(base).exclude == ()


@pytest.mark.parametrize(("text", "hours"), [("90d", 2160), ("12h", 12), ("30m", 0.5), ("0", 0), ("0d", 0)])
def test_a_duration_has_a_unit(text: str, hours: float) -> None:
    """Days, hours, minutes, or nothing at all."""
    assert duration(text, "--keep-history") == timedelta(hours=hours)


@pytest.mark.parametrize("text", ["", "90", "3w", "-1d", "1.5d", "soon"])
def test_a_duration_that_is_none_is_named(text: str) -> None:
    """The option and what to write."""
    with pytest.raises(ConfigurationError, match="--keep-history is"):
        duration(text, "--keep-history")


def test_words_of_others_drive_no_terminal() -> None:
    """Control bytes and line ends become visible; letters of any script stay."""
    assert printable("Lille\x1b[2J\n\x9b é 气") == "Lille\\x1b[2J\\x0a\\x9b é 气"
