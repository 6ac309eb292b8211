"""What the program needs cannot be installed while building: pip, npm, Maven, Go, compilers."""

from deployer.diagnosis.rule import DECISIVE, DOCKER_BUILD, Rule

# the index was not reached: what pip or npm say after it is a consequence
_NO_WAY = (
    r"name resolution|Failed to establish a new connection|(?:Read|Connect) ?time(?:d )?out|connection broken|getaddrinfo|Max retries exceeded"
    r"|ProxyError|SSLError|CERTIFICATE_VERIFY|Could not resolve host|(?-i:EAI_AGAIN|ECONNRESET|ECONNREFUSED|ETIMEDOUT)|dial tcp"
)
_BUILD_REMEDY = (
    "A dependency (or the program) does not build in this image: pin a version with a ready wheel for this Python, or "
    "install the compiler and headers it names in the build stage."
)
_BUILD_LINK = "https://pip.pypa.io/en/stable/cli/pip_wheel/"

DEPENDENCIES: tuple[Rule, ...] = (
    Rule(
        failure_class="code",
        subcause="dependency-conflict",
        matches=r"conflicting dependencies|ResolutionImpossible|conflict is caused by|dependency conflict"
        r"|version solving failed|SolverProblemError|(?-i:\bERESOLVE\b)|No solution found"
        r"|unable to resolve dependency tree|Could not resolve dependencies|UnsatisfiableError"
        r"|incompatible with|could not find compatible versions|resolved to an installable set"
        r"|supported Python range|depends on [^\n]* which doesn't match|requires a different Python|Requires-Python"
        r"|conflicting peer|package versions have conflicting|resolution-too-deep",
        confidence=DECISIVE,
        channels=(DOCKER_BUILD,),
        remedy="Two pins cannot both be had: loosen one of those named, resolve on your machine (`pip install --dry-run -r "
        "<requirements>`), commit the new pins.",
        link="https://pip.pypa.io/en/stable/topics/dependency-resolution/",
        example="ERROR: Cannot install loader==1.0 and urllib3==1.26 because these package versions have conflicting dependencies.",
    ),
    Rule(
        failure_class="code",
        subcause="package-missing",
        matches=r"Could not find a version that satisfies|No matching distribution found|404 Not Found[^\n]*npm"
        r"|(?-i:\bE404\b)|npm (?:ERR!|error) (?:code )?(?:E404|(?-i:\bETARGET\b)|notarget)"
        r"|No matching version found|could not find artifact|ModuleNotFoundError|No module named"
        r"|cannot find module|unknown revision|couldn't find (?:any versions|package)"
        r"|error: no matching package|not a supported wheel|Package [^\n]* is not available"
        r"|Couldn't find package|Could not find gem|is not in (?:std|GOROOT)|no required module provides",
        confidence=0.9,
        channels=(DOCKER_BUILD,),
        unless=_NO_WAY,
        remedy="A package or version that is pinned does not exist for this Python (or index): correct its name or version in the "
        "requirements and build again.",
        link="https://pip.pypa.io/en/stable/cli/pip_install/",
        example="ERROR: No matching distribution found for pandas==9.9.9",
    ),
    Rule(
        failure_class="code",
        subcause="requirements-invalid",
        matches=r"Could not install packages due to an OSError|Invalid requirement"
        r"|THESE PACKAGES DO NOT MATCH THE HASHES|Hashes are required|do not match the hashes"
        r"|npm ci\W[^\n]*(?:can only install|in sync|lock)|package-lock\.json"
        r"|yarn\.lock|lockfile|poetry\.lock|Pipfile\.lock|is not a valid editable"
        r"|neither 'setup\.py' nor 'pyproject\.toml'|pyproject\.toml changed significantly|(?-i:\bEUSAGE\b)"
        r"|(?-i:\bEJSONPARSE\b)|(?-i:\bEBADENGINE\b)|go\.mod|go\.sum|checksum mismatch"
        r"|externally-managed-environment|Invalid version|InvalidVersion",
        confidence=0.86,
        channels=(DOCKER_BUILD,),
        unless=_NO_WAY + r"|Permission denied|/requirements\.txt\W+: not found",
        remedy="The list of requirements itself is wrong (a local path, a hash or a lock file that does not fit): make it anew and "
        "commit it.",
        link="https://pip.pypa.io/en/stable/reference/requirements-file-format/",
        example="ERROR: Could not install packages due to an OSError: '/home/me/wheels/loader.whl'",
    ),
    Rule(
        failure_class="code",
        subcause="wheel-build",
        matches=r"Failed building wheel|Could not build wheels|Failed to build installable wheels|gyp ERR! build error"
        r"|`make` failed|command '[^\n]*' failed|COMPILATION ERROR"
        r"|could not compile|\btsc\b[^\n]*error|error TS\d+",
        confidence=0.8,
        channels=(DOCKER_BUILD,),
        remedy=_BUILD_REMEDY,
        link=_BUILD_LINK,
        example="ERROR: Failed building wheel for psycopg2",
    ),
    Rule(
        failure_class="code",
        subcause="wheel-build",
        matches=r"Failed building wheel|Could not build wheels|metadata-generation-failed|subprocess-exited-with-error"
        r"|error: command '[^\n]*' failed|setup\.py (?:egg_info|bdist_wheel)"
        r"|gcc: error|g\+\+|pg_config"
        r"|error: Microsoft Visual|rustc|maturin|cargo|node-gyp|gyp ERR|legacy-install-failure"
        r"|Failed to build installable wheels|build backend|bdist_wheel|Cython|pep517"
        r"|getting requirements to build wheel|TS\d{4}:|error TS|SyntaxError"
        r"|compilation (?:failed|error|failure)|Failed to execute goal|COMPILATION ERROR|BUILD FAILURE|npm (?:ERR!|error)"
        r"|(?-i:\bELIFECYCLE\b)|error: cannot find symbol|error\[E\d+\]|could not compile|undefined: "
        r"|cannot use [^\n]* as|Tests? failed|\b\d{1,4} failed(?:,| in\b|$)|FAILED \(|AssertionError"
        r"|Traceback \(most recent call last\)|(?-i:^\s*(?:\w+\.)*[A-Z]\w+Error: )|> Task :\S+ FAILED|Command errored out|invalid command '|(?-i:error [A-Z]{2,6}\d{3,5}\b)|error Command failed with exit code \d|lock ?file|Gemfile|Your (?:Ruby|Node|Python|PHP) version|webpack|\bvite\b|\btsc\b"
        r"|\b(?:msbuild|mvnw|gradlew|cmake|rake|pytest)\b[^\n]*(?:did not complete|non-zero|exit code)"
        r"|\b(?:pip3?|npm|yarn|pnpm|poetry|uv|mvn|gradlew?|bundle|composer|go|cargo|dotnet) (?:install|ci|run|build|sync|package|restore|mod|get|publish)\b[^\n]*(?:did not complete|non-zero|exit code)",
        confidence=0.62,
        channels=(DOCKER_BUILD,),
        unless=_NO_WAY,
        remedy=_BUILD_REMEDY,
        link=_BUILD_LINK,
        example="error: subprocess-exited-with-error",
    ),
)
