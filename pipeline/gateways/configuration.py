"""The text of a configuration file, from a path or from S3."""

from __future__ import annotations

import time
from pathlib import Path

from pipeline.errors import ConfigurationError, SourceError

_LIMIT = 8 * 2**20


def read_configuration(variable: str, where: str, region: str | None, timeout_s: float) -> str:
    """The file that an environment variable names. Raises ConfigurationError naming both."""
    try:
        content = _from_s3(where, region, timeout_s) if where.startswith("s3://") else _from_path(where)
        if len(content) > _LIMIT:
            raise ConfigurationError(f"{variable}: {where} has more than {_LIMIT // 2**20} MB")
        return content.decode("utf-8-sig")
    except OSError as error:
        raise ConfigurationError(f"{variable}: {where}: {error.strerror}", _HINT) from error
    except SourceError as error:
        raise ConfigurationError(f"{variable}: {where}: {error.message}", error.hint or _HINT) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{variable}: {where} is not UTF-8: {error.reason}", _HINT) from error


_HINT = "Give the path of a TOML file, or s3://bucket/key."


def _from_path(where: str) -> bytes:
    with Path(where).open("rb") as file:
        return file.read(_LIMIT + 1)


def _from_s3(where: str, region: str | None, timeout_s: float) -> bytes:
    from pipeline.gateways.s3 import read_object, s3_client

    return read_object(where, s3_client(region, timeout_s), time.sleep, _LIMIT + 1)
