"""What deploy.toml says of the values that the fix of a failure asks for, by the names that fixes use."""

from deployer.config.model import Config


def values_of(config: Config) -> dict[str, str]:
    """Region, cluster, repository and the like; what is not set is left out."""
    named = {
        "region": config.aws.region,
        "profile": config.aws.profile,
        "registry": config.image.registry,
        "repository": config.image.repository,
        "cluster": config.run.cluster,
        "subnet": next(iter(config.run.subnets), None),
        "security_group": next(iter(config.run.security_groups), None),
        "log_group": config.logs.group,
        "family": config.task.definition.get("family"),
        "service": config.compose.service,
        "database": config.verify.database,
    }
    return {name: value for name, value in named.items() if isinstance(value, str) and _is_set(value)}


def _is_set(value: str) -> bool:
    """Not empty, and no variable in it that is not set."""
    return value != "" and "${" not in value
