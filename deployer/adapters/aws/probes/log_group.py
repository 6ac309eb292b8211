"""Will the task's log arrive where it is read from?"""

from collections.abc import Iterator

from deployer.adapters.aws.probes.finding import failed, passed
from deployer.adapters.aws.probes.subject import container, makes_log_group
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    logging = container(config).get("logConfiguration", {})
    options = logging.get("options", {})
    if logging.get("logDriver") != "awslogs":
        driver = logging.get("logDriver", "none")
        mend = "give the container a logConfiguration with logDriver awslogs"
        yield failed("log driver", f"is {driver}: its lines cannot be followed", mend)
        return
    expected = {
        "awslogs-group": config.logs.group,
        "awslogs-region": session.region,
        "awslogs-stream-prefix": config.logs.stream_prefix,
    }
    for option, value in expected.items():
        if options.get(option) != value:
            detail = f"is {options.get(option)!r}, and deploy.toml says {value!r}"
            yield failed(f"log option {option}", detail, "make the task definition and [logs] agree")
    yield _group(config.logs.group, config, session)


def _group(name: str, config: Config, session: AwsSession) -> Finding:
    with translated(f"CloudWatch Logs group {name}"):
        groups = session.client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    if any(group["logGroupName"] == name for group in groups):
        return passed(f"log group {name}")
    if makes_log_group(config):
        return passed(f"log group {name}", "will be created by the task (awslogs-create-group)")
    create = f"aws logs create-log-group --log-group-name {name} --region {session.region}"
    return failed(f"log group {name}", f"is not there in {session.region}", create)
