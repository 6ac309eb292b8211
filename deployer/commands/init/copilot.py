"""`deployer init --from-copilot`: deploy.toml from a scheduled job of AWS Copilot, whose support has ended.

Manifest: https://aws.github.io/copilot-cli/docs/manifest/scheduled-job/"""

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from deployer.commands.init.command import pairs, refuse_overwriting
from deployer.commands.init.folder import project_name
from deployer.config.load import FILE
from deployer.errors import UsageError

_MACROS: Final = {
    "@hourly": "cron(0 * * * ? *)",
    "@daily": "cron(0 0 * * ? *)",
    "@midnight": "cron(0 0 * * ? *)",
    "@weekly": "cron(0 0 ? * 1 *)",
    "@monthly": "cron(0 0 1 * ? *)",
    "@yearly": "cron(0 0 1 1 ? *)",
    "@annually": "cron(0 0 1 1 ? *)",
}
_LEFT: Final = ("environments", "sidecars", "storage", "network", "publish", "env_file")
"""Keys of a manifest that deploy.toml has no place for."""
Manifest = Mapping[str, Any]


def init_from_copilot(root: Path, wanted: str, database: str | None, write: Callable[[str], None]) -> None:
    """Writes deploy.toml. `wanted`: the job's name, "" where there is one.

    RefusedError: the file is there. UsageError: no scheduled job, several and no choice, or a manifest that
    cannot be read."""
    refuse_overwriting(root, FILE)
    path, manifest = _chosen(root, wanted)
    (root / FILE).write_text("\n".join(_deploy_toml(path, manifest, database)), encoding="utf-8")
    write(f"wrote {FILE}, from {path}")
    for line in _open(manifest):
        write(f"open: {line}")
    write("next: deployer release   (to the sandbox on this machine)")


def _chosen(root: Path, wanted: str) -> tuple[str, Manifest]:
    jobs = {}
    for path in sorted(root.glob("copilot/*/manifest.y*ml")):
        manifest = _read(root, path)
        if str(manifest.get("type")).lower() == "scheduled job":
            jobs[str(manifest.get("name") or path.parent.name)] = (
                path.relative_to(root).as_posix(),
                manifest,
            )
    if wanted in jobs:
        return jobs[wanted]
    if len(jobs) == 1 and not wanted:
        return next(iter(jobs.values()))
    known = f"there are {', '.join(jobs)}" if jobs else "no copilot/*/manifest.yml here has one"
    raise UsageError(f"which scheduled job of Copilot? {known}", "name it: --from-copilot NAME")


def _read(root: Path, path: Path) -> Manifest:
    try:
        manifest = yaml.safe_load(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, yaml.YAMLError) as error:
        what = " ".join(str(error).split())
        raise UsageError(f"{path.relative_to(root)} cannot be read: {what}", "correct it") from error
    return _table(manifest)


def _deploy_toml(path: str, manifest: Manifest, database: str | None) -> Iterator[str]:
    """The file's parts: what the manifest says, and a comment for what it leaves open."""
    name = project_name(str(manifest.get("name") or "job"))
    build, run = _build(manifest), _run(manifest)
    size = {key: str(manifest[key]) for key in ("cpu", "memory") if isinstance(manifest.get(key), int)}
    tables = (
        ("project", {"name": name}),
        ("build", build),
        ("build.args", _texts(_table(_table(manifest.get("image")).get("build")).get("args"))),
        ("task", size),
        ("task.secrets", _secrets(manifest)),
        ("run", run),
        ("run.environment", _texts(manifest.get("variables"))),
        ("verify", {"database": database or name.replace("-", "_")}),
    )
    yield f"# From {path}, by `deployer init`."
    yield from (f"[{table}]\n{pairs(values)}" for table, values in tables if values)
    yield "".join(f"# Open: {line}\n" for line in _open(manifest))


def _build(manifest: Manifest) -> dict[str, str]:
    build = _table(manifest.get("image")).get("build")
    if isinstance(build, str):
        build = {"dockerfile": build}
    found = {
        key: str(value) for key, value in _table(build).items() if key in ("dockerfile", "context", "target")
    }
    folder = found.get("dockerfile", "").rpartition("/")[0]
    if "context" not in found and folder:
        found["context"] = folder
    platform = manifest.get("platform")
    if isinstance(platform, Mapping):
        platform = f"{platform.get('osfamily', 'linux')}/{platform.get('architecture', 'x86_64')}"
    if isinstance(platform, str) and "arm64" in platform.lower():
        found["platform"] = "linux/arm64"
    return found


def _run(manifest: Manifest) -> dict[str, str]:
    limit = re.fullmatch(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?", str(manifest.get("timeout") or ""))
    parts = zip(limit.groups(), (3600, 60, 1), strict=True) if limit else ()
    seconds = sum(int(count or 0) * unit for count, unit in parts)
    return {"max-runtime": f"{seconds}s"} if seconds else {}


def _secrets(manifest: Manifest) -> dict[str, str]:
    """A parameter's name, or a secret's; what comes from a stack's output is left open."""
    found = {}
    for name, origin in _table(manifest.get("secrets")).items():
        stored = origin.get("secretsmanager") if isinstance(origin, Mapping) else origin
        if isinstance(stored, str):
            found[str(name)] = stored
    return found


def _texts(values: Any) -> dict[str, str]:
    """Scalars as a container gets them; what comes from a stack's output is left open."""
    return {
        str(name): str(value).lower() if isinstance(value, bool) else str(value)
        for name, value in _table(values).items()
        if isinstance(value, str | int | float)
    }


def _open(manifest: Manifest) -> Iterator[str]:
    """What a person still has to say, or to do."""
    if _table(manifest.get("image")).get("location"):
        yield "Copilot took a ready image; deployer builds it: name the Dockerfile in [build]."
    yield 'which documents prove a run? A check in [[verify.checks]] with query = { run_id = "${RUN_ID}" }.'
    yield "where does it run on AWS? [env.production] with aws.region and run.cluster, run.subnets."
    on: Any = dict(manifest)  # YAML 1.1 reads the key `on` as a truth value
    schedule = str(_table(on.get("on", on.get(True))).get("schedule") or "")
    if schedule and schedule != "none":
        expression = eventbridge(schedule)
        told = f'`deployer schedule "{expression}"`' if expression else "say it as EventBridge does"
        yield f"its schedule was {schedule!r}: after the first release {told}."
    left = [key for key in _LEFT if manifest.get(key)]
    if left:
        yield f"not taken over from the manifest: {', '.join(left)}."


def eventbridge(schedule: str) -> str:
    """The schedule of a manifest as EventBridge writes it; "" where that cannot be told."""
    if schedule in _MACROS:
        return _MACROS[schedule]
    if every := re.fullmatch(r"@every (?:(\d+)h)?(?:(\d+)m)?", schedule):
        minutes = int(every[1] or 0) * 60 + int(every[2] or 0)
        return f"rate({minutes} minute{'s' if minutes > 1 else ''})" if minutes else ""
    if schedule.startswith(("cron(", "rate(")):
        return schedule
    fields = schedule.split()
    if len(fields) != 5 or "?" in schedule:
        return ""
    minute, hour, day, month, weekday = fields
    if weekday == "*":
        return f"cron({minute} {hour} {day} {month} ? *)"
    if day != "*":
        return ""  # EventBridge takes one of the two
    weekday = re.sub(r"\d", lambda found: str(int(found[0]) % 7 + 1), weekday)
    return f"cron({minute} {hour} ? {month} {weekday} *)"


def _table(value: Any) -> Manifest:
    return value if isinstance(value, Mapping) else {}
