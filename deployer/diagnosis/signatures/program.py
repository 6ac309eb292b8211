"""The program, or what its image has, is wrong."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    COMPOSE,
    CONTAINER_REASON,
    ECS,
    GENERIC,
    PYMONGO,
    TASK_LOG,
    Signature,
)
from deployer.diagnosis.signatures.contexts import MONGODB

_RUN = (TASK_LOG, COMPOSE)
_START = (CONTAINER_REASON, *_RUN, *ECS)
_SEEN = (*_RUN, PYMONGO, CLIENT_ERROR)
_REASONS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html"
_PYTHON = "https://docs.python.org/3/library/exceptions.html"

PROGRAM = (
    Signature(
        failure_class="code",
        subcause="mongodb-driver-install",
        pattern=(
            r"dnspython[^\n]{0,40}(?:install|missing|required)"
            r"|No module named '?(?:pymongo|bson|motor|mongoengine|gridfs)"
            r"|cannot import name [^\n]{0,80}(?:pymongo|bson)|bson[^\n]{0,40}shadow"
            r"|pip install[^\n]{0,30}(?:pymongo|dnspython)"
        ),
        texts=("Cannot find module 'mongodb | Cannot find module 'mongoose | module 'bson' has no attribute"),
        channels=_SEEN,
        weight=0.97,
        meaning="MongoDB's driver is not, or not wholly, in the image.",
        fix=(
            'Put the driver with its extras into the requirements (`pip install "pymongo[srv]"`; '
            "Node: `npm install mongodb`), never the separate `bson` package beside pymongo; build "
            "again."
        ),
        source="https://www.mongodb.com/docs/languages/python/pymongo-driver/current/get-started/",
        example=(
            'pymongo.errors.ConfigurationError: The "dnspython" module must be installed to use '
            "mongodb+srv:// URIs"
        ),
        counter="INFO pymongo 4.15 with dnspython 2.7",
    ),
    Signature(
        failure_class="code",
        subcause="module-missing",
        pattern=(
            r"No module named ['\"]?(?P<module>[\w.]{1,100})"
            r"|cannot import name '(?P<name>\w{1,60})' from '(?P<from>[\w.]{1,80})"
            r"|The '(?P<package>[\w.-]{1,60})[^'\n]{0,40}' distribution was not found"
        ),
        texts="attempted relative import | Could not import '",
        names=("ModuleNotFoundError DistributionNotFound PackageNotFoundError NoSuchModuleError ImportError"),
        without=r"shared object|libs?\w{1,20}\.so|GLIBC",
        channels=_SEEN,
        weight=0.88,
        ecosystem="python",
        meaning="The image lacks a Python module, or has another version of it.",
        fix=(
            "Add {module} to the requirements and build again; `docker run --rm --entrypoint "
            "python <image> -c 'import {module}'` must work."
        ),
        source=_PYTHON,
        example="ModuleNotFoundError: No module named 'requests'",
        counter="INFO module requests loaded",
    ),
    Signature(
        failure_class="code",
        subcause="module-missing-node",
        pattern=r"Cannot find (?:module|package) '(?P<module>[^'\n]{1,200})'",
        texts="require() of ES Module",
        names="ERR_MODULE_NOT_FOUND MODULE_NOT_FOUND ERR_REQUIRE_ESM",
        channels=_SEEN,
        weight=0.88,
        ecosystem="node",
        meaning="The image lacks a Node package, or a file that is required.",
        fix=(
            "Add {module} to dependencies (`npm install {module}`, commit package-lock.json) and "
            "see that the Dockerfile copies what is required and runs `npm ci` before it; build "
            "again."
        ),
        source="https://nodejs.org/api/errors.html",
        example="Error: Cannot find package 'express' imported from /app/index.js",
        counter="INFO 12 packages loaded",
    ),
    Signature(
        failure_class="code",
        subcause="module-missing-other",
        pattern=(
            r"cannot load such file -- (?P<module>[\w/.-]{1,100})"
            r"|Could not load file or assembly '(?P<assembly>[\w.]{1,100})"
        ),
        texts="compatible framework version | Can't load plugin",
        names=(
            "ClassNotFoundException NoClassDefFoundError NoSuchMethodError NoSuchFieldError "
            "UndefinedFunctionError"
        ),
        channels=_SEEN,
        weight=0.87,
        meaning="The image lacks a class, gem or assembly, or has another version of it.",
        fix=(
            "Add {module} to the build (pom.xml or build.gradle, Gemfile, .csproj), see that its "
            "file is in the image and on the class path, and build again."
        ),
        source=(
            "https://docs.oracle.com/en/java/javase/21/docs/api/java.base/java/lang/NoClassDefFoundError.html"
        ),
        example="Caused by: java.lang.NoClassDefFoundError: org/acme/paths/Finder",
        counter="INFO 300 classes loaded",
    ),
    Signature(
        failure_class="code",
        subcause="setting-missing",
        pattern=(
            r"KeyError: ['\"](?P<variable>(?-i:[A-Z][A-Z0-9]{0,40}_[A-Z0-9_]{1,60}))"
            r"|env(?:ironment)? ?var(?:iable)?s?\b[^\n]{0,80}(?:not set|missing|required|undefined"
            r"|must be)|validation errors? for \w{0,40}(?:Settings|Config)"
            r"|(?P<unbound>\w{1,60}): (?:unbound variable|parameter not set)"
            r"|No such (?:option|command)\b"
        ),
        texts=(
            "the following arguments are required | Missing required option"
            " | Missing required argument | Missing required environment | unrecognized arguments"
            " | Invalid value for ' | setting must not be empty"
        ),
        names="ImproperlyConfigured pydantic_settings",
        without=r"AWS_ACCESS|region",
        channels=_RUN,
        weight=0.87,
        meaning="The program was not given a setting or argument that it needs.",
        fix=(
            "Give it {variable}{argument} under `environment`, `secrets` or `command` of the "
            "task definition: `aws ecs describe-task-definition --task-definition {family} --query "
            "'taskDefinition.containerDefinitions[].[environment,secrets,command]' --region "
            "{region}` shows what it gets."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/taskdef-envfiles.html",
        example="KeyError: 'SOURCE_PREFIX'",
        counter="INFO SOURCE_PREFIX=raw/",
    ),
    Signature(
        failure_class="code",
        subcause="setting-missing",
        pattern=r"^(?:\w{1,30}\.){0,4}(?:KeyError|TypeError|ValueError|JSONDecodeError|AttributeError)\b",
        within=r"\benviron\b|\bgetenv\(|[/\\]os\.py\b|process\.env\.",
        without=r"amazonaws|botocore|pymongo",
        channels=_RUN,
        weight=0.88,
        meaning="A setting read from the environment is missing, empty or of another kind.",
        fix=(
            "Correct {variable} under `environment` or `secrets` of the task definition: `aws ecs "
            "describe-task-definition --task-definition {family} --query "
            "'taskDefinition.containerDefinitions[].[environment,secrets]' --region {region}`."
        ),
        source="https://docs.python.org/3/library/os.html#os.environ",
        example=(
            'Traceback (most recent call last):\n  File "/app/main.py", line 3, in main\n    '
            'port = int(os.environ["PORT"])\nValueError: invalid literal for int() with base 10: '
            "''"
        ),
        counter="INFO PORT=8080",
    ),
    Signature(
        failure_class="code",
        subcause="unencodable-value",
        pattern=r"must be an instance of (?:str|dict|list|bson)|keys? must not (?:start|contain)",
        texts=(
            "cannot encode object | must have only string keys | do not implement truth value testing"
            " | 'Collection' object is not callable | 'Database' object is not callable | 8-byte ints"
            " | naive and offset-aware | find a codec"
        ),
        names="InvalidDocument CodecConfigurationException",
        within=(MONGODB + r"|InvalidDocument|Collection'|encode object|direction is specified"),
        without=r"if no direction",
        channels=_SEEN,
        weight=0.91,
        meaning=("The program hands MongoDB's driver a value that BSON has no type for, or uses it wrongly."),
        fix=(
            "Convert the value before the write (numpy: `.item()`, Decimal: `Decimal128`, set: "
            "`list`); the last frame of the traceback says where."
        ),
        source="https://pymongo.readthedocs.io/en/stable/api/bson/index.html",
        example=("bson.errors.InvalidDocument: cannot encode object: 3.5, of type: <class 'numpy.float32'>"),
        counter="INFO encoded 300 documents",
    ),
    Signature(
        failure_class="code",
        subcause="container-start",
        pattern=r"CannotStart\w{0,20}Error|OCI runtime (?:\w{2,12} failed|error)",
        texts=(
            "unable to start container process | failed to create shim | failed to create task"
            " | standard_init_linux | exec user process caused | ContainerRuntimeError"
            " | port is already allocated"
        ),
        without=(
            r"cgroup|no space|mounting \"|no such network|endpoint on the network|npm start"
            r"|logging driver"
        ),
        channels=_START,
        weight=0.6,
        meaning="The container could not be started with its command.",
        fix=(
            "Start it by hand as the task does: `docker run --rm <image> {command}`; correct "
            "ENTRYPOINT, CMD, user or ports in the Dockerfile or the task definition."
        ),
        source=_REASONS,
        example="CannotStartContainerError: Error response from daemon: OCI runtime create failed: odd",
        counter="INFO container started",
    ),
    Signature(
        failure_class="code",
        subcause="uncaught-exception",
        pattern=(
            r"goroutine \d{1,6} \[running\]|thread '[^'\n]{1,60}' panicked|Uncaught \w{3,40}"
            r"|Unhandled ?(?:exception|promise)|takes \d{1,3} positional"
            r"|relation \"[^\"\n]{1,60}\" does not exist"
        ),
        texts=(
            "panic:  | runtime.throw( | is not a function | Cannot read propert"
            " | Cannot destructure propert | undefined method | undefined function | is not defined"
            " | JNI error | terminate called after | missing script: | referenced before assignment"
            " | has no attribute | object is not callable | object is not subscriptable"
            " | object is not iterable | unexpected keyword argument | required positional argument"
            " | index out of range | index out of bounds | division by zero | recursion depth"
            " | nil pointer | null pointer | failed to boot | PHP Fatal error | PHP Parse error"
            " | unsupported operand | all goroutines are asleep | concurrent map writes"
            " | running event loop | unsupported locale | No time zone found"
        ),
        names=(
            "TypeError AttributeError NameError ValueError IndexError KeyError AssertionError "
            "RuntimeError SyntaxError IndentationError TabError ZeroDivisionError "
            "NotImplementedError UnboundLocalError RecursionError OverflowError ReferenceError "
            "RangeError PermissionError OSError FileNotFoundError NullPointerException "
            "IllegalArgumentException IllegalStateException IndexOutOfBoundsException "
            "ArrayIndexOutOfBoundsException StringIndexOutOfBoundsException ClassCastException "
            "ArithmeticException StackOverflowError NullReferenceException ArgumentException "
            "ArgumentNullException InvalidOperationException NoMethodError NotRegistered "
            "TemplateNotFound AppRegistryNotReady HaltServer NoBrokersAvailable ProgrammingError "
            "ELIFECYCLE LoadError InvalidCastException NoSuchElementException "
            "UnsupportedOperationException ConcurrentModificationException LookupError "
            "ArgumentError StandardError EvalError ZoneInfoNotFoundError TimeoutException "
            "UndefinedTable"
        ),
        channels=(*_RUN, CLIENT_ERROR, PYMONGO),
        weight=GENERIC,
        meaning="The program ended with an exception of its own.",
        fix=(
            "Correct the program where the last frame of its own points to ({source_file}); the same run "
            "on this machine: `docker compose run --rm {service}`."
        ),
        source=_PYTHON,
        example="TypeError: unsupported operand type(s) for +: 'int' and 'str'",
        counter="INFO 0 exceptions",
    ),
)
