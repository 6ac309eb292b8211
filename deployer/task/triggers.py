"""What starts the job on its own: schedules and rules of EventBridge, and what is wrong with them."""

from deployer.ports import Schedules, Tasks, Trigger


def triggers_of(
    family: str, schedules: Schedules, tasks: Tasks, now: float
) -> tuple[tuple[Trigger, str], ...]:
    """Those that start this family, each with its problem, "" if it has none. `now`: seconds since 1970."""
    found = [trigger for trigger in schedules.triggers() if trigger.of(family)]
    active = tasks.revisions(family) if found else ()
    return tuple((trigger, trigger.problem(active, now)) for trigger in found)


def told(trigger: Trigger, problem: str) -> str:
    return f"{trigger.kind} {trigger.name} {problem}"


FIX = "let a release move it: [schedule] in deploy.toml; `deployer schedule` shows what starts the job"
