"""A step of the build failed: what the program depends on, or the program itself."""

from deployer.diagnosis.signature import (
    DOCKER_BUILD,
    Signature,
)

_BUILD = (DOCKER_BUILD,)
_BUILDKIT = "https://docs.docker.com/build/buildkit/"
_PIP = "https://pip.pypa.io/en/stable/topics/dependency-resolution/"
_NETWORK = (
    r"name resolution|establish a new connection|(?:read|connect)(?:ion)? ?timed? ?out"
    r"|connection broken|getaddrinfo|Max retries|ProxyError|SSLError|ETIMEDOUT|ECONNRESET"
    r"|ENOTFOUND|CERTIFICATE|CERT_IN_CHAIN|dial tcp|connect to \S{1,80} failed"
    r"|\b40[13] (?:Error|Client)|network aborted"
)

DEPENDENCIES = (
    Signature(
        failure_class="code",
        subcause="dependency-conflict",
        pattern=(
            r"depends on [^\n]{0,120}which doesn't match"
            r"|Python version [><=]{1,2} ?[\d.]{1,6} required"
        ),
        texts=(
            "conflicting dependencies | conflict is caused by | dependency conflict"
            " | version solving failed | no solution found | unable to resolve dependency tree"
            " | could not resolve dependencies | could not find compatible versions"
            " | resolved to an installable set | supported Python range | requires a different Python"
            " | Requires-Python | conflicting peer | resolution-too-deep | Your Ruby version is"
            " | requires go >= | compatible with some of the required"
        ),
        names="ResolutionImpossible SolverProblemError UnsatisfiableError ResolutionFailure ERESOLVE",
        without=_NETWORK,
        channels=_BUILD,
        weight=0.94,
        meaning="The versions that the dependencies ask for do not fit together.",
        fix=(
            "Resolve them on your machine (`pip install --dry-run -r requirements.txt`; npm: `npm "
            "ls {package}`), loosen or pin {package}, commit the pins, build again."
        ),
        source=_PIP,
        example=(
            "ERROR: Cannot install -r requirements.txt (line 2) and acme==1.2 because these "
            "package versions have conflicting dependencies."
        ),
        counter="Collecting acme==1.2",
    ),
    Signature(
        failure_class="code",
        subcause="package-missing",
        pattern=r"404 Not Found[^\n]{0,120}npm",
        texts=(
            "could not find a version that satisfies | no matching distribution found"
            " | no matching version | could not find artifact | No module named | cannot find module"
            " | Cannot find package | unknown revision | couldn't find any versions"
            " | couldn't find package | no matching package | supported wheel | could not find gem"
            " | is not in std | is not in GOROOT | no required module | Unable to find package"
            " | cannot import name"
        ),
        names="ModuleNotFoundError ImportError E404 ETARGET",
        without=(_NETWORK + r"|No such file or directory: 'git'"),
        channels=_BUILD,
        weight=0.91,
        meaning="A package that the program asks for does not exist in that version for that platform.",
        fix=(
            "Correct {package} in the requirements: `pip index versions {package}` (npm: `npm view "
            "{package} versions`) shows what there is; build again."
        ),
        source=_PIP,
        example=(
            "ERROR: Could not find a version that satisfies the requirement acme==9 (from versions: 1, 2)"
        ),
        counter="Collecting acme==1.2",
    ),
    Signature(
        failure_class="code",
        subcause="requirements-invalid",
        pattern=r"npm ci\W[^\n]{0,120}(?:can only install|in sync|lock)|go\.(?:mod|sum)\b",
        texts=(
            "Could not install packages due to an OSError"
            " | Could not install packages due to an EnvironmentError | invalid requirement"
            " | MATCH THE HASHES | hashes are required | package-lock.json | yarn.lock | lockfile"
            " | poetry.lock | Pipfile.lock | valid editable | neither 'setup.py' nor"
            " | pyproject.toml changed | invalid version | lock file might not"
        ),
        names="InvalidVersion InvalidRequirement EUSAGE EJSONPARSE EBADENGINE",
        without=(_NETWORK + r"|go\.mod file not found|requires go"),
        channels=_BUILD,
        weight=0.89,
        meaning="The list of dependencies or its lock file cannot be used.",
        fix=(
            "Write it anew on your machine (`pip freeze`, `poetry lock`, `npm install`, `go mod "
            "tidy`), commit it, build again; {path} is what the message names."
        ),
        source="https://pip.pypa.io/en/stable/reference/requirements-file-format/",
        example=(
            "npm ERR! `npm ci` can only install packages when your package.json and "
            "package-lock.json are in sync"
        ),
        counter="added 120 packages in 3s",
    ),
    Signature(
        failure_class="code",
        subcause="wheel-build",
        pattern=(
            r"error: command '[^\n']{1,60}' failed|TS\d{4}:|error TS\d|error\[E\d{2,5}\]"
            r"|error CS\d{4}|error NU\d{4}|error MSB\d|\d{1,4} failed(?:,| in\b|$)"
            r"|Task :\S{1,40} FAILED|\berror (?:Command|An unexpected)"
        ),
        texts=(
            "Failed building wheel | Failed to build installable | could not build wheels"
            " | metadata-generation-failed | subprocess-exited-with-error | setup.py egg_info"
            " | gcc: error | pg_config | rustc | maturin | cargo | node-gyp | gyp ERR"
            " | legacy-install-failure | build backend | bdist_wheel | Cython"
            " | getting requirements to build wheel | compilation failed | compilation error"
            " | compilation failure | failed to execute goal | BUILD FAILURE | npm ERR! | npm error"
            " | cannot find symbol | could not compile | undefined:  | FAILED ( | SyntaxError"
            " | Missing script | Module not found | Error: Failed to compile | Parsing error | vite"
            " | webpack"
        ),
        names="ELIFECYCLE",
        without=(_NETWORK + r"|Killed|heap"),
        channels=_BUILD,
        weight=0.8,
        meaning="The program, or a dependency built from source, does not build.",
        fix=(
            "Run the failing step on your machine and correct what it names ({package} {path}); "
            "for a wheel prefer a version with a wheel for this Python: `pip download "
            "--only-binary :all: {package}`."
        ),
        source="https://pip.pypa.io/en/stable/reference/build-system/",
        example="ERROR: Failed building wheel for acme",
        counter="Successfully built acme",
    ),
    Signature(
        failure_class="code",
        subcause="exception-in-build",
        pattern=r"(?:Assertion|Attribute|Type|Value|Key|Name|Runtime)Error\b",
        texts="Traceback (most recent",
        without=(_NETWORK + r"|Killed|urllib3|/ssl\.py|dockerfile"),
        channels=_BUILD,
        weight=0.55,
        meaning="A program that a build step runs ends with an exception.",
        fix="Run that step on your machine and correct what the last frame names ({path}).",
        source="https://docs.python.org/3/library/exceptions.html",
        example="Traceback (most recent call last):\nValueError: odd",
        counter="#5 DONE 3.2s",
    ),
    Signature(
        failure_class="docker",
        subcause="builder",
        pattern=(
            r"failed to (?:export|register layer|get layer|create (?:shim|endpoint|task)|mount"
            r"|load cache|prepare|configure registry|import|commit|compute)|\brunc\b"
            r"|secret \S{1,40} not found"
        ),
        texts=(
            "cache export | cache key | cache mount | ApplyLayer | max depth exceeded"
            " | layer does not exist | processing tar file | storage driver | OCI runtime | iptables"
            " | docker-container driver | multi-platform | multiplatform | multiple platforms"
            " | gateway.v0 | executor failed | rpc error | mount options | granting entitlement"
            " | containerd | Conflict. The container | port is already allocated | conflict: unable"
            " | failed to solve"
        ),
        channels=_BUILD,
        weight=0.5,
        meaning="The builder itself failed.",
        fix=(
            "Clear a damaged cache (`docker builder prune`), restart the engine (`sudo systemctl "
            "restart docker`) and build again with `--progress=plain`."
        ),
        source=_BUILDKIT,
        example="failed to prepare 0a as 1b: invalid argument",
        counter="#5 exporting to image",
    ),
)
