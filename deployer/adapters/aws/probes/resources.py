"""Do the cluster and the log group exist, and can the repository's tags move?"""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

from deployer.adapters.aws.ecr import Ecr
from deployer.adapters.aws.probes.probe import container, failed, makes_log_group, passed, unknown
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding


def cluster(config: Config, session: AwsSession) -> Iterator[Finding]:
    name = config.run.cluster
    with translated(f"ECS cluster {name}"):
        clusters = session.client("ecs").describe_clusters(clusters=[name])["clusters"]
    status = clusters[0]["status"] if clusters else "missing"
    if status == "ACTIVE":
        yield passed(f"cluster {name}")
    else:
        create = f"aws ecs create-cluster --cluster-name {name} --region {session.region}"
        yield failed(f"cluster {name}", f"is {status.lower()} in {session.region}", create)


def logs(config: Config, session: AwsSession) -> Iterator[Finding]:
    """Of the job's container. A job may log elsewhere: the release goes on without its lines."""
    logging = container(config).get("logConfiguration", {})
    driver, options = logging.get("logDriver", "none"), logging.get("options", {})
    if driver != "awslogs":
        yield unknown("log driver", f"is {driver}: the release goes on, but cannot follow the job's log")
        return
    name, region = options.get("awslogs-group", ""), options.get("awslogs-region") or session.region
    if "awslogs-stream-prefix" not in options:
        yield unknown("log stream", "has no awslogs-stream-prefix: the release cannot follow the job's log")
    with translated(f"CloudWatch Logs group {name}"):
        groups = session.client("logs", region).describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    if any(group["logGroupName"] == name for group in groups):
        yield passed(f"log group {name}")
    elif makes_log_group(config):
        yield passed(f"log group {name}", "will be created by the task (awslogs-create-group)")
    else:
        create = f"aws logs create-log-group --log-group-name {name} --region {region}"
        yield failed(f"log group {name}", f"does not exist in {region}", create)


def tags(config: Config, session: AwsSession) -> Iterator[Finding]:
    """Whether the promoted tag can move, before a job runs whose release could not be finished."""
    tag, repository = config.image.promote_tag, config.image.repository
    described = Ecr(config, session).describe(repository)
    what = f"tag {tag} of repository {repository}"
    if not tag or not described or _moves(described, tag):
        return
    if Ecr(config, session).digest(repository, tag) is None:
        yield unknown(what, "can be set once: the repository's tags are immutable", _LEAVE_OUT)
    else:
        yield failed(what, "cannot move: the repository's tags are immutable", _LEAVE_OUT)


_LEAVE_OUT = 'set promote-tag = "" under [image], or exclude the tag from immutability in ECR'


def _moves(repository: dict[str, Any], tag: str) -> bool:
    """ECR's `*_WITH_EXCLUSION` settings turn the rule round for tags that a filter matches."""
    setting = str(repository.get("imageTagMutability") or "MUTABLE")
    filters = [entry["filter"] for entry in repository.get("imageTagMutabilityExclusionFilters") or ()]
    excluded = setting.endswith("_WITH_EXCLUSION") and any(fnmatchcase(tag, pattern) for pattern in filters)
    return setting.startswith("MUTABLE") != excluded
