"""Out of memory, disk or handles, where the task runs."""

from deployer.diagnosis.signature import CLIENT_ERROR, COMPOSE, DECISIVE, PYMONGO, TASK, Signature

_MEMORY = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html"
_STORAGE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html"
_MORE = (
    "Raise `memory` of the task definition {family}, or make the program need less "
    "(stream or chunk its input); what it has now: `aws ecs describe-task-definition "
    "--task-definition {family} --query 'taskDefinition.[cpu,memory]' --region {region}`."
)
_RUN = (*TASK, COMPOSE)

RESOURCES = (
    Signature(
        failure_class="resources",
        subcause="container-oom-killed",
        pattern=(
            r"\bOOM[- ]?killed\b(?!['\"]?\s{0,2}[:=]\s{0,2}(?:false|0))"
            r"|exceed\w{0,3} (?:its )?memory limits?\b(?! of \d{1,12} bytes)"
            r"|cgroup[^\n]{0,200}(?:failed to write|memory)"
        ),
        texts=(
            "memory cgroup out of memory | memory.limit_in_bytes | memory.max:"
            " | exceeding memory limits | exceeded memory budget | 95% memory budget"
            " | perhaps out of memory | OutOfMemoryError: Container killed"
            " | OutOfMemory: Container killed | oom-killer | oom-kill: | Out of memory: Kill"
            " | died due to OOM | killed due to memory"
        ),
        without=r"Spot Task|mongo|caused by ::|allowDiskUse|external sort|\$group|for \$",
        channels=_RUN,
        weight=DECISIVE,
        meaning="The kernel killed the container for using more memory than it has.",
        fix=_MORE,
        source=_MEMORY,
        example="OutOfMemoryError: Container killed due to memory usage",
        counter='INFO container inspected, "OOMKilled": false',
    ),
    Signature(
        failure_class="resources",
        subcause="heap-exhausted",
        pattern=r"Mark-Compact \d|\bMark-sweep \d|java\.lang\.OutOfMemoryError(?!: unable to create)",
        texts=(
            "java heap space | gc overhead limit exceeded | javascript heap out of memory"
            " | reached heap limit | ineffective mark-compacts | last few gcs"
            " | insufficient memory for the java runtime | outofmemoryerror: metaspace"
        ),
        channels=_RUN,
        weight=0.97,
        meaning="The runtime's own heap limit is reached.",
        fix=(
            "Raise the runtime's limit below the task's memory "
            "(NODE_OPTIONS=--max-old-space-size=<MiB>, JAVA_TOOL_OPTIONS=-XX:MaxRAMPercentage=75 "
            "in `environment`), and `memory` of {family} where that is not enough."
        ),
        source="https://nodejs.org/api/cli.html#--max-old-space-sizesize-in-mib",
        example='Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
        counter="INFO heap 200 of 512 MB",
    ),
    Signature(
        failure_class="resources",
        subcause="memory-error",
        pattern=(
            r"Unable to allocate [\d.]{1,12} \wi?B|cannot allocate (?:memory|vector|block|\d)"
            r"|memory allocation of \d{1,15} bytes failed|worker[^\n]{0,60}exceeded[^\n]{0,30}memory"
        ),
        texts=(
            "out of memory | terminated abruptly | unexpectedly terminated | excessive memory"
            " | not enough memory | executor lost | errno 12] | std::bad_alloc"
            " | Allowed memory size of | malloc of size | realloc of size | killed by signal: Killed"
        ),
        names=(
            "MemoryError _ArrayMemoryError ArrowMemoryError KilledWorker BrokenProcessPool "
            "TerminatedWorkerError ExecutorLostFailure OutOfMemoryException ENOMEM OutOfMemoryError"
        ),
        without=r"java\.|\bmongo|caused by ::|Spot Task",
        channels=(*_RUN, PYMONGO),
        weight=0.93,
        meaning="An allocation failed: the program needs more memory than there is.",
        fix=_MORE,
        source=_MEMORY,
        example=(
            "numpy.core._exceptions._ArrayMemoryError: Unable to allocate 9.31 GiB for an array "
            "with shape (1250000000,)"
        ),
        counter="INFO 300 MB of memory used",
    ),
    Signature(
        failure_class="resources",
        subcause="disk-full",
        pattern=r"\bdisk (?:is )?full\b|ephemeral storage[^\n]{0,30}exceeded",
        texts=(
            "no space left on device | failed to extract layer | disk quota exceeded | errno 28]"
            " | errno 122] | volume is full | thin pool has | database or disk is full"
            " | not enough disk space | not enough free space | not enough space"
            " | insufficient disk space"
        ),
        names="ENOSPC OutOfDiskSpace",
        without=r"space quota|WiredTiger|\bmongod\b|\"ctx\":",
        channels=(*_RUN, CLIENT_ERROR),
        weight=0.94,
        meaning="The task's disk is full.",
        fix=(
            'Set `ephemeralStorage` of {family} to more than its 20 GiB (`"ephemeralStorage": '
            '{"sizeInGiB": 50}`), shrink the image, or delete what is no longer needed while the '
            "program runs."
        ),
        source=_STORAGE,
        example="OSError: [Errno 28] No space left on device: '/tmp/part-0007'",
        counter="INFO 12 GB of space left on the device",
    ),
    Signature(
        failure_class="resources",
        subcause="too-many-files",
        texts=(
            "too many open files | can't start new thread | unable to create new native thread"
            " | resource temporarily unavailable | pthread_create failed | errno 24]"
            " | no file descriptors available"
        ),
        names="EMFILE ENFILE",
        without=r"mongo|apt|dpkg",
        channels=(*_RUN, PYMONGO),
        weight=0.89,
        meaning="The program opened more files, sockets or threads than it may.",
        fix=(
            "Raise `ulimits` (nofile, nproc) in the container definition of {family}, and close "
            "what is opened: one client for the whole run."
        ),
        source="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html",
        example="OSError: [Errno 24] Too many open files: '/data/in.json'",
        counter="INFO 3 open files",
    ),
    Signature(
        failure_class="resources",
        subcause="killed",
        pattern=(
            r"^\W{0,3}Killed\W{0,3}$|\bsignal 9\b|exit(?:ed)?[^\n]{0,20}\b137\b"
            r"|Killed\s{1,8}(?:python|java|node)|\b(?:process|worker)\b[^\n]{0,30}\bwas killed\b"
            r"|line \d{1,5}:\s{1,8}\d{1,8} Killed"
        ),
        texts="signal: killed | sent SIGKILL",
        without=r"logger args|Spot Task|pull command|secrets|stopped by user|scaling activity",
        channels=_RUN,
        weight=0.82,
        exit_codes=(137,),
        meaning="Something killed the program (128 + SIGKILL), most often the kernel for memory.",
        fix=_MORE,
        source="https://docs.docker.com/engine/containers/run/#exit-status",
        example="Killed",
        counter="INFO worker 9 exited with code 0",
    ),
)
