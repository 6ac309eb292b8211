"""The container ran out of something: memory, disk, handles."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    CONTAINER_REASON,
    DECISIVE,
    ECS,
    PYMONGO,
    TASK,
    TASK_LOG,
    Rule,
)

_MORE_MEMORY = (
    "Raise `memory` (and `cpu`, in a pair that Fargate knows) in the task definition and register it, or let the program "
    "hold less at once"
)
_MEMORY = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html"
_STORAGE = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-task-storage.html"

RESOURCES: tuple[Rule, ...] = (
    Rule(
        failure_class="resources",
        subcause="container-oom-killed",
        matches=r"OutOfMemory(?:Error)?: Container killed|OutOfMemoryE(?:rror|xception)|OOMKilled|OOM[- ]?killed"
        r"|killed due to memory|memory\.(?:limit_in_bytes|max)\W|died due to OOM|memory cgroup out of memory|oom-kill(?:er)?"
        r"|Out of memory: Kill|exceeded (?:its )?memory limit|exit(?:ed with)? code:? 137",
        confidence=DECISIVE,
        channels=(CONTAINER_REASON, *TASK),
        unless=r"Spot Task was interrupted|mongo|caused by ::|allowDiskUse|external sort",
        remedy=_MORE_MEMORY + ": `aws ecs describe-task-definition --task-definition <family> --query "
        "'taskDefinition.[cpu,memory]'`.",
        link="https://repost.aws/knowledge-center/ecs-resolve-outofmemory-errors",
        example="OutOfMemoryError: Container killed due to memory usage",
    ),
    Rule(
        failure_class="resources",
        subcause="heap-exhausted",
        matches=r"java\.lang\.OutOfMemoryError|Java heap space|GC overhead limit exceeded"
        r"|JavaScript heap out of memory|Reached heap limit|Ineffective mark-compacts near heap limit|Last few GCs|\[allocation failure\]|might not succeed\b|Mark-Compact"
        r"|Metaspace|insufficient memory for the Java Runtime",
        confidence=DECISIVE + 0.01,
        channels=TASK,
        remedy="Raise the runtime's own limit under the task's memory (-XX:MaxRAMPercentage=75, NODE_OPTIONS=--max-old-space-size=<MiB>) "
        "and, where that is not enough, `memory` of the task definition.",
        link=_MEMORY,
        example='Exception in thread "main" java.lang.OutOfMemoryError: Java heap space',
    ),
    Rule(
        failure_class="resources",
        subcause="memory-error",
        matches=r"\bMemoryError\b|_ArrayMemoryError|Unable to allocate [\d.]+ \wi?B|Cannot allocate (?:memory|vector|block)"
        r"|std::bad_alloc|(?-i:\bENOMEM\b)|\bout[- ]of[- ]memory\b|runtime: out of memory|fatal error: out of memory"
        r"|memory allocation of \d+ bytes failed|errno=12|Allowed memory size of|malloc[^\n]*fail"
        r"|realloc of size|worker[^\n]*exceeded[^\n]*memory|KilledWorker|BrokenProcessPool|TerminatedWorkerError|ExecutorLost|excessive memory|terminated abruptly"
        r"|perhaps out of memory|ArrowMemoryError|CUDA out of memory|not enough memory",
        confidence=0.92,
        channels=(TASK_LOG, *ECS, PYMONGO),
        remedy=_MORE_MEMORY + " (stream or chunk the input).",
        link=_MEMORY,
        example="numpy.core._exceptions._ArrayMemoryError: Unable to allocate 9.31 GiB for an array with shape (1250000000,)",
    ),
    Rule(
        failure_class="resources",
        subcause="disk-full",
        matches=r"No space left on device|\bENOSPC\b|Disk quota exceeded|disk (?:is )?full"
        r"|not enough (?:disk|free) space|insufficient disk space|Errno 28|errno 122|volume is full"
        r"|not enough space on the disk|Thin Pool has",
        confidence=0.93,
        channels=(*TASK, CLIENT_ERROR),
        unless=r"space quota",
        remedy="Raise ephemeralStorage.sizeInGiB (21 to 200) in the task definition, shrink the image, or delete what is no "
        "longer needed while running.",
        link=_STORAGE,
        example="OSError: [Errno 28] No space left on device",
    ),
    Rule(
        failure_class="resources",
        subcause="disk-full",
        matches=r"failed to (?:extract|register|unpack|apply) layer|apply failure",
        confidence=0.7,
        channels=ECS,
        unless=r"i/o timeout|dial tcp|exec format|no match|platform|unexpected EOF|connection",
        remedy="The image was pulled and could not be unpacked, most often for want of disk: raise ephemeralStorage.sizeInGiB (21 to "
        "200) in the task definition, or shrink the image (`docker history <image>`).",
        link=_STORAGE,
        example="CannotPullContainerError: failed to extract layer sha256:0a1b",
    ),
    Rule(
        failure_class="resources",
        subcause="handles-exhausted",
        matches=r"Too many open files|Too many files open|Errno 2[34]\b|\bEMFILE\b|\bENFILE\b|can't start new thread"
        r"|unable to create (?:new )?native thread|Resource temporarily unavailable|pthread_create failed"
        r"|newosproc|fork: retry|System limit for number of file watchers|open file descriptors",
        confidence=0.87,
        channels=(TASK_LOG, *ECS, PYMONGO),
        remedy="Raise `ulimits` (nofile) of the container definition, and close what is opened: one client for the whole run.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Ulimit.html",
        example="OSError: [Errno 24] Too many open files: '/data/in.json'",
    ),
    Rule(
        failure_class="resources",
        subcause="killed",
        matches=r"^\W*Killed\W*$|signal: killed|SIGKILL|signal 9\b|exit(?:ed)?[^\n]{0,20}\b137\b"
        r"|Killed\s+(?:python|java|node)|\b(?:process|worker)\b[^\n]{0,30}\bwas killed\b",
        confidence=0.75,
        channels=TASK,
        unless=r"logger args|Spot Task was interrupted",
        remedy=_MORE_MEMORY + ": a kill without a word is most often the kernel's, for memory.",
        link=_MEMORY,
        example="Killed",
    ),
    Rule(
        failure_class="resources",
        subcause="killed",
        matches="",
        exit_codes=(137,),
        confidence=0.66,
        channels=TASK,
        unless=r"Spot Task was interrupted|Scaling activity|stopped by user|failed to stop",
        remedy=_MORE_MEMORY
        + ": 137 is 128 + SIGKILL, most often the kernel's for memory; else a stop that took longer than "
        "stopTimeout.",
        link=_MEMORY,
        example="Essential container in task exited",
    ),
)
