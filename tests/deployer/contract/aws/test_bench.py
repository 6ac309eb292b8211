"""The bench of `deployer logs`, with few events."""

import pytest

from bench import logs as bench
from deployer.adapters.aws.session import Credentials


def test_the_bench_compares_what_is_shown_with_what_was_written(
    ministack: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """`make bench-logs` runs with today's deploy.toml, and finds three streams complete and in order."""
    session = bench.AwsSession(bench.configured(ministack).aws, Credentials("bench", "bench"))
    session.client("logs").create_log_group(logGroupName=bench.GROUP)
    session.client("ecs").create_cluster(clusterName="bench")
    request = bench.replace(bench.REQUEST, container=name, all_tasks=True)
    bench.compare("Three", ministack, request, [f"{request.streams}{number}" for number in range(3)], 300)
    ours, awslogs = capsys.readouterr().out.splitlines()[-2:]
    assert "deployer logs" in ours
    assert "complete, in order, nothing twice" in ours
    assert "awslogs" in awslogs
