"""The image could not be built: the engine, the builder, the Dockerfile."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    COMPOSE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    Signature,
)

_BUILD = (DOCKER_BUILD,)
_ENGINE = (DOCKER_BUILD, DOCKER_PUSH, CLIENT_ERROR, COMPOSE)
_DOCKERFILE = "https://docs.docker.com/reference/dockerfile/"
_BUILDKIT = "https://docs.docker.com/build/buildkit/"

BUILDER = (
    Signature(
        failure_class="docker",
        subcause="daemon-permission",
        pattern=(
            r"permission denied[^\n]{0,60}(?:connect to the Docker|docker\.sock|docker daemon)"
            r"|docker\.sock[^\n]{0,200}permission denied|PermissionError[^\n]{0,80}docker"
            r"|docker[^\n]{0,80}PermissionError\(13"
        ),
        channels=_ENGINE,
        weight=0.95,
        meaning="This user may not talk to the Docker engine.",
        fix=(
            "Join the group `docker` and log in anew: `sudo usermod -aG docker $USER && newgrp "
            "docker`; `docker ps` must then answer."
        ),
        source="https://docs.docker.com/engine/install/linux-postinstall/",
        example=(
            "permission denied while trying to connect to the Docker daemon socket at "
            "unix:///var/run/docker.sock"
        ),
        counter="INFO connected to /var/run/docker.sock",
    ),
    Signature(
        failure_class="docker",
        subcause="daemon-unreachable",
        pattern=(
            r"docker\.sock[^\n]{0,120}(?:no such file|refused|not found)"
            r"|client version [\d.]{1,8} is too (?:new|old)"
            r"|failed to (?:dial|find driver|initialize builder|list workers)"
            r"|docker(?:-compose)?: (?:command )?not found"
        ),
        texts=(
            "cannot connect to the docker daemon | is the docker daemon running"
            " | docker daemon is not running | error during connect | http+docker://"
            " | couldn't connect to docker daemon | while fetching server api version"
            " | failed to connect to the docker api | docker endpoint for"
            " | minimum supported api version | buildkitd | pipe/docker_engine | pipe/dockerengine"
            ' | dockerDesktopLinuxEngine | no builder " | unable to resolve docker'
            " | unable to parse docker"
        ),
        names="DockerException",
        channels=_ENGINE,
        weight=0.94,
        meaning="No Docker engine answers on this machine.",
        fix=(
            "Start it (`sudo systemctl start docker`, or Docker Desktop), or point DOCKER_HOST to "
            "the one that runs; `docker version` must then show client and server."
        ),
        source="https://docs.docker.com/engine/daemon/troubleshoot/",
        example=(
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker "
            "daemon running?"
        ),
        counter="INFO docker daemon 27.3 answers",
    ),
    Signature(
        failure_class="docker",
        subcause="base-image-rate-limit",
        texts=(
            "toomanyrequests | HTTP 429 | 429 Too Many Requests | pull rate limit | status code: 429"
            " | status code 429 | received unexpected HTTP status: 429 | received 429 | rate exceeded"
        ),
        channels=(DOCKER_BUILD, DOCKER_PUSH, COMPOSE),
        weight=0.95,
        transient=True,
        meaning="The registry's rate limit, most often Docker Hub's for pulls, stops the build or the push.",
        fix=(
            "Log in (`docker login`) for a higher limit, wait for the window to pass, or take "
            "{image} from public.ecr.aws/docker/library."
        ),
        source="https://docs.docker.com/docker-hub/usage/pulls/",
        example="toomanyrequests: You have reached your pull rate limit.",
        counter="#5 1.429 Collecting pandas",
    ),
    Signature(
        failure_class="docker",
        subcause="buildx-missing",
        pattern=(
            r"'(?P<plugin>buildx)' is not a docker command"
            r"|buildx (?:component|plugin)[^\n]{0,40}(?:missing|broken)"
        ),
        texts=(
            "requires buildkit | docker_buildkit=1 | install the buildx component"
            " | buildx is required | BuildKit is enabled but | unknown shorthand flag"
        ),
        channels=(DOCKER_BUILD, COMPOSE),
        weight=0.95,
        meaning="The build needs BuildKit or Compose, and this machine's docker lacks the plugin.",
        fix=(
            "Install the plugins: `sudo apt-get install -y docker-buildx-plugin "
            "docker-compose-plugin` (Debian's own: docker-buildx, docker-compose; others: "
            "https://github.com/docker/buildx#installing); `docker buildx version` must answer. "
            "The Dockerfile is fine."
        ),
        source=_BUILDKIT,
        example=(
            "the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/ "
            "to learn how to build images with BuildKit enabled"
        ),
        counter="#0 building with buildx 0.17",
    ),
    Signature(
        failure_class="docker",
        subcause="copy-source-missing",
        pattern=(
            r"(?:COPY|ADD) [^\n]{0,200}(?:not found|no such file)|lstat [^\n]{0,200}no such file"
            r"|open '?\S{0,100}package\.json|path \"[^\n\"]{1,200}\" (?:not found|does not exist)"
            r"|\"(?P<path>/[\w./@*+=-]{1,200})\": not found"
        ),
        texts=(
            "forbidden path outside the build context | no source files were specified"
            " | unable to prepare context | unable to evaluate symlinks | error checking context"
            " | could not open requirements file | go.mod file not found"
            " | cannot copy to non-directory | when using copy with more than one"
            " | invalid file request | COPY failed | ADD failed | failed to compute cache key"
            " | failed to calculate checksum of ref | failed to walk | excluded by .dockerignore"
            " | can't stat ' | could not read package.json | can't open file"
            " | could not find `Cargo.toml | could not find Cargo.toml"
        ),
        without=r"(?:read|open) dockerfile|403|docker\.sock",
        channels=_BUILD,
        weight=0.92,
        meaning="A file that the Dockerfile copies is not in the build context.",
        fix=(
            "See that {path} is there, relative to the context, spelled alike and not in "
            ".dockerignore: `ls -l ./{path}; cat .dockerignore`; then correct COPY or build from "
            "the right folder."
        ),
        source=_DOCKERFILE + "#copy",
        example='ERROR: failed to solve: failed to compute cache key: "/dist": not found',
        counter="#4 [internal] load build context",
    ),
    Signature(
        failure_class="docker",
        subcause="system-package-missing",
        pattern=(
            r"(?:command|execute) '(?P<package>\S{0,40}(?:gcc|cc|g\+\+|c\+\+|clang|make|cmake"
            r"|git))' ?(?:failed: No such file|: No such file)"
            r"|\b(?P<tool>gcc|g\+\+|make|cmake|pkg-config)\W{1,4}(?:command )?not found"
            r"|\w{1,30}[_-]config (?:executable )?(?:is )?not found"
            r"|fatal error: [^\n]{0,100}\.h(?:pp)?: No such file|compiler[^\n]{0,40}not installed"
            r"|Cannot find command '(?P<command>git|hg|svn)'|\bgit: (?:command )?not found"
        ),
        texts=(
            "can't find Rust compiler | No such file or directory: 'git'"
            " | do you have 'git' installed | spawn git ENOENT"
        ),
        channels=_BUILD,
        weight=0.93,
        meaning=("A system package that a build step needs (a compiler, git, headers) is not in the image."),
        fix=(
            "Install it before that step: `RUN apt-get update && apt-get install -y "
            "--no-install-recommends {command}` (compilers: build-essential; headers: the -dev "
            "package; Alpine: `apk add`)."
        ),
        source="https://docs.docker.com/build/building/best-practices/#apt-get",
        example="ERROR: Cannot find command 'git' - do you have 'git' installed and in your PATH?",
        counter="Setting up git (1:2.39.5)",
    ),
    Signature(
        failure_class="docker",
        subcause="externally-managed",
        pattern=r"externally[- ]managed",
        channels=_BUILD,
        weight=0.96,
        meaning="The distribution's Python does not let pip install into it.",
        fix=(
            "Use a virtual environment: `RUN python3 -m venv /opt/venv && /opt/venv/bin/pip "
            "install ...` and `ENV PATH=/opt/venv/bin:$PATH` (or `pip install "
            "--break-system-packages`)."
        ),
        source="https://peps.python.org/pep-0668/",
        example="error: externally-managed-environment",
        counter="Installing collected packages: pymongo",
    ),
    Signature(
        failure_class="docker",
        subcause="dockerfile-error",
        pattern=(
            r"[Dd]ockerfile[^\n]{0,80}no such file|Unknown (?:flag|type|option)s?\b"
            r"|requires (?:at least|exactly) (?:one|two|\d) argument|missing '?}'?"
            r"|the --(?:chmod|chown|platform|link) option"
        ),
        texts=(
            "no build stage in current context | circular dependency detected"
            " | file with no instructions | should not be blank | please provide a source image"
            " | invalid reference format | dockerfile parse error | unknown instruction"
            " | Dockerfile cannot be empty | failed to read dockerfile | failed to open dockerfile"
            " | Cannot locate specified Dockerfile | Cannot locate Dockerfile | invalid from flag"
            " | Syntax error - can't find | can't find = in | FROM requires | base name ("
            ' | failed to process " | unsupported option | unsupported modifier | must be of the form'
            " | target stage | failed to parse platform | failed to parse stage"
            " | unexpected end of statement"
        ),
        without=r"no space left|deadline|i/o timeout|no such host|requires BuildKit|\.config: ",
        channels=(DOCKER_BUILD, COMPOSE),
        weight=0.9,
        meaning=("The Dockerfile, or the command that builds it, has a mistake, or needs a newer builder."),
        fix=(
            "Correct line {dockerfile_line} of the Dockerfile; an unknown flag ({flag}) needs "
            "BuildKit or a newer syntax: put `# syntax=docker/dockerfile:1` on its first line; "
            "`docker build --check .` checks it."
        ),
        source=_DOCKERFILE,
        example="failed to solve: dockerfile parse error on line 4: unknown instruction: RUNN",
        counter="#1 [internal] load build definition from Dockerfile",
    ),
)
