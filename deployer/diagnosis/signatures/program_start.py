"""What the container starts is not there, not executable, or for another machine."""

from deployer.diagnosis.signature import (
    COMPOSE,
    CONTAINER_REASON,
    DOCKER_BUILD,
    ECS,
    TASK_LOG,
    Signature,
)

_RUN = (TASK_LOG, COMPOSE)
_START = (CONTAINER_REASON, *_RUN, *ECS)
_PULL = r"CannotPull|failed to resolve ref|image manifest|manifest unknown|/var/lib/(?:docker|containerd)"

PROGRAM_START = (
    Signature(
        failure_class="code",
        subcause="wrong-architecture",
        pattern=r"ELF[^\n]{0,60}(?:wrong|invalid) (?:class|header|architecture)",
        texts=(
            "exec format error | cannot execute binary file | incompatible architecture"
            " | rosetta error | qemu: uncaught"
        ),
        channels=(*_START, DOCKER_BUILD),
        weight=0.95,
        meaning="The binary in the image is for another processor.",
        fix=(
            "Build for the processor of the task (`docker build --platform linux/amd64 .`, or "
            "linux/arm64), or set runtimePlatform.cpuArchitecture in the task definition; "
            "{command} is what could not run."
        ),
        source="https://docs.docker.com/build/building/multi-platform/",
        example="exec /app/loader: exec format error",
        counter="INFO architecture amd64",
    ),
    Signature(
        failure_class="code",
        subcause="missing-entrypoint",
        pattern=(
            r"exec:? [^\n]{0,200}(?:not found|no such file)"
            r"|stat [^\n]{0,200}: no such file or directory"
            r"|can't open file '[^\n']{0,200}': \[Errno 2\]|(?:^|: )(?:\S{1,80}: )?command not found"
            r"|^(?:/bin/)?(?:ba|da)?sh: (?:line )?(?:\d{1,4}: )?\S{1,100}: not found"
            r"|No such file or directory: '[^\n']{0,200}(?:\.py|\.sh)'|env: [^\n]{0,100}No such file"
            r"|caused[^\n]{0,200}no such file|^\W{0,3}exec \S{1,100}: no such file"
        ),
        texts=(
            "unable to access jarfile | could not find or load main class | executable file not found"
            " | no such file or directory: unknown | Error: Cannot find module '/ | bad interpreter"
            " | no main manifest attribute | no command specified | unable to find user"
            " | unable to find group | chdir to cwd"
        ),
        without=(_PULL + r"|RUN |docker-credential"),
        channels=_START,
        weight=0.87,
        exit_codes=(127,),
        meaning="What the container should start is not in the image.",
        fix=(
            "See what the image has: `docker run --rm --entrypoint sh <image> -c 'command -v "
            "{command}; ls -l {command}'`; correct ENTRYPOINT or CMD in the Dockerfile (or "
            "`command` in the task definition), and line ends (CRLF) of scripts."
        ),
        source="https://docs.docker.com/reference/dockerfile/#entrypoint",
        example=(
            'OCI runtime create failed: exec: "/app/start.sh": stat /app/start.sh: no such file or directory'
        ),
        counter="INFO entrypoint /app/start.sh",
    ),
    Signature(
        failure_class="code",
        subcause="entrypoint-not-executable",
        pattern=(
            r"(?:exec|entrypoint|caused)[^\n]{0,200}permission denied"
            r"|(?:ba|da)?sh: (?:\d{1,4}: |line \d{1,4}: )?\S{1,100}: Permission denied"
        ),
        texts="permission denied: unknown | .sh: permission denied | operation not permitted: unknown",
        without=r"docker\.sock|/var/run/docker|apk/db",
        channels=_START,
        weight=0.9,
        exit_codes=(126,),
        meaning="The entry point is not executable, or not for the user of the image.",
        fix=(
            "Make it executable and build again: `chmod +x {path}`, `git update-index --chmod=+x "
            "{path}`, or `COPY --chmod=755` in the Dockerfile ({command})."
        ),
        source="https://docs.docker.com/reference/dockerfile/#copy---chown---chmod",
        example='unable to start container process: exec: "/app/start.sh": permission denied: unknown',
        counter="INFO permissions checked",
    ),
    Signature(
        failure_class="code",
        subcause="native-library",
        pattern=(
            r"version `(?:GLIBC|GLIBCXX|CXXABI)\S{0,20}' not found"
            r"|compiled (?:using|against) (?:NumPy|module|a different)|(?-i:invalid ELF header)"
            r"|\blib[\w+-]{1,40}\.so[\w.]{0,12}\b[^\n]{0,60}(?:not found|no such|cannot)"
        ),
        texts=(
            "error while loading shared libraries | numpy is not available"
            " | has been compiled by a more recent version | digital envelope routines::unsupported"
            " | cannot open shared object | cannot load library | no library called"
            " | undefined symbol | symbol not found | Error relocating | DLL load failed"
            " | binary incompatib | multiarray failed | different Node | CPU does not support"
        ),
        names="UnsatisfiedLinkError UnsupportedClassVersionError NODE_MODULE_VERSION",
        channels=(*_RUN, *ECS),
        weight=0.9,
        meaning="A system library that the program needs is missing or of another version.",
        fix=(
            "Install {library} in the image (`apt-get install -y --no-install-recommends ...`, "
            "`apt-file search {library}` names the package), or build on the same base image as "
            "the one that runs."
        ),
        source="https://docs.docker.com/build/building/best-practices/",
        example="ImportError: libpq.so.5: cannot open shared object file: No such file or directory",
        counter="INFO libpq loaded",
    ),
    Signature(
        failure_class="code",
        subcause="native-crash",
        pattern=r"\bsignal 11\b",
        texts=(
            "Segmentation fault | core dumped | Illegal instruction | Fatal Python error"
            " | double free | stack smashing | Bus error | Fatal glibc error"
        ),
        names="SIGSEGV SIGABRT SIGILL SIGBUS",
        channels=_START,
        weight=0.8,
        exit_codes=(132, 134, 135, 136, 139),
        meaning="Native code crashed (128 + the signal's number).",
        fix=(
            "Find the library: run it with `PYTHONFAULTHANDLER=1` (or under gdb) and read the last "
            "frames; then pin another version of it, or build for the task's processor."
        ),
        source="https://docs.python.org/3/library/faulthandler.html",
        example="Segmentation fault (core dumped)",
        counter="INFO 11 signals handled",
    ),
)
