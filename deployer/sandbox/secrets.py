"""Files that only their owner may read, and the passwords in them."""

import base64
import json
import os
import secrets
from dataclasses import asdict, dataclass, field
from pathlib import Path

_KEY_BYTES = 600


def write_private(path: Path, text: str) -> None:
    """Write a file whole or not at all, with mode 0600."""
    draft = path.with_name(f"{path.name}.new")
    draft.unlink(missing_ok=True)
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)


def password(path: Path) -> str:
    """The password kept in that file, generated the first time."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    return path.read_text(encoding="utf-8")


@dataclass(frozen=True)
class Keys:
    """The access keys that the sandbox's AWS accepts: the operator's, and the one of the containers."""

    operator: str = field(repr=False)
    job: str = field(repr=False)


def keys(path: Path) -> Keys:
    """The keys kept in that file, generated the first time. None is twelve digits: MiniStack would take it
    for an account."""
    if not path.exists():
        fresh = Keys(*(f"SANDBOX{secrets.token_hex(16).upper()}" for _ in range(2)))
        write_private(path, json.dumps(asdict(fresh)))
    return Keys(**json.loads(path.read_text(encoding="utf-8")))


def make_keyfile(path: Path) -> bool:
    """mongod's key file, unless it is there: base64, at most 1024 characters. Returns whether it is new."""
    new = not path.exists()
    if new:
        write_private(path, base64.b64encode(secrets.token_bytes(_KEY_BYTES)).decode())
    return new
