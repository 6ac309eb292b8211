"""What a sandbox remembers between commands: `state.json`."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from deployer.sandbox.facts import SandboxFacts
from deployer.sandbox.secrets import write_private


@dataclass(frozen=True)
class State:
    """Ports are kept over restarts. `provisioned` and `seeded` say for what the rest was last made,
    `origin` where the data came from that the database was loaded from."""

    aws_port: int | None = None
    mongo_port: int | None = None
    host: str = "127.0.0.1"
    mongo_image: str = ""
    provisioned: str = ""
    seeded: str = ""
    origin: str = ""
    facts: SandboxFacts | None = None


def load(path: Path) -> State:
    """The remembered state; a file that is missing or damaged is the empty state, from which `up` heals."""
    try:
        state = State(**json.loads(path.read_text(encoding="utf-8")))
        return replace(state, facts=SandboxFacts(**state.facts) if isinstance(state.facts, dict) else None)
    except (FileNotFoundError, ValueError, TypeError):
        return State()


def save(path: Path, state: State) -> None:
    """Replace the file; it holds the URI with its password, so only its owner may read it."""
    write_private(path, json.dumps(asdict(state), indent=2))
