"""Releases on an AWS that answers as the real one does (tests/reality)."""

import inspect
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.outside import Outside
from tests.e2e.projects import Project
from tests.reality.aws import Reality, aws
from tests.reality.behaviors import BEHAVIORS, EssentialSidecars, OnlyAllowed
from tests.reality.calls import NAMED_OTHERWISE
from tests.tally import Tally

IMMUTABLE = "immutable repository"


def new_content(job: Project, outside: Outside) -> None:
    """There is something to build, so the account is looked at first."""
    job.renew()


def sidecars(job: Project, outside: Outside) -> None:
    """Two more essential containers."""
    path = job.folder / "task-definition.json"
    definition = json.loads(path.read_text())
    for name in EssentialSidecars.SIDECARS:
        sidecar = {"name": name, "image": "public.ecr.aws/observing/agent:7", "essential": True}
        definition["containerDefinitions"].append(sidecar)
    path.write_text(json.dumps(definition))


def schedule(job: Project, outside: Outside) -> None:
    """A schedule that starts the job every night, and its name in deploy.toml."""
    cluster, account = outside.facts["SANDBOX_CLUSTER"], outside.facts["SANDBOX_ACCOUNT"]
    parameters = {"TaskDefinitionArn": f"arn:aws:ecs:eu-west-3:{account}:task-definition/{job.name}"}
    outside.aws("scheduler").create_schedule(
        Name=job.name,
        ScheduleExpression="cron(0 3 * * ? *)",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target={
            "Arn": f"arn:aws:ecs:eu-west-3:{account}:cluster/{cluster}",
            "RoleArn": f"arn:aws:iam::{account}:role/starts-tasks",
            "EcsParameters": parameters,
        },
    )
    job.edit("deploy.toml", "[logs]\n", f'[schedule]\nname = "{job.name}"\n\n[logs]\n')


PREPARED: dict[str, Callable[[Project, Outside], None]] = {
    "reads denied": new_content,
    "essential sidecars": sidecars,
    "schedule of the past": schedule,
}


def way(reality: Reality) -> dict[str, str]:
    return {"ENDPOINT": reality.url, "SANDBOX_REGISTRY": reality.address}


@pytest.mark.parametrize("name", [name for name in BEHAVIORS if name != IMMUTABLE])
def test_a_release_succeeds_and_runs_its_task_once(
    job: Project, outside: Outside, answers: Tally, name: str
) -> None:
    """Whatever AWS does: END_SUCCESS, one task, its whole log, and no request that AWS would refuse."""
    PREPARED.get(name, lambda job, outside: None)(job, outside)
    with aws(outside.facts["SANDBOX_ENDPOINT"], BEHAVIORS[name]) as reality:
        ran = job.deployer.release("--start-at", "build", environ=way(reality))
    tasks = outside.tasks(ran.release)
    answers.count(
        f"{name}: {ran.ended['end']}",
        exit_code=ran.code,
        tasks=len(tasks),
        calls=len(reality.course.calls),
        changed=reality.acted,
        violations=len(reality.violations),
    )
    assert (ran.code, ran.ended["end"]) == (0, "END_SUCCESS"), ran.said()
    assert len(tasks) == 1
    assert reality.violations == []
    assert reality.acted, "this AWS did nothing that an emulator does not"
    lines = [
        event["text"] for event in ran.events if event["event"] == "logged" and event["source"] == "task"
    ]
    assert sorted(lines) == sorted([f"run {ran.release} begins", f"run {ran.release}: 50 rows written"])
    if name == "schedule of the past":
        moved = outside.aws("scheduler").get_schedule(Name=job.name)
        assert moved["Target"]["EcsParameters"]["TaskDefinitionArn"] in outside.revisions(job.name)


def test_tags_that_cannot_move_are_said_before_anything_is_built(
    job: Project, outside: Outside, answers: Tally, jobs_repository: str
) -> None:
    """`latest` is there and its repository immutable: exit code 13, no image and no task. With the key that
    it names the release goes on and ends well."""
    first = job.release("--start-at", "build")
    assert first.code == 0, first.said()
    job.renew()
    with aws(outside.facts["SANDBOX_ENDPOINT"], BEHAVIORS[IMMUTABLE]) as reality:
        before = outside.images(jobs_repository)
        ran = job.deployer.release("--start-at", "build", environ=way(reality))
        tasks = outside.tasks(ran.release)
        answers.count(f"{IMMUTABLE}: {ran.ended['end']}", exit_code=ran.code, tasks=len(tasks))
        assert (ran.code, ran.ended["end"], tasks) == (13, "PAUSED", []), ran.said()
        assert 'promote-tag = ""' in ran.paused["remedy"]
        assert outside.images(jobs_repository) == before
        job.edit("deploy.toml", "[task]\n", 'promote-tag = ""\n\n[task]\n')
        resumed = job.deployer.resume(environ=way(reality))
    tasks = outside.tasks(ran.release)
    answers.count(f"{IMMUTABLE}, resumed: {resumed.ended['end']}", exit_code=resumed.code, tasks=len(tasks))
    assert (resumed.code, resumed.ended["end"], len(tasks)) == (0, "END_SUCCESS", 1), resumed.said()
    assert (reality.acted > 0, reality.violations) == (True, [])


IMPLIED = {"ecs:TagResource", "iam:PassRole"}
"""Asked of IAM as parts of other calls."""
NOT_ON_THE_WAY = {
    "ecs:StopTask",
    "scheduler:CreateSchedule",
    "events:ListTargetsByRule",
    "logs:DescribeLogGroups",
    "logs:DescribeLogStreams",
    "ecr:GetDownloadUrlForLayer",
}
"""For a task that runs too long, `deployer schedule`, rules, `deployer logs`, and the image's probe."""
UNASKED = {"sts:GetCallerIdentity", "ecr:", "secretsmanager:GetSecretValue"}
"""Never refused; the registry's version; and the job's secrets, which are hidden in what is shown where the
caller may read them."""


def test_a_release_needs_what_the_policy_allows_and_nothing_else(
    job: Project, outside: Outside, answers: Tally
) -> None:
    """With nothing but the printed policy a release ends well, state bucket, schedule and removal of what is
    old included; and all that the policy allows is called."""
    schedule(job, outside)
    region = {"LocationConstraint": "eu-west-3"}
    outside.aws("s3").create_bucket(Bucket=job.name, CreateBucketConfiguration=region)
    job.edit("deploy.toml", "[task]\n", "keep-releases = 1\n\n[task]\n")
    job.edit("deploy.toml", "[aws]\n", f'[state]\nbucket = "{job.name}"\n\n[aws]\n')
    printed = job.deployer("doctor", "--policy")
    needed, optional = actions(json.loads(printed.stdout)["release"])
    with aws(outside.facts["SANDBOX_ENDPOINT"], OnlyAllowed(needed)) as reality:
        for _ in range(2):
            job.renew()
            ran = job.deployer.release("--start-at", "build", environ=way(reality))
            assert (ran.code, ran.ended["end"]) == (0, "END_SUCCESS"), ran.said()
    called = {NAMED_OTHERWISE.get(name, name) for name in reality.called}
    answers.count(
        "only what the policy allows",
        exit_code=ran.code,
        calls=len(reality.course.calls),
        changed=reality.acted,
        violations=len(reality.violations),
    )
    assert called - needed - optional - UNASKED == set()
    assert needed - called - IMPLIED - NOT_ON_THE_WAY == set()
    assert reality.violations == []


def actions(policy: dict[str, Any]) -> tuple[set[str], set[str]]:
    """Those that a release needs, and those that only doctor has a use for."""
    optional = {a for s in policy["Statement"] if s["Sid"].startswith("Doctor") for a in s["Action"]}
    return {a for s in policy["Statement"] for a in s["Action"]} - optional, optional


@pytest.mark.parametrize("name", BEHAVIORS)
def test_each_behavior_names_its_source(name: str) -> None:
    """What the proxy does is documented: the docstring ends with where."""
    assert "Source: https://" in str(inspect.getdoc(type(BEHAVIORS[name])))
