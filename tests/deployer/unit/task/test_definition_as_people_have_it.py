"""Task definitions as people keep them: nulls, tags, shell variables, and as ECS gives them back."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from deployer.errors import UsageError
from deployer.ports import Revision
from deployer.task.definition import changes, differences, own_tags, render, size
from deployer.task.verdict import log_place


def job(**fields: Any) -> dict[str, Any]:
    return {"family": "invoices", "containerDefinitions": [{"name": "load", "image": "x", **fields}]}


def rendered(template: dict[str, Any], **values: str) -> dict[str, Any]:
    return render(template, values, "r/invoices@sha256:1", "load")


def test_null_means_absent() -> None:
    """What the console writes for an unset field is left out, however deep."""
    template = job(
        secrets=None, logConfiguration={"logDriver": "awslogs", "secretOptions": None}, links=[None]
    )
    filled = rendered({**template, "pidMode": None, "volumes": None, "cpu": None})
    assert filled == {
        "family": "invoices",
        "containerDefinitions": [
            {
                "name": "load",
                "image": "r/invoices@sha256:1",
                "logConfiguration": {"logDriver": "awslogs"},
                "links": [],
            }
        ],
    }


def test_a_shell_variable_is_left_to_the_container() -> None:
    """A default of the shell stays, an escaped one loses a dollar, a key of [task.values] is filled in."""
    template = job(command=["sh", "-c", "run ${DAY:-yesterday} $${HOME} ${STAGE:-dev} ${1} $USER"])
    command = rendered(template, STAGE="prod")["containerDefinitions"][0]["command"]
    assert command[2] == "run ${DAY:-yesterday} ${HOME} prod ${1} $USER"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"family": None}, "family is missing"),
        ({"tags": {"team": "data"}}, "tags must be a list of objects"),
        ({"secrets": {"URI": "arn"}}, r"containerDefinitions\[load\].secrets must be a list"),
        ({"environment": ["A=1"]}, r"containerDefinitions\[load\].environment must be a list"),
        ({"logConfiguration": "awslogs"}, r"containerDefinitions\[load\].logConfiguration must be an object"),
        ({"logConfiguration": {"logDriver": "awslogs", "options": []}}, "options must be an object"),
    ],
)
def test_a_field_of_another_type_is_refused_by_its_path(fields: dict[str, Any], wrong: str) -> None:
    """What is written as in Compose or Terraform is a mistake of the file, never one of deployer's own."""
    of_task = {key: value for key, value in fields.items() if key in ("family", "tags")}
    with pytest.raises(UsageError, match=wrong):
        rendered(job(**{k: v for k, v in fields.items() if k not in of_task}) | of_task)


def _with_null(value: Any) -> Iterator[Any]:
    """The value with each of its parts in turn set to null."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in parts:
        for changed in (None, *_with_null(inner)):
            copied = copy.copy(value)
            copied[key] = changed
            yield copied


def test_a_null_anywhere_is_no_crash() -> None:
    """Each field, entry and key in turn: as if it were not there, or a sentence says what is missing."""
    whole = job(
        environment=[{"name": "A", "value": "1"}],
        secrets=[{"name": "URI", "valueFrom": "arn:aws:ssm:eu-west-3:1:parameter/uri"}],
        portMappings=[{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}],
        dependsOn=[{"containerName": "migrate", "condition": "SUCCESS"}],
        linuxParameters={"capabilities": {"add": ["NET_RAW"]}, "tmpfs": [{"containerPath": "/t", "size": 1}]},
        logConfiguration={"logDriver": "awslogs", "options": {"awslogs-group": "/g"}, "secretOptions": []},
    ) | {"tags": [{"key": "team", "value": "data"}], "volumes": [{"name": "v", "host": {"sourcePath": "/v"}}]}
    seen = 0
    for template in _with_null(whole):
        try:
            filled = rendered(template)
        except UsageError as refused:
            assert refused.message.startswith("task definition: ")
            continue
        seen += 1
        assert "None" not in repr(filled)
        assert changes(filled, Revision("arn", filled, own_tags(filled))) == ()
        log_place(filled, "load")
    assert seen >= 40


def test_a_name_without_value_and_default_is_refused() -> None:
    """It says where, and how a variable of the container is written."""
    with pytest.raises(UsageError, match=r"containerDefinitions\[load\].user: \$\{WHO\}") as refused:
        rendered(job(user="${WHO}"))
    assert "$${NAME}" in refused.value.hint


@pytest.mark.parametrize(
    ("text", "units"),
    [
        (".25 vCPU", "256"),
        ("0.5vcpu", "512"),
        ("1. vCPU", "1024"),
        (".5 GB", "512"),
        ("2gb", "2048"),
        ("256", "256"),
    ],
)
def test_sizes_in_words_are_units(text: str, units: str) -> None:
    """AWS writes `.25 vCPU` in its own tables."""
    assert size(text) == units


def test_its_tags_are_its_own_and_a_missing_one_is_a_change() -> None:
    """Those that AWS reserves are not ours to set."""
    ours = rendered({**job(), "tags": [{"key": "team", "value": "data"}, {"key": "aws:x", "value": "1"}]})
    assert own_tags(ours) == {"team": "data"}
    assert changes(ours, Revision("arn", ours, {"deployer:env": "e"})) == ("tags[team]: (none) -> 'data'",)
    assert changes(ours, Revision("arn", ours, {"team": "data"})) == ()


def test_the_tags_of_a_described_definition_are_kept() -> None:
    """DescribeTaskDefinition has them beside the definition."""
    described = {"taskDefinition": {**job(), "revision": 3}, "tags": [{"key": "team", "value": "data"}]}
    assert own_tags(rendered(described)) == {"team": "data"}


SAME: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("a role by name", {"executionRoleArn": "run"}, {"executionRoleArn": "arn:aws:iam::1:role/x/run"}),
    ("no launch types", {}, {"requiresCompatibilities": ["EC2"]}),
    ("a size in words", {"cpu": ".5 vCPU", "memory": "1 GB"}, {"cpu": "512", "memory": "1024"}),
    (
        "an EFS volume",
        {"volumes": [{"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}]},
        {
            "volumes": [
                {
                    "name": "v",
                    "efsVolumeConfiguration": {
                        "fileSystemId": "fs-1",
                        "rootDirectory": "/",
                        "transitEncryption": "DISABLED",
                    },
                }
            ]
        },
    ),
    ("an empty host volume", {"volumes": [{"name": "v"}]}, {"volumes": [{"name": "v", "host": {}}]}),
)


@pytest.mark.parametrize(("what", "ours", "theirs"), SAME, ids=[row[0] for row in SAME])
def test_what_ecs_fills_in_is_no_change(what: str, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Read back, a definition never looks changed."""
    assert differences({**job(), **ours}, {**job(), **theirs}) == (), what


CONTAINER_SAME: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    (
        {"portMappings": [{"containerPort": 53, "protocol": "udp"}, {"containerPort": 53}]},
        {"portMappings": [{"containerPort": 53, "hostPort": 0, "protocol": "tcp"},
                          {"containerPort": 53, "hostPort": 0, "protocol": "udp"}]},
    ),
    (
        {"healthCheck": {"command": ["CMD", "x"]}},
        {"healthCheck": {"command": ["CMD", "x"], "interval": 30, "timeout": 5, "retries": 3}},
    ),
    (
        {"restartPolicy": {"enabled": True}},
        {"restartPolicy": {"enabled": True, "restartAttemptPeriod": 300, "ignoredExitCodes": []}},
    ),
    (
        {"linuxParameters": {"initProcessEnabled": True}},
        {"linuxParameters": {"initProcessEnabled": True, "capabilities": {"add": []}, "tmpfs": []}},
    ),
    (
        {"secrets": [{"name": "A", "valueFrom": "a"}, {"name": "B", "valueFrom": "b"}]},
        {"secrets": [{"name": "B", "valueFrom": "b"}, {"name": "A", "valueFrom": "a"}], "systemControls": []},
    ),
)  # fmt: skip


@pytest.mark.parametrize(("ours", "theirs"), CONTAINER_SAME)
def test_what_ecs_fills_into_a_container_is_no_change(ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Defaults, empty lists and the order of named entries say nothing."""
    filled = {**theirs, "cpu": 0, "essential": True, "environment": [], "mountPoints": [], "volumesFrom": []}
    assert differences(job(**ours), job(**filled)) == ()


DIFFERENT: tuple[tuple[dict[str, Any], dict[str, Any]], ...] = (
    ({"portMappings": [{"containerPort": 53}, {"containerPort": 53, "protocol": "udp"}]},
     {"portMappings": [{"containerPort": 53}]}),
    ({"portMappings": [{"containerPort": 80, "hostPort": 80}]}, {"portMappings": [{"containerPort": 80}]}),
    ({"environmentFiles": [{"value": "a", "type": "s3"}, {"value": "b", "type": "s3"}]},
     {"environmentFiles": [{"value": "b", "type": "s3"}, {"value": "a", "type": "s3"}]}),
    ({"essential": False}, {}),
    ({"readonlyRootFilesystem": True}, {}),
    ({"environment": [{"name": "A", "value": ""}]}, {}),
    ({"command": ["a"]}, {"command": ["a", "b"]}),
    ({"stopTimeout": 60}, {}),
)  # fmt: skip


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_a_real_change_is_found_both_ways(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Added or taken away; a port mapped for two protocols as well."""
    assert differences(job(**one), job(**other))
    assert differences(job(**other), job(**one))


def test_comparing_changes_nothing() -> None:
    """Both definitions are as they were."""
    ours = job(portMappings=[{"containerPort": 1, "hostPort": 0}])
    before = copy.deepcopy(ours)
    differences(ours, ours)
    assert ours == before
