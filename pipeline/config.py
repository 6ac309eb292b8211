"""Settings from the environment, checked at once; nothing else of the package reads the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import quote_plus

from pipeline.errors import ConfigurationError

DEFAULT_DATABASE = "greenandcoop_weather"
DEFAULT_FOLDER = "data/downloaded"
DEFAULT_S3_TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class MongoSettings:
    """Where the documents go. The URI may hold a password, so it never shows in a repr."""

    uri: str = field(repr=False)
    database: str = DEFAULT_DATABASE


@dataclass(frozen=True, slots=True)
class Settings:
    mongo: MongoSettings
    source: str
    region: str | None = None
    run_id: str | None = None
    s3_timeout_s: float = DEFAULT_S3_TIMEOUT_S
    """How long S3 may send nothing before a read counts as failed."""
    exclude: tuple[str, ...] = ()
    """Patterns of names or keys that no run reads."""
    stations: str | None = None
    networks: str | None = None
    """Path or s3:// address of the files to use instead of the package's."""
    stations_text: str | None = field(default=None, repr=False)
    networks_text: str | None = field(default=None, repr=False)
    """What these files hold, once they are read."""


def settings_from(environment: Mapping[str, str] = os.environ, source: str | None = None) -> Settings:
    """Read MONGO_*, S3_*, AWS_REGION, EXCLUDE, STATIONS, NETWORKS and RUN_ID; empty ones count as unset.

    Raises ConfigurationError naming the variable that is missing or wrong.
    """
    values = {name: value.strip() for name, value in environment.items() if value.strip()}
    return Settings(
        mongo=mongo_settings(values),
        source=source or _source(values),
        region=values.get("AWS_REGION") or values.get("AWS_DEFAULT_REGION"),
        run_id=values.get("RUN_ID"),
        s3_timeout_s=_s3_timeout(values),
        stations=values.get("STATIONS"),
        networks=values.get("NETWORKS"),
        exclude=tuple(part.strip() for part in values.get("EXCLUDE", "").split(",") if part.strip()),
    )


def mongo_settings(environment: Mapping[str, str] = os.environ) -> MongoSettings:
    """MONGO_URI as it is, or made of MONGO_HOST, _PORT, _REPLICA_SET, _USER, _PASSWORD and _AUTH_SOURCE."""
    values = {name: value.strip() for name, value in environment.items() if value.strip()}
    database = values.get("MONGO_DB_NAME", DEFAULT_DATABASE)
    uri = values.get("MONGO_URI") or _uri_from_parts(values)
    if not uri.startswith(("mongodb://", "mongodb+srv://")):
        raise ConfigurationError(
            "MONGO_URI does not begin with mongodb:// or mongodb+srv://",
            "Set it to a MongoDB connection string.",
        )
    return MongoSettings(uri=uri, database=database)


def _uri_from_parts(values: Mapping[str, str]) -> str:
    hosts = values.get("MONGO_HOST")
    if not hosts:
        raise ConfigurationError(
            "no MongoDB is configured: neither MONGO_URI nor MONGO_HOST is set",
            "Set MONGO_URI, or MONGO_HOST and MONGO_REPLICA_SET.",
        )
    port = values.get("MONGO_PORT", "27017")
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise ConfigurationError(f"MONGO_PORT is {port!r}", "Set it to a number from 1 to 65535.")
    places = ",".join(host.strip() if ":" in host else f"{host.strip()}:{port}" for host in hosts.split(","))
    options = []
    if name := values.get("MONGO_REPLICA_SET"):
        options.append(f"replicaSet={quote_plus(name)}")
    login = ""
    if user := values.get("MONGO_USER"):
        if "MONGO_PASSWORD" not in values:
            raise ConfigurationError("MONGO_USER is set and MONGO_PASSWORD is not", "Set both, or neither.")
        login = f"{quote_plus(user)}:{quote_plus(values['MONGO_PASSWORD'])}@"
        options.append(f"authSource={quote_plus(values.get('MONGO_AUTH_SOURCE', 'admin'))}")
    return f"mongodb://{login}{places}/" + ("?" + "&".join(options) if options else "")


def _s3_timeout(values: Mapping[str, str]) -> float:
    text = values.get("S3_TIMEOUT_S", f"{DEFAULT_S3_TIMEOUT_S}")
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds <= 3600:
        raise ConfigurationError(f"S3_TIMEOUT_S is {text!r}", "Set it to seconds, above 0 and at most 3600.")
    return seconds


def duration(text: str, option: str) -> timedelta:
    """`90d`, `12h`, `30m` or `0`. Raises ConfigurationError naming the option."""
    found = re.fullmatch(r"(\d{1,6})([dhm]?)", text.strip())
    if not found or (not found[2] and int(found[1])):
        raise ConfigurationError(f"{option} is {text!r}", "Write a duration such as 90d, 12h or 0.")
    unit = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1), "": timedelta(0)}
    return int(found[1]) * unit[found[2]]


def _source(values: Mapping[str, str]) -> str:
    bucket = values.get("S3_BUCKET_NAME")
    return f"s3://{bucket}/{values.get('S3_PREFIX', '').lstrip('/')}" if bucket else DEFAULT_FOLDER
