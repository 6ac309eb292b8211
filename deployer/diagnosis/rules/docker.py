"""The image was not built: Dockerfile, context, base image, the builder itself."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    DECISIVE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    GENERIC,
    Rule,
)

_BUILD = (DOCKER_BUILD, DOCKER_PUSH, CLIENT_ERROR)
_DOCKERFILE = "https://docs.docker.com/reference/dockerfile/"
_DAEMON = "https://docs.docker.com/engine/daemon/troubleshoot/"

DOCKER: tuple[Rule, ...] = (
    Rule(
        failure_class="docker",
        subcause="daemon-permission",
        matches=r"permission denied while trying to connect to the Docker|docker\.sock[^\n]*permission denied"
        r"|permission denied[^\n]*docker\.sock|PermissionError[^\n]*docker|docker[^\n]*PermissionError\(13",
        confidence=DECISIVE,
        channels=_BUILD,
        remedy="Let your user use the daemon: `sudo usermod -aG docker $USER`, then log in again.",
        link="https://docs.docker.com/engine/install/linux-postinstall/",
        example="permission denied while trying to connect to the Docker daemon socket",
    ),
    Rule(
        failure_class="docker",
        subcause="daemon-unreachable",
        matches=r"Cannot connect to the Docker daemon|Is the docker daemon running|docker daemon is not running"
        r"|error during connect|pipe/docker_?engine|http\+docker://|dockerDesktopLinuxEngine"
        r"|docker\.sock[^\n]*(?:no such file|refused|not found)|Couldn't connect to Docker daemon"
        r"|Error while fetching server API version|docker(?:-compose)?: (?:command )?not found"
        r"|failed to connect to the docker API|client version [\d.]+ is too (?:new|old)|DockerException"
        r"|docker endpoint for|buildkit daemon|buildkitd"
        r"|failed to (?:dial|find driver|initialize builder|list workers)|no builder \""
        r"|unable to (?:resolve|parse) docker|minimum supported API version",
        confidence=0.93,
        channels=_BUILD,
        remedy="Start the Docker engine on this machine (`sudo systemctl start docker`, or Docker Desktop) until `docker info` "
        "answers.",
        link=_DAEMON,
        example="Cannot connect to the Docker daemon at tcp://10.1.2.3:2375",
    ),
    Rule(
        failure_class="docker",
        subcause="base-image-rate-limit",
        matches=r"toomanyrequests|Too Many Requests|pull rate limit|\b429\b|Rate exceeded",
        confidence=0.94,
        channels=(DOCKER_BUILD, DOCKER_PUSH),
        remedy="Docker Hub (or ECR Public) limits anonymous pulls: `docker login`, or wait, or take the base image from a mirror of "
        "your own (`--build-arg PYTHON_IMAGE=<image>`).",
        link="https://docs.docker.com/docker-hub/usage/",
        transient=True,
        example="toomanyrequests: You have reached your unauthenticated pull rate limit.",
    ),
    Rule(
        failure_class="docker",
        subcause="copy-source-missing",
        matches=r"COPY failed|ADD failed|failed to (?:compute cache key|calculate checksum of ref)"
        r"|excluded by \.dockerignore|(?:COPY|ADD)[^\n]*(?:not found|no such file|forbidden path)"
        r"|forbidden path outside the build context|failed to walk|lstat [^\n]*no such file"
        r"|no source files were specified|build context|must end with a /|When using COPY"
        r"|unable to (?:prepare|evaluate) (?:context|symlinks)|error checking context|can't stat '"
        r"|file with no instructions|not a directory|Could not open requirements file|could not read package\.json|open '?\S*package\.json|go\.mod file not found|can't open file|could not find `?Cargo\.toml|path \"[^\n]*\" not found",
        confidence=0.9,
        channels=(DOCKER_BUILD,),
        remedy="COPY names a file that is not in the build context: correct the path, the directory you build from, or take the "
        "pattern out of .dockerignore.",
        link="https://docs.docker.com/build/concepts/context/",
        example='failed to compute cache key: failed to calculate checksum of ref 0a::1b: "/requirements.txt": not found',
    ),
    Rule(
        failure_class="docker",
        subcause="system-package-missing",
        matches=r"(?:command|execute) '\S*(?:gcc|cc|g\+\+|c\+\+|clang|make|cmake|git)' ?(?:failed: No such file|: No such file)"
        r"|\b(?:gcc|g\+\+|make|cmake|git|pkg-config)\W+(?:command )?not found|\w+[_-]config (?:executable )?not found"
        r"|fatal error: [^\n]*\.h(?:pp)?: No such file|compiler[^\n]*not installed|can't find Rust compiler",
        confidence=0.9,
        channels=(DOCKER_BUILD,),
        remedy="A package is compiled in this image, and the image lacks the compiler or a library's headers: install them in the build "
        "stage (`apt-get install --yes gcc python3-dev`, or the -dev package of the header named), or pin a version with a ready wheel.",
        link=_DOCKERFILE,
        example="error: command 'gcc' failed: No such file or directory",
    ),
    Rule(
        failure_class="docker",
        subcause="dockerfile-error",
        matches=r"[Dd]ockerfile parse error|unknown instruction|Dockerfile cannot be empty"
        r"|failed to (?:read|open) dockerfile"
        r"|failed to create LLB definition: (?!failed to (?:authorize|do request|copy))"
        r"|dockerfile[^\n]*no such file|Cannot locate (?:specified )?Dockerfile|unknown flag"
        r"|requires (?:at least|exactly) (?:one|two|\d) argument|no build stage in current context"
        r"|invalid from flag|circular dependency|Syntax error - can't find|Unknown (?:type|flag)"
        r"|the --(?:mount|chmod|chown|platform) option requires|requires BuildKit|can't find = in"
        r"|FROM requires|base name \(|should not be blank|failed to process \"|missing '?}'?"
        r"|unsupported (?:option|modifier)|Please provide a source image|must be of the form"
        r"|invalid reference format|failed to parse (?:stage|platform)|heredoc"
        r"|docker(?: buildx)? build\"? requires|target stage [^\n]*(?:not|could not)"
        r"|repository name must be lowercase|invalid tag|invalid argument \"|dockerfile:\d+|Dockerfile:\d+",
        confidence=0.82,
        channels=(DOCKER_BUILD,),
        unless=r"no space left|context deadline|i/o timeout|no such host",
        remedy="Correct the Dockerfile in the line that the message names; `docker build --check .` lints it.",
        link=_DOCKERFILE,
        example="dockerfile parse error on line 7: unknown instruction: RUNN",
    ),
    Rule(
        failure_class="docker",
        subcause="disk-full-build",
        matches=r"no space left on device|(?-i:\bENOSPC\b)|Disk quota exceeded|disk (?:is )?full"
        r"|not enough (?:free |disk )?space|You don't have enough free space",
        confidence=0.96,
        channels=(DOCKER_BUILD, DOCKER_PUSH),
        remedy="The disk of the machine that builds is full: `docker system df`, `docker system prune --all --volumes` (read what it "
        "deletes), or enlarge the disk.",
        link="https://docs.docker.com/config/pruning/",
        example="failed to register layer: write /usr/lib/libx.so: no space left on device",
    ),
    Rule(
        failure_class="docker",
        subcause="build-oom",
        matches=r"(?:exit|non-zero|return\w*)[^\n]*code:? ?\(?137|exit code:? 137|^\W*Killed\W*$|signal: killed"
        r"|signal: terminated|Cannot allocate memory|MemoryError|heap out of memory|out of memory|\bOOM\b"
        r"|ResourceExhausted|(?-i:\bENOMEM\b)|cc1plus[^\n]*Killed|Killed signal terminated"
        r"|returned? (?:a )?(?:non-zero )?code:? ?137",
        confidence=0.94,
        channels=(DOCKER_BUILD,),
        remedy="The builder ran out of memory in a step: give Docker more memory (Docker Desktop: Settings, Resources), or make the step "
        "lighter (wheels instead of compiling, fewer parallel jobs).",
        link="https://docs.docker.com/engine/containers/resource_constraints/",
        example="The command '/bin/sh -c pip install -r requirements.txt' returned a non-zero code: 137",
    ),
    Rule(
        failure_class="docker",
        subcause="build-oom",
        matches="",
        exit_codes=(137,),
        confidence=0.8,
        channels=(DOCKER_BUILD, DOCKER_PUSH),
        remedy="137 is 128 + SIGKILL: the builder ran out of memory in a step; give Docker more memory or make the step lighter.",
        example="The build was stopped",
    ),
    Rule(
        failure_class="docker",
        subcause="base-image-pull",
        matches=r"pull access denied|may require 'docker login|manifest (?:for [^\n]* )?(?:not found|unknown)"
        r"|manifest unknown|failed to (?:solve|resolve)[^\n]*: not found"
        r"|failed to resolve source metadata[^\n]*not found|no match for platform|no matching manifest"
        r"|repository [^\n]*(?:not found|does not exist)|insufficient_scope|unable to find image|No such image"
        r"|does not match the (?:specified|detected) platform|image[^\n]*: not found|invalid checksum digest"
        r"|requested access to the resource is denied|failed to load metadata|load metadata for|Schema ?1"
        r"|schema version 1",
        confidence=0.82,
        channels=(DOCKER_BUILD,),
        unless=r"i/o timeout|no such host|network is unreachable|TLS handshake|x509|failed to authorize"
        r"|failed to do request|basic auth|authorization token|dial tcp",
        remedy="The base image does not exist under that name, tag or platform, or is private: correct FROM (`docker buildx imagetools "
        "inspect <image>`).",
        link=_DOCKERFILE,
        example="failed to solve: acme/python:3.99: failed to resolve source metadata for docker.io/acme/python:3.99: not found",
    ),
    Rule(
        failure_class="docker",
        subcause="system-packages",
        matches=r"Unable to locate package|has no installation candidate|Hash Sum mismatch"
        r"|does not have a Release file|apt-get[^\n]*(?:exit|non-zero|returned|did not complete)"
        r"|unmet dependencies|held broken packages|is not signed|NO_PUBKEY|public key is not available"
        r"|signatures couldn't be verified|Failed to fetch [^\n]*404|Release file[^\n]*(?:not valid|expired)"
        r"|invalid signature|At least one invalid signature"
        r"|(?:apk|yum|dnf|microdnf|apt)[^\n]*(?:ERROR|unsatisfiable|No match|returned|exit)"
        r"|unsatisfiable constraints|unable to select packages|No package [^\n]* available"
        r"|Unable to find a match|dpkg: error|debconf|Sub-process /usr/bin/dpkg|repomd\.xml"
        r"|Some packages could not be installed|Problem with MergeList|is no longer (?:available|valid)"
        r"|404  Not Found \[IP|E: (?:Package|Version|The (?:repository|value|package))|jessie|\bstretch\b"
        r"|buster[^\n]*404|mirrorlist\.centos",
        unless=r"temporary error \(try again later\)|Temporary failure resolving|Could not connect to",
        confidence=0.84,
        channels=(DOCKER_BUILD,),
        remedy="A system package is not to be had in that base image: `apt-get update` in the same RUN, the package's name in that "
        "release (`apt-cache policy <package>`), or a base image that is still supported.",
        link="https://docs.docker.com/build/building/best-practices/#apt-get",
        example="E: Unable to locate package libpq-devel",
    ),
    Rule(
        failure_class="docker",
        subcause="builder",
        matches=r"failed to (?:solve|export|register layer|get layer|create (?:shim|endpoint|task)|mount|load cache|prepare|compute|configure registry|import)"
        r"|exporter|cache (?:export|key|mount)|ApplyLayer|max depth exceeded|overlay2?|layer does not exist|processing tar file|uid/gid"
        r"|storage driver|OCI runtime|runc|cgroup|iptables|driver (?:not connecting|failed)"
        r"|docker-container driver|buildx|multi-?platform|BuildKit|invalid file request|secret \S+ not found"
        r"|frontend|gateway\.v0|executor failed|rpc error|unknown blob|mount options|devmapper|btrfs"
        r"|containerd|compose file|services\.\S+|yaml:|Conflict\. The container name|port is already allocated"
        r"|Bind for|no configuration file provided|undefined (?:network|volume|service)"
        r"|network [^\n]* not found",
        confidence=GENERIC,
        channels=(DOCKER_BUILD,),
        remedy="The builder itself failed: read the step it names; `docker buildx prune` and a restart of the engine clear a damaged "
        "cache.",
        link=_DAEMON,
        example="failed to solve: failed to prepare 0a as 1b: invalid argument",
    ),
    Rule(
        failure_class="docker",
        subcause="build-tool",
        matches=r"^[^\w\n]{0,20}(?:chown|chmod|chgrp|useradd|groupadd|adduser|addgroup|usermod|mkdir|cp|mv|ln|rm|ls|tar|unzip|sed|sh"
        r"|install|locale-gen|update-\w+|apt-key|add-apt-repository|git|wget|curl|cat|touch|find): "
        r"|^[^\w\n]{0,20}(?:/usr)?/bin/(?:ba|da)?sh: ",
        confidence=0.7,
        channels=(DOCKER_BUILD,),
        unless=r"exec format error",
        remedy="A shell command of a RUN step failed: a file, user or tool that it counts on is not in the image at that point; see "
        "what is there with `docker build --target <stage> --progress=plain --no-cache .`.",
        link=_DOCKERFILE,
        example="chown: the user loader is not known",
    ),
    Rule(
        failure_class="docker",
        subcause="build-step-failed",
        matches=r"returned a non-zero code|did not complete successfully|executor failed running|exit code: \d+"
        r"|failed to build|exit status \d+|Build failed",
        confidence=0.42,
        channels=(DOCKER_BUILD,),
        remedy="A RUN step ended with an error: read the lines above it; `docker build --progress=plain --no-cache .` shows them all.",
        link=_DOCKERFILE,
        example="The command '/bin/sh -c ./configure' returned a non-zero code: 2",
    ),
    Rule(
        failure_class="docker",
        subcause="push-failed",
        matches=r"does not exist locally|tag does not exist|An image does not exist|No such image"
        r"|layer[^\n]*(?:not found|does not exist)|blob upload|manifest invalid|unknown blob"
        r"|invalid reference format|unsupported (?:manifest|media)|repository name must be|Layer digest",
        confidence=0.83,
        channels=(DOCKER_PUSH,),
        remedy="What is pushed is not there under that name: `docker image ls`, `docker tag <image> <registry>/<repository>:<tag>`, then "
        "push that name.",
        link="https://docs.aws.amazon.com/AmazonECR/latest/userguide/docker-push-ecr-image.html",
        example="An image does not exist locally with the tag: 111122223333.dkr.ecr.eu-west-3.amazonaws.com/loader",
    ),
)
