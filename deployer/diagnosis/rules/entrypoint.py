"""The container was made and its program did not run: entry point, architecture, permissions, native crashes."""

from deployer.diagnosis.rule import (
    CONTAINER_REASON,
    DECISIVE,
    DOCKER_BUILD,
    ECS,
    TASK,
    TASK_LOG,
    Rule,
)

_START = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/cannot-start-container.html"
_SEEN = (CONTAINER_REASON, *TASK)

ENTRYPOINT: tuple[Rule, ...] = (
    Rule(
        failure_class="aws-config",
        subcause="command-overrides-entrypoint",
        matches=r"exec: \\?\"[^\"\n]*\s[^\"\n]*\\?\"|exec: \\?\"(?:\[|,|\{)|task definition[^\n]*command"
        r"|command[^\n]*task definition|not a directory[^\n]*mount|mount[^\n]*not a directory"
        r"|Are you trying to mount a directory onto a file",
        confidence=0.93,
        channels=_SEEN,
        remedy="`command` or `entryPoint` of the task definition is one string where ECS wants a list, or a volume hides the "
        "image's files: correct the container definition: `aws ecs describe-task-definition --task-definition <family> --query "
        "'taskDefinition.containerDefinitions[].[entryPoint,command,mountPoints]'`.",
        link=_START,
        example='CannotStartContainerError: OCI runtime create failed: exec: "python -m loader": executable file not found in $PATH',
    ),
    Rule(
        failure_class="code",
        subcause="wrong-architecture",
        matches=r"exec format error|exec user process caused[^\n]*format|cannot execute binary file|Exec format"
        r"|ELF[^\n]*(?:wrong|invalid) (?:class|header|architecture)|incompatible architecture|rosetta error"
        r"|qemu: uncaught target signal",
        confidence=DECISIVE + 0.01,
        channels=_SEEN,
        remedy="The image is for another processor than the task's: `docker build --platform linux/amd64 -t <image> .`, push, "
        "and release; or set runtimePlatform.cpuArchitecture to ARM64 (a script without `#!` line says the same).",
        link=_START,
        example="exec /usr/local/bin/python: exec format error",
    ),
    Rule(
        failure_class="code",
        subcause="missing-entrypoint",
        matches=r"executable file not found|exec: [^\n]*(?:not found|no such file)|no such file or directory: unknown"
        r"|exec user process caused[^\n]*no such file|stat [^\n]*: no such file or directory"
        r"|exec \S+: no such file|can't open file '[^\n]*': \[Errno 2\]|(?:^|: )(?:\S+: )?command not found"
        r"|: not found\s*$|No such file or directory: '[^\n]*(?:\.py|\.sh)'|Unable to access jarfile"
        r"|Could not find or load main class|Error: Cannot find module '/|no main manifest attribute"
        r"|starting container process caused[^\n]*(?:not found|no such)|python\d?: can't open file"
        r"|bad interpreter|env: [^\n]*No such file|unable to (?:find|locate) [^\n]*entry ?point"
        r"|No command specified|ls: cannot access|unable to find (?:user|group) |no matching entries in (?:passwd|group)",
        confidence=0.86,
        channels=_SEEN,
        unless=r"manifest|failed to resolve ref|pull image(?! or start)|CannotPull|repository",
        remedy="The program that ENTRYPOINT or CMD names is not in the image (a missing COPY, a wrong path, CRLF line ends in a "
        "script): `docker run --rm --entrypoint sh <image> -c 'ls -l <path>'`, correct the Dockerfile, release again.",
        link=_START,
        example='CannotStartContainerError: OCI runtime create failed: exec: "/app/run.sh": stat /app/run.sh: no such file or directory',
    ),
    Rule(
        failure_class="code",
        subcause="entrypoint-not-executable",
        matches=r"exec[^\n]*permission denied|permission denied: unknown|entrypoint[^\n]*permission denied"
        r"|starting container process caused[^\n]*permission denied|\.sh: Permission denied|^\W*(?:/\S+/)?(?:ba|da)?sh: (?:\d+: |line \d+: )?\S+: Permission denied"
        r"|operation not permitted: unknown",
        confidence=0.88,
        channels=_SEEN,
        remedy="The entry program may not be executed by the container's user: `RUN chmod +x <file>` (or `COPY --chmod=755`) in "
        "the Dockerfile, and release again.",
        link=_START,
        example='unable to start container process: exec: "/entry.sh": permission denied: unknown',
    ),
    Rule(
        failure_class="code",
        subcause="native-library",
        matches=r"cannot open shared object file|version `(?:GLIBC|GLIBCXX|CXXABI)\S*' not found"
        r"|error while loading shared libraries|undefined symbol|symbol not found|Error relocating"
        r"|DLL load failed|UnsatisfiedLinkError|binary incompatibility"
        r"|compiled (?:using|against) (?:NumPy|module|a different)|multiarray failed to import"
        r"|invalid ELF header|Library not (?:loaded|found)|libstdc\+\+|lib\w+\.so"
        r"|was compiled against a different Node|NODE_MODULE_VERSION|UnsupportedClassVersionError",
        confidence=0.88,
        channels=(TASK_LOG, *ECS),
        remedy="A system library or a matching binary is missing in the image: install it in the Dockerfile (`apt-get install "
        "<package>`), or pin wheels that fit the base image, and rebuild.",
        example="ImportError: libpq.so.5: cannot open shared object file: No such file or directory",
    ),
    Rule(
        failure_class="code",
        subcause="native-crash",
        matches=r"Segmentation fault|SIGSEGV|core dumped|SIGABRT|signal 11|Illegal instruction|SIGILL"
        r"|Fatal Python error|double free|stack smashing|SIGBUS|Bus error",
        confidence=0.8,
        channels=_SEEN,
        remedy="Native code crashed: run the same image with the same input locally with `PYTHONFAULTHANDLER=1`, then pin or replace the library "
        "that the last frame names.",
        example="Fatal Python error: Segmentation fault",
    ),
    Rule(
        failure_class="code",
        subcause="native-crash",
        matches="",
        exit_codes=(139, 134, 132, 136),
        confidence=0.62,
        channels=TASK,
        remedy="139 is 128 + SIGSEGV, 134 SIGABRT, 132 SIGILL: native code crashed; run the same image locally with `PYTHONFAULTHANDLER=1`.",
        example="Essential container in task exited",
    ),
    Rule(
        failure_class="code",
        subcause="missing-entrypoint",
        matches="",
        exit_codes=(126, 127),
        confidence=0.62,
        channels=TASK,
        remedy="127: the command is not in the image; 126: it is there and may not be executed. `docker run --rm --entrypoint sh "
        "<image> -c 'ls -l <path>'`, then correct the Dockerfile.",
        link=_START,
        example="Essential container in task exited",
    ),
    Rule(
        failure_class="code",
        subcause="container-start",
        matches=r"CannotStart\w*Error|OCI runtime (?:\w+ failed|error)|unable to start container process"
        r"|failed to create (?:shim|task)|standard_init_linux|exec user process caused|ContainerRuntimeError",
        confidence=0.58,
        channels=_SEEN,
        remedy="The container was made and its program did not start: run the same image locally (`docker run --rm <image>`) and "
        "compare entryPoint and command of the task definition.",
        link=_START,
        example="CannotStartContainerError: OCI runtime create failed: the process did not start",
    ),
    Rule(
        failure_class="code",
        subcause="wrong-architecture-in-build",
        matches=r"exec format error",
        confidence=0.84,
        channels=(DOCKER_BUILD,),
        remedy="A step runs a binary of another processor: take a base image for linux/amd64, or give the builder emulation: "
        "`docker run --privileged --rm tonistiigi/binfmt --install all`.",
        link="https://docs.docker.com/build/building/multi-platform/",
        example="exec /bin/sh: exec format error",
    ),
)
