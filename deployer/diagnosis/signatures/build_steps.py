"""A step of the build failed: base image, system packages, tools, memory, disk."""

from deployer.diagnosis.signature import (
    COMPOSE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    Signature,
)

_BUILD = (DOCKER_BUILD,)
_DOCKERFILE = "https://docs.docker.com/reference/dockerfile/"
_APT = "https://manpages.debian.org/stable/apt/apt-get.8.en.html"

BUILD_STEPS = (
    Signature(
        failure_class="docker",
        subcause="disk-full-build",
        texts=(
            "no space left on device | disk quota exceeded | disk is full | disk full"
            " | not enough free space | not enough disk space | not enough space"
            " | have enough free space"
        ),
        names="ENOSPC",
        channels=(DOCKER_BUILD, DOCKER_PUSH),
        weight=0.96,
        meaning="The disk of the machine that builds is full.",
        fix=(
            "See what takes it and free it: `docker system df`, then `docker builder prune` and "
            "`docker image prune --all` (read what they delete), or enlarge the disk."
        ),
        source="https://docs.docker.com/engine/manage-resources/pruning/",
        example="failed to register layer: write /usr/lib/libx.so: no space left on device",
        counter="#5 DONE 3.2s",
    ),
    Signature(
        failure_class="docker",
        subcause="build-oom",
        pattern=(
            r"(?:exit|non-zero|return\w{0,4})[^\n]{0,20}code:? ?\(?137"
            r"|^\W{0,3}(?:\S{1,40}: )?Killed\W{0,3}$|\bOOM\b"
        ),
        texts=(
            "signal: killed | signal: terminated | cannot allocate memory | out of memory"
            " | ResourceExhausted | Killed signal | heap limit"
        ),
        names="MemoryError ENOMEM",
        channels=_BUILD,
        weight=0.95,
        exit_codes=(137,),
        meaning="The builder ran out of memory in a step.",
        fix=(
            "Give the builder more memory (Docker Desktop: Settings, Resources), or make the step "
            "need less: wheels instead of compiling, fewer jobs (`MAKEFLAGS=-j1`), "
            "NODE_OPTIONS=--max-old-space-size=2048."
        ),
        source="https://docs.docker.com/engine/containers/resource_constraints/",
        example="The command '/bin/sh -c pip install -r requirements.txt' returned a non-zero code: 137",
        counter="#5 9.137 Collecting pandas",
    ),
    Signature(
        failure_class="docker",
        subcause="base-image-pull",
        pattern=(
            r"manifest (?:for [^\n]{0,200})?(?:not found|unknown)"
            r"|failed to (?:solve|resolve)[^\n]{0,300}: not found"
            r"|repository [^\n]{0,120}(?:not found|does not exist)|image[^\n]{0,200}: not found"
            r"|schema ?(?:version )?1\b|load metadata for [^\n]{0,200}(?:error|failed)"
        ),
        texts=(
            "pull access denied | may require 'docker login | insufficient_scope"
            " | unable to find image | no such image | invalid checksum digest"
            " | requested access to the resource is denied | no match for platform"
            " | no matching manifest | does not match the specified platform"
            " | does not match the detected platform | failed to load metadata"
            " | failed to resolve source metadata"
        ),
        without=(
            r"i/o timeout|no such host|unreachable|TLS handshake|x509|failed to do request"
            r"|basic auth|authorization token|dial tcp|unexpected status|compute cache key"
            r"|calculate checksum|429|40[13] |: \"/"
        ),
        channels=(DOCKER_BUILD, COMPOSE),
        weight=0.87,
        meaning="The base image does not exist under that name, tag or platform, or is private.",
        fix=(
            "Correct FROM: `docker buildx imagetools inspect {image}` must find it; for a private "
            "one log in first (`docker login`)."
        ),
        source=_DOCKERFILE + "#from",
        example=(
            "failed to solve: acme/python:3.99: failed to resolve source metadata for "
            "docker.io/acme/python:3.99: not found"
        ),
        counter="#2 [internal] load metadata for docker.io/library/python:3.12",
    ),
    Signature(
        failure_class="docker",
        subcause="system-packages",
        pattern=(
            r"^\W{0,3}E: (?!Failed to fetch|Unable to fetch)\S"
            r"|apt-get[^\n]{0,300}(?:non-zero|returned|did not complete|exit code)"
            r"|(?:apk|yum|dnf|microdnf|apt)\b[^\n]{0,200}(?:ERROR|unsatisfiable|no match|non-zero"
            r"|did not complete)|no package [^\n]{0,80} available"
            r"|Failed to fetch [^\n]{0,200}\b404\b|Release file[^\n]{0,80}(?:not valid|expired)"
        ),
        texts=(
            "unable to locate package | has no installation candidate | hash sum mismatch"
            " | does not have a release file | unmet dependencies | held broken packages"
            " | is not signed | no_pubkey | public key is not available"
            " | signatures couldn't be verified | at least one invalid signature"
            " | unsatisfiable constraints | unable to select packages | unable to find a match"
            " | dpkg: error | sub-process /usr/bin/dpkg | some packages could not be installed"
            " | problem with mergelist | no match for argument | no such package"
            " | failed to download metadata for repo | keyserver receive failed | ERROR: /lib/apk"
            " | 404  Not Found [IP | mirrorlist | repomd.xml"
        ),
        without=(
            r"temporary error|Temporary failure|Could not (?:connect|resolve)"
            r"|connection (?:failed|timed out)|50[234]  |no space|code: 137"
        ),
        channels=_BUILD,
        weight=0.89,
        meaning="A system package cannot be had in that base image.",
        fix=(
            "Run `apt-get update` in the same RUN, and take the name that {package} has in that "
            "release (`docker run --rm <base-image> sh -c 'apt-get update && apt-cache policy "
            "{package}'`), or a base image that is still supported."
        ),
        source=_APT,
        example="E: Unable to locate package libpq-devel",
        counter="Setting up libpq-dev (15.8) ...",
    ),
    Signature(
        failure_class="docker",
        subcause="build-tool",
        pattern=(
            r"^[^\w\n]{0,20}(?:chown|chmod|chgrp|useradd|groupadd|adduser|addgroup|usermod|mkdir"
            r"|cp|mv|ln|rm|ls|tar|unzip|sed|install|locale-gen|apt-key|add-apt-repository|cat"
            r"|touch|find|gpg|wget|curl): (?!\(\d|unable to resolve)"
            r"|^[^\w\n]{0,20}(?:/usr)?(?:/bin/)?(?:ba|da)?sh: "
        ),
        texts="dubious ownership | debconf: unable | debconf: falling | uid/gid",
        without=r"exec format error|resolve host|Connection|temporary error|tsc|jest|vite|next|eslint",
        channels=_BUILD,
        weight=0.74,
        meaning=(
            "A shell command of a RUN step failed: a file, user or tool is not in the image at that point."
        ),
        fix=(
            "See what is there at that step: `docker build --target {stage} --progress=plain "
            "--no-cache .`, then `docker run --rm -it <image> sh`; install or create {command} "
            "before it."
        ),
        source=_DOCKERFILE + "#run",
        example="chown: the user loader is not known",
        counter="#5 0.3 chown done",
    ),
)
