"""The task definition: filled in, and compared with what ECS gives back."""

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployer.errors import UsageError
from deployer.task.definition import canonical, differences, render

TEMPLATE: dict[str, Any] = {
    "family": "job",
    "requiresCompatibilities": ["FARGATE"],
    "networkMode": "awsvpc",
    "cpu": 512,
    "memory": "1024",
    "executionRoleArn": "${ROLE}",
    "containerDefinitions": [
        {
            "name": "job",
            "image": "${IMAGE}",
            "environment": [{"name": "REGION", "value": "${REGION}"}, {"name": "EMPTY", "value": ""}],
            "secrets": [{"name": "URI", "valueFrom": "arn:secret:uri"}],
            "logConfiguration": {"logDriver": "awslogs", "options": {"awslogs-group": "/ecs/job"}},
        },
        {"name": "sidecar", "image": "proxy:1", "essential": False, "portMappings": [{"containerPort": 80}]},
    ],
}
VALUES = {"ROLE": "arn:role", "REGION": "eu-west-3"}
PINNED = "registry.test/job@sha256:1"


def _ours() -> dict[str, Any]:
    return render(TEMPLATE, VALUES, PINNED, "job")


def _read_back() -> dict[str, Any]:
    """`_ours` as ECS gives it back: more fields, defaults filled in, some lists in another order."""
    theirs = copy.deepcopy(_ours())
    theirs |= {
        "taskDefinitionArn": "arn:aws:ecs:eu-west-3:123456789012:task-definition/job:7",
        "revision": 7,
        "status": "ACTIVE",
        "requiresAttributes": [{"name": "com.amazonaws.ecs.capability.docker-remote-api.1.18"}],
        "compatibilities": ["EC2", "FARGATE"],
        "registeredAt": "2026-11-24T00:00:00",
        "registeredBy": "arn:aws:iam::123456789012:user/someone",
        "volumes": [],
        "placementConstraints": [],
        "enableFaultInjection": False,
        "runtimePlatform": {"cpuArchitecture": "X86_64", "operatingSystemFamily": "LINUX"},
        "pidMode": "",
        "proxyConfiguration": None,
    }
    job, sidecar = theirs["containerDefinitions"]
    job |= {"cpu": 0, "essential": True, "mountPoints": [], "volumesFrom": [], "portMappings": []}
    job |= {"systemControls": [], "environment": job["environment"][::-1]}
    job["logConfiguration"]["secretOptions"] = []
    sidecar |= {"cpu": 0, "environment": [], "mountPoints": [], "volumesFrom": []}
    sidecar["portMappings"] = [{"containerPort": 80, "hostPort": 80, "protocol": "tcp"}]
    theirs["containerDefinitions"] = [sidecar, job]
    return theirs


def test_placeholders_are_filled_and_the_image_is_pinned() -> None:
    """Names get their values, and the job's container the image by digest."""
    container = _ours()["containerDefinitions"][0]
    assert _ours()["executionRoleArn"] == "arn:role"
    assert container["environment"][0] == {"name": "REGION", "value": "eu-west-3"}
    assert container["image"] == PINNED


def test_the_image_is_pinned_also_where_the_template_names_one() -> None:
    """A template copied from a running job has an image in it; the release's own replaces it."""
    template = copy.deepcopy(TEMPLATE)
    template["containerDefinitions"][0]["image"] = "old:latest"
    rendered = render(template, VALUES, PINNED, "job")
    assert rendered["containerDefinitions"][0]["image"] == PINNED
    assert rendered["containerDefinitions"][1]["image"] == "proxy:1"


def test_every_missing_value_is_named_with_its_place() -> None:
    """All placeholders without a value are reported at once, each with its path."""
    with pytest.raises(UsageError) as caught:
        render(TEMPLATE, {}, PINNED, "job")
    assert "executionRoleArn: ${ROLE}" in caught.value.message
    assert "containerDefinitions[job].environment[REGION].value: ${REGION}" in caught.value.message


def test_a_container_that_is_not_there_is_named_with_those_that_are() -> None:
    """A mistyped container is found before anything is registered."""
    with pytest.raises(UsageError, match="'jobs' among: job, sidecar"):
        render(TEMPLATE, VALUES, PINNED, "jobs")


@pytest.mark.parametrize("containers", [None, {}, ["job"], "job"])
def test_containers_that_are_no_list_of_objects_are_refused(containers: object) -> None:
    """A definition of the wrong shape is one clear message."""
    with pytest.raises(UsageError, match="containerDefinitions"):
        render({"family": "job", "containerDefinitions": containers}, VALUES, PINNED, "job")


def test_the_answer_of_describe_task_definition_is_a_template() -> None:
    """What ECS gives back can be saved as the template: what cannot be registered is left out."""
    rendered = render({"taskDefinition": _read_back(), "tags": []}, VALUES, PINNED, "job")
    assert "revision" not in rendered
    assert "registeredAt" not in rendered
    assert differences(rendered, _ours()) == ()


def test_sizes_are_texts_as_the_api_wants_them() -> None:
    """`cpu` and `memory` may be written as numbers."""
    assert (_ours()["cpu"], _ours()["memory"]) == ("512", "1024")


def test_a_read_back_definition_does_not_differ() -> None:
    """What ECS adds by itself is no difference."""
    assert differences(_ours(), _read_back()) == ()


def test_sizes_compare_by_what_they_mean() -> None:
    """`0.5 vCPU` is 512 units and `1 GB` is 1024 MiB."""
    assert differences(_ours() | {"cpu": "0.5 vCPU", "memory": "1GB"}, _ours()) == ()


@pytest.mark.parametrize(
    ("change", "difference"),
    [
        (lambda d: d.update(cpu="1024"), "cpu: '512' -> '1024'"),
        (lambda d: d.pop("executionRoleArn"), "executionRoleArn: 'arn:role' -> (none)"),
        (
            lambda d: d["containerDefinitions"][0]["environment"].append({"name": "NEW", "value": ""}),
            "containerDefinitions[job].environment[NEW]: (none) -> ''",
        ),
        (
            lambda d: d["containerDefinitions"][0]["environment"][0].update(value="eu-west-1"),
            "containerDefinitions[job].environment[REGION]: 'eu-west-3' -> 'eu-west-1'",
        ),
        (
            lambda d: d["containerDefinitions"][0].pop("secrets"),
            "containerDefinitions[job].secrets[URI]: 'arn:secret:uri' -> (none)",
        ),
        (
            lambda d: d["containerDefinitions"][1].update(essential=True),
            "containerDefinitions[sidecar].essential: False -> (none)",
        ),
        (
            lambda d: d["containerDefinitions"][0].update(command=["b", "a"]),
            "containerDefinitions[job].command: (none) -> ['b', 'a']",
        ),
        (
            lambda d: d["containerDefinitions"][0]["logConfiguration"]["options"].update(mode="non-blocking"),
            "containerDefinitions[job].logConfiguration.options.mode: (none) -> 'non-blocking'",
        ),
        (
            lambda d: d.update(runtimePlatform={"cpuArchitecture": "ARM64"}),
            "runtimePlatform.cpuArchitecture: (none) -> 'ARM64'",
        ),
        (
            lambda d: d["containerDefinitions"][1].update(portMappings=[{"containerPort": 81}]),
            "containerDefinitions[sidecar].portMappings[81/tcp].containerPort: (none) -> 81",
        ),
    ],
)
def test_a_real_difference_is_named_by_its_path(change: Any, difference: str) -> None:
    """Whatever changes what would run is found, with its path, what is there, and what we want."""
    ours = copy.deepcopy(_ours())
    change(ours)
    assert difference in differences(ours, _read_back())


def test_order_counts_where_ecs_keeps_it() -> None:
    """The words of a command are not a set."""
    one, other = copy.deepcopy(_ours()), copy.deepcopy(_ours())
    one["containerDefinitions"][0]["command"] = ["a", "b"]
    other["containerDefinitions"][0]["command"] = ["b", "a"]
    assert differences(one, other) == ("containerDefinitions[job].command: ['b', 'a'] -> ['a', 'b']",)


_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.dictionaries(st.text(), _VALUE))
def test_any_definition_equals_itself(fields: dict[str, Any]) -> None:
    """No content of a definition makes the comparison fail or find a difference where there is none."""
    assert differences(fields, copy.deepcopy(fields)) == ()
    canonical(fields)


def test_a_difference_shows_no_secret() -> None:
    """A variable with a secret's name only says that it changed; an address has no password."""

    def definition(password: str, url: str) -> dict[str, Any]:
        environment = [{"name": "DB_PASSWORD", "value": password}, {"name": "FEED", "value": url}]
        return {"family": "orders", "containerDefinitions": [{"name": "orders", "environment": environment}]}

    found = differences(
        definition("n3w-one", "https://u:p1n@feed.test"), definition("0ld-one", "https://feed.test")
    )
    assert found == (
        "containerDefinitions[orders].environment[DB_PASSWORD]: (changed)",
        "containerDefinitions[orders].environment[FEED]: 'https://feed.test' -> 'https://u:***@feed.test'",
    )
