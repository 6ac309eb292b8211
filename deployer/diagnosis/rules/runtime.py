"""The program itself failed: an exception of any runtime that nothing more precise explains."""

from deployer.diagnosis.rule import CLIENT_ERROR, FRAMES, GENERIC, HINT, PYMONGO, TASK_LOG, Rule

_SEEN = (TASK_LOG, PYMONGO, CLIENT_ERROR)
_MEND = (
    "Mend the program where the last frame of its own says, see it pass locally (`make test`), release again"
)

RUNTIME: tuple[Rule, ...] = (
    Rule(
        failure_class="code",
        subcause="module-missing",
        matches=r"ModuleNotFoundError|No module named|cannot import name|ImportError|Cannot find module"
        r"|ERR_MODULE_NOT_FOUND|ClassNotFoundException|NoClassDefFoundError|cannot load such file"
        r"|MODULE_NOT_FOUND|DistributionNotFound|PackageNotFoundError|ERR_REQUIRE_ESM|NoSuchMethodError"
        r"|Could not load file or assembly|Could not import '|Can't load plugin|NoSuchModuleError",
        confidence=0.84,
        channels=_SEEN,
        remedy="The image lacks a module (or has another version of it): add it to the requirements, rebuild, and see that "
        "`docker run --rm <image> python -c 'import <module>'` works.",
        example="ModuleNotFoundError: No module named 'requests'",
    ),
    Rule(
        failure_class="code",
        subcause="setting-missing",
        matches=r"KeyError: '(?-i:[A-Z][A-Z0-9]*_[A-Z0-9_]*)'"
        r"|env(?:ironment)? var(?:iable)?s?\b[^\n]*(?:not set|missing|required|undefined)|ImproperlyConfigured"
        r"|pydantic_settings|validation errors? for \w*(?:Settings|Config)"
        r"|Missing required (?:option|argument|environment)|the following arguments are required"
        r"|unrecognized arguments|unbound variable|No such (?:option|command)|Invalid value for '",
        confidence=0.83,
        channels=(TASK_LOG,),
        remedy="The program asks for a setting or argument that it was not given, or not under that name: compare its configuration with "
        "`environment`, `secrets` and `command` of the task definition.",
        example="KeyError: 'SOURCE_PREFIX'",
    ),
    Rule(
        failure_class="code",
        subcause="setting-missing",
        matches=r"^\s*KeyError: |invalid literal for|could not convert|JSONDecodeError|\bNoneType\b",
        context=r"\benviron\b|\bgetenv\(|[/\\]os\.py\b|process\.env\.",
        unless=r"amazonaws|botocore|mongo",
        confidence=0.86,
        channels=(TASK_LOG,),
        remedy="A setting that the program reads from its environment is missing, empty or of another kind: compare `environment` and "
        "`secrets` of the task definition: `aws ecs describe-task-definition --task-definition <family> --query "
        "'taskDefinition.containerDefinitions[].[environment,secrets]'`.",
        example='  File "/app/main.py", line 3, in main\n    port = int(os.environ["PORT"])\nValueError: invalid literal for int() with base 10: \'\'',
    ),
    Rule(
        failure_class="code",
        subcause="uncaught-exception",
        matches=r"\b(?:Type|Attribute|Name|Value|Index|Key|Assertion|Runtime|Syntax|Indentation|Tab|ZeroDivision|NotImplemented|UnboundLocal|Recursion|Overflow|Arithmetic|Lookup|Reference|StopIteration|System|Permission|OS|IO|Import|Validation|FileNotFound|Range|URI)Error\b"
        r"|\bNullPointerException\b|IllegalArgumentException|IllegalStateException|IndexOutOfBounds\w*"
        r"|ClassCastException|NumberFormatException|ArithmeticException|StackOverflowError"
        r"|NullReferenceException|ArgumentException|panic: |runtime\.throw\(|fatal error: "
        r"|UnhandledPromise\w*|goroutine \d+ \[running\]"
        r"|thread '[^']*' panicked|Uncaught \w+|is not a function|Cannot read propert\w+ of|undefined method"
        r"|NoMethodError|Exception in thread|Unhandled exception|JNI error|terminate called after throwing|compatible framework version|AppRegistryNotReady|Fatal glibc error|missing script:|referenced before assignment|object has no attribute|object is not (?:callable|subscriptable|iterable)"
        r"|unexpected keyword argument|required positional arguments?|name '\w+' is not defined"
        r"|(?:list|string|tuple) index out of range|division by zero|maximum recursion depth|nil pointer|null pointer"
        r"|failed to boot|PHP (?:Fatal|Parse) error|HaltServer|Fatal error: Uncaught|SyntaxError",
        confidence=GENERIC + 0.08,
        channels=(TASK_LOG, CLIENT_ERROR),
        remedy=_MEND + ".",
        example="TypeError: unsupported operand type(s) for +: 'int' and 'str'",
    ),
    Rule(
        failure_class="code",
        subcause="uncaught-exception",
        matches=r"Traceback \(most recent call last\)|(?-i:^(?:[a-z_]\w*\.)+[A-Z]\w+(?::|\s*$))|^\*\* \(\w+\)|npm (?:ERR!|error)|^\s*(?:[\w$]+\.)*\w+(?:Error|Exception)\b|Caused by: "
        r"|^\s+at \S+\(|\bexception\b|^\s*File \"[^\"\n]+\", line \d+",
        confidence=HINT + 0.06,
        channels=(TASK_LOG, CLIENT_ERROR),
        remedy=_MEND + ".",
        example="Traceback (most recent call last):",
    ),
    Rule(
        failure_class="aws-config",
        subcause="aws-call-cut-off",
        matches=r"[/\\](?:botocore|boto3|aiobotocore|s3transfer|awscli)[/\\]|software\.amazon\.awssdk"
        r"|node_modules/@?aws-sdk",
        confidence=FRAMES,
        reads_frames=True,
        channels=_SEEN,
        remedy="A call to AWS failed and its message is cut off: read the log to its end (`deployer logs --release <release>`); "
        "a missing task role, a refused action or an unreachable endpoint are the usual reasons.",
        example='Traceback (most recent call last):\n  File "/usr/lib/python3/site-packages/botocore/client.py", line 5, in _api_call',
    ),
    Rule(
        failure_class="mongodb",
        subcause="mongodb-call-cut-off",
        matches=r"[/\\](?:pymongo|motor|mongoengine|gridfs)[/\\]|node_modules/(?:mongodb|mongoose)|com\.mongodb\."
        r"|go\.mongodb\.org",
        confidence=FRAMES,
        reads_frames=True,
        channels=_SEEN,
        remedy="A call to MongoDB failed and its message is cut off: read the log to its end (`deployer logs --release "
        "<release>`), and walk to the database with `python -m pipeline.connectivity`.",
        example='Traceback (most recent call last):\n  File "/usr/lib/python3/site-packages/pymongo/pool.py", line 5, in command',
    ),
    Rule(
        failure_class="code",
        subcause="exit-code",
        matches="",
        exit_codes=(1, 2, 3, 4, 5, 101, 255),
        confidence=HINT - 0.05,
        channels=(TASK_LOG,),
        remedy="The program ended with an error of its own: read its last lines: `deployer logs --release <release>`.",
        example="job ended",
    ),
)
