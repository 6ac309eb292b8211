"""What one launch of a task left behind, put together in one place."""

from collections.abc import Sequence

from deployer.diagnosis.model import Evidence
from deployer.model import TaskResult


def evidence_of(
    result: TaskResult | None, log: Sequence[str] = (), failures: Sequence[str] = ()
) -> list[Evidence]:
    """The pieces to classify: RunTask's `failures`, the last lines of the log, ECS's reasons for the stop."""
    pieces = [Evidence(text, "run_task_failure") for text in failures]
    if result:
        code, stop = result.exit_code, result.stop_code or None
        pieces.append(Evidence("\n".join(log), "task_log", code, stop))
        pieces += [Evidence(c.reason, "container_reason", c.exit_code) for c in result.containers if c.reason]
        pieces.append(Evidence(result.stopped_reason, "stopped_reason", code, stop))
    return [piece for piece in pieces if piece.text or piece.exit_code]


def ending(result: TaskResult | None) -> str:
    """How a task ended, in half a sentence."""
    result = result or TaskResult()
    code = "without an exit code" if result.exit_code is None else f"with exit code {result.exit_code}"
    return f"{code} ({result.stopped_reason})" if result.stopped_reason else code
