"""Is the cluster there, and active?"""

from collections.abc import Iterator

from deployer.adapters.aws.probes.finding import failed, passed
from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Config
from deployer.ports import Finding


def check(config: Config, session: AwsSession) -> Iterator[Finding]:
    name = config.run.cluster
    with translated(f"ECS cluster {name}"):
        clusters = session.client("ecs").describe_clusters(clusters=[name])["clusters"]
    status = clusters[0]["status"] if clusters else "missing"
    if status == "ACTIVE":
        yield passed(f"cluster {name}")
    else:
        create = f"aws ecs create-cluster --cluster-name {name} --region {session.region}"
        yield failed(f"cluster {name}", f"is {status.lower()} in {session.region}", create)
