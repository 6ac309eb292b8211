"""The installed `deployer` command against an endpoint that only the environment names."""

import os
import pty
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAM = Path(sys.executable).with_name("deployer")
REGION = "eu-west-3"


@dataclass(frozen=True)
class Command:
    """Run in one project's folder."""

    endpoint: str
    folder: Path

    def __call__(
        self, *arguments: str, given: bytes = b"", **environ: str
    ) -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [PROGRAM, *arguments],
            input=given,
            cwd=self.folder,
            env=self._environ(environ),
            capture_output=True,
            timeout=60,
            check=False,
        )

    def typed(self, *arguments: str, question: str, answer: str, **environ: str) -> tuple[int, str]:
        """Exit code, and what a terminal shows of it once `answer` was typed at `question`."""
        child, screen = pty.fork()
        if child == 0:
            os.chdir(self.folder)
            os.execve(PROGRAM, [str(PROGRAM), *arguments], self._environ(environ))
        said = ""
        try:
            while question not in said:
                said += os.read(screen, 1024).decode()
            os.write(screen, f"{answer}\n".encode())
            while True:
                said += os.read(screen, 1024).decode()
        except OSError:  # the program has ended
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said
        finally:
            os.close(screen)

    def _environ(self, more: Mapping[str, str]) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "NO_PROXY": "127.0.0.1",
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_REGION": REGION,
            **more,
        }
