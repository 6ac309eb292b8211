"""Compose could not start the services on this machine."""

from deployer.diagnosis.signature import COMPOSE, DOCKER_BUILD, Signature

_COMPOSE = "https://docs.docker.com/reference/compose-file/services/"
_ERRORS = "https://docs.docker.com/compose/support-and-feedback/faq/"

COMPOSE_SIGNATURES = (
    Signature(
        failure_class="docker",
        subcause="port-taken",
        pattern=(
            r"Bind for (?:[\d.]{7,15}|\[?::\]?):(?P<port>\d{2,5}) failed"
            r"|exposing port (?:TCP|UDP) [\d.:]{0,15}:(?P<exposed>\d{2,5})"
            r"|(?:listen|bind)[^\n]{0,120}address already in use"
        ),
        texts="ports are not available | port is already allocated",
        channels=(COMPOSE, DOCKER_BUILD),
        weight=0.96,
        meaning="Another program on this machine has the port that a service publishes.",
        fix=(
            "See who has port {port} (`docker ps --filter publish={port}`, `ss -ltnp 'sport = "
            ":{port}'`), end it, or publish another port under `ports` of the service in the "
            "Compose file."
        ),
        source=_COMPOSE + "#ports",
        example=(
            "Error response from daemon: driver failed programming external connectivity on "
            "endpoint shop-mongo-1: Bind for 0.0.0.0:27099 failed: port is already allocated"
        ),
        counter=" Container shop-mongo-1  Started",
    ),
    Signature(
        failure_class="docker",
        subcause="service-unhealthy",
        pattern=(
            r"[Cc]ontainer (?P<service>[\w.-]{1,100}) is unhealthy"
            r"|container [\w.-]{1,100} exited \((?P<code>\d{1,3})\)"
            r"|service \"?(?P<failed>[\w.-]{1,80})\"? didn't complete successfully"
        ),
        texts="dependency failed to start",
        channels=(COMPOSE,),
        weight=0.93,
        meaning="A service that another one waits for did not become healthy.",
        fix=(
            "Read why: `docker compose logs {service}`, `docker inspect --format '{{json "
            ".State.Health}}' {service}`; correct it, or its healthcheck (start_period, retries)."
        ),
        source=_COMPOSE + "#healthcheck",
        example="dependency failed to start: container shop-mongo-1 is unhealthy",
        counter=" Container shop-mongo-1  Healthy",
    ),
    Signature(
        failure_class="docker",
        subcause="compose-file-invalid",
        pattern=(
            r"yaml: line \d{1,5}"
            r"|services\.[\w.-]{1,80}[^\n]{0,80}(?:must be|is not allowed|Additional propert"
            r"|invalid|contains)|Additional propert\w{1,4} [^\n]{0,60}not allowed"
            r"|compose file[^\n]{0,120}(?:invalid|unsupported)"
            r"|required variable (?P<variable>\w{1,80}) is missing|validating [^\n]{1,200}:"
        ),
        texts=(
            "yaml:  | no configuration file provided | undefined network | undefined volume"
            " | undefined service | refers to undefined | has neither an image nor a build"
            " | depends on undefined | invalid interpolation | no such service"
            " | mapping values are not allowed"
        ),
        without=r"Dockerfile|RUN ",
        channels=(COMPOSE, DOCKER_BUILD),
        weight=0.94,
        meaning="The Compose file cannot be read, or is not valid.",
        fix=("Correct the place that the message names; `docker compose config --quiet` checks the file."),
        source="https://docs.docker.com/reference/compose-file/",
        example="services.loader.ports must be a list",
        counter="services: 2",
    ),
    Signature(
        failure_class="docker",
        subcause="env-file-missing",
        pattern=(
            r"env file (?P<path>\S{1,200}) not found|couldn't find env file:? ?(?P<other>\S{0,200})"
            r"|open (?P<env>\S{0,200}\.env): no such file"
        ),
        channels=(COMPOSE, DOCKER_BUILD),
        weight=0.96,
        meaning="The Compose file names an env file that is not there.",
        fix=("Create {path} (`cp .env.example {path}` where there is one), or take it out of `env_file`."),
        source=_COMPOSE + "#env_file",
        example="env file /srv/shop/.env not found: stat /srv/shop/.env: no such file or directory",
        counter="env file read",
    ),
    Signature(
        failure_class="docker",
        subcause="network-in-use",
        pattern=(
            r"network [\w.-]{1,80} (?:is in use|declared as external|not found)"
            r"|address pools? ha(?:s|ve) been fully"
            r"|Conflict\. The container name \"/?(?P<service>[\w.-]{1,100})"
        ),
        texts=(
            "has active endpoints | pool overlaps | non-overlapping IPv4 | resource is still in use"
            " | volume is in use | needs to be recreated"
        ),
        channels=(COMPOSE,),
        weight=0.92,
        meaning="A network, volume or container of an earlier run stands in the way.",
        fix=(
            "Take away what is left over: `docker compose down --remove-orphans`, then `docker "
            "network ls` and `docker network rm {network}` (`docker rm -f {service}`)."
        ),
        source=_ERRORS,
        example="error while removing network: network shop_default has active endpoints",
        counter=" Network shop_default  Created",
    ),
)
