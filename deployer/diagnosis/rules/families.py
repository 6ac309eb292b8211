"""What a message is about, where no rule knows its words.

Three steps, from the surest to the vaguest: a failure is told of and near it a word of one party (about); it is told of
in a text that names one party (beside); no failure is told of and one party is spoken of (speaks).
"""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    CONTAINER_REASON,
    DOCKER_BUILD,
    DOCKER_PUSH,
    STOPPED_REASON,
    TASK_LOG,
    Rule,
)

SPEAKS = 0.1  # no failure is told of, and only one party is spoken of
BESIDE = 0.3  # a failure without a word of its own, in a text that speaks of one party
ABOUT = 0.6  # above an exception of any kind, below every rule that knows the words
_FAILED = (
    r"\b(?:errors?|\w+Error|\w+Exception|\w+Failed|failed?_\w+|fail(?:ed|s|ure|ing)?|can ?not|can't|could ?n[o']t|unable|corrupt\w*|invalid|illegal"
    r"|\w+NotFound|\w*DoesNotExist|does not exist|not authorized|No handler|returned [45]\d\d|no \w+ found|retries (?:used up|exhausted)|giv(?:en?|ing) up|gave up|timed? ?out|time-?out|abort\w*|fatal|crash\w*|panic\w*|lost"
    r"|unexpected|missing|bad|broken|damaged|(?:not|im) ?possible|unsuccessful\w*|mismatch\w*|wrong|incorrect\w*|conflict\w*|inconsisten\w*|outside|out of range|reject\w*|refused|denied|not (?:found|valid|supported|recogni[sz]ed|allowed)|exceed\w*)\b"
)
_DATA_WORDS = (
    r"csv\w*|tsv|parquet|avro|ndjson|jsonl|xlsx?|excel|spreadsheets?|zip|gzip|tarball|archive|data ?sets?|data ?frames?"
    r"|rows?|records?|columns?|fields?|headers?|sheets?|worksheets?|delimiters?|input files?|data files?|source files?"
    r"|reading file|data source|feeds?|line \d+ of|(?<!sh: )line \d+:|(?:row|line|field|column)_?(?:number|name|index)|OLE2|observations?|samples?|readings|measurements?|stations?|timestamps?|offsets?"
    r"|(?:invalid|incomplete|bad|corrupt|missing|no|more|wrong) data|values|manifest|NaNs?|schema|input director(?:y|ies)|\d+ (?:files|hours|days)"
)
_MONGO_WORDS = (
    r"(?:to|no|not|a|the) (?:master|primary)|secondar(?:y|ies)|repl(?:ica)?[ _-]?sets?|replSet\w*|oplog|\w*mongo\w*|moped|odmantic|beanie|o\.m\.d\.\w+|fassert|keyfile|listDatabases|replication enabled|global initialization|shards?|sharded|BSON|ObjectIds?"
    r"|collections?|cursors?|namespaces?|upserts?|aggregation|write ?concern|read ?(?:concern|preference)|capped|GridFS|WiredTiger"
    r"|isMaster|SRV|srv\w{4,}|seed ?list|topology|heartbeat\w*|transactions?|(?:bulk|unacknowledged) (?:write|update|operation)s?|bulk_write"
    r"|(?:database|collection) names?|directConnection|loadBalanced|maxStaleness\w*|connection pool|OP_MSG|opcode|authSource|wire ?version"
    r"|snapshot|(?:connect(?:ing|ed|ion)?) (?:to|with) (?:the )?(?:database|db)|database connection|time-?series|default database"
)
# what only the program's own text can get wrong
_PROGRAM = (
    r"No module named|ImportError|cannot import|shared object|\b(?:Attribute|Name|Reference|Syntax|Indentation)Error|is not defined"
    r"|of (?:undefined|null|nil)\b|'undefined'|is not a function|NoSuchMethod|NoClassDef|NullPointer"
)
_NOT_MONGO = (
    _PROGRAM
    + r"|\b(?:Type|Index)Error|java\.util|garbage|\bsql|postgres|mysql|kafka|kube|elastic|redis|configparser"
)
_AWS_WORDS = (
    r"(?-i:EC2|ECS|ECR|IAM|IMDS|STS|SSM|KMS|S3|SSO|MFA|VPC|ARNs?|CloudWatch|Fargate|Secrets Manager|AWS|GetCredentials\w*)|boto\w*|wsdl|s3[a-z]+"
    r"|(?:task|execution|iam|instance|service) ?(?:role|profile)|\w+ExecutionRole|decrypt|(?<!/)buckets?|security ?groups?|subnets?|log ?groups?"
    r"|parameter store|endpoint URL|credentials?|security token|session token|signature version|request capacity|waiter|paginat\w+"
    r"|retry configuration|defaults mode|instance metadata|metadata service"
)


def _named(words: str) -> str:
    return rf"\b(?:{words})\b"


def _about(words: str) -> str:
    """A line that tells of a failure and, near it, says one of the words, in either order."""
    return rf"{_FAILED}[^\n]{{0,300}}{_named(words)}|{_named(words)}[^\n]{{0,300}}{_FAILED}"


FAMILIES: tuple[Rule, ...] = (
    Rule(
        failure_class="data",
        subcause="about-the-data",
        matches=_about(_DATA_WORDS),
        confidence=ABOUT,
        channels=(TASK_LOG,),
        unless=_PROGRAM
        + r"|Permission denied|argument|SQLSTATE|SQLException|psycopg|mysql|postgres|sqlite|\.ya?ml\b|configparser",
        remedy="The message speaks of the data: `aws s3 cp s3://<bucket>/<key> - | head -c 400` shows what is really there; correct it "
        "at its producer, or let the reader reject such rows with their reason.",
        example="loader: the spreadsheet could not be read",
    ),
    Rule(
        failure_class="aws-config",
        subcause="about-aws",
        matches=_about(_AWS_WORDS),
        confidence=ABOUT + 0.01,
        channels=(TASK_LOG, CLIENT_ERROR),
        unless=r"mongo",
        remedy="A call to AWS failed: see as whom and where it is made (`aws sts get-caller-identity`), and that the task definition "
        "names a task role that may make it.",
        example="worker: no answer to use, the SSM lookup failed",
    ),
    Rule(
        failure_class="aws-config",
        subcause="about-aws",
        matches=_about(
            r"clusters?|task ?def(?:inition)?s?|(?:container )?instances?|capacity providers?|launch ?type|ecs|services?|roles?|stacks?|regions?|profile"
        ),
        confidence=ABOUT,
        channels=(CLIENT_ERROR,),
        unless=r"mongo|docker daemon|docker\.sock|No module named|ImportError",
        remedy="A call about ECS failed: see that what it names exists there: `aws ecs list-clusters --region <region>`, `aws ecs "
        "list-task-definitions`, as whom: `aws sts get-caller-identity`.",
        example="release tool: the cluster is not found, giving up",
    ),
    Rule(
        failure_class="code",
        subcause="about-dependencies",
        matches=_about(
            r"dependenc(?:y|ies)|sub-dependencies|Pipfile(?:\.lock)?|pipenv|pyproject\.toml|package\.json|pom\.xml|build\.gradle"
            r"|Cargo\.toml|Gemfile|composer\.json|wheels?|resolver|(?:un)?locking|ResolutionFailure"
        )
        + r"|could not find a version|Locking Failed",
        confidence=ABOUT,
        channels=(DOCKER_BUILD,),
        unless=r"name resolution|timed? ?out|no such host|unmet dependencies|apt-get|held broken",
        remedy="The dependencies of the program could not be had: resolve them on your machine (`pip install --dry-run -r "
        "<requirements>`), commit the pins, build again.",
        example="the resolver failed on two of the dependencies",
    ),
    Rule(
        failure_class="network",
        subcause="about-the-network",
        matches=_about(
            r"network(?!\.)|internet|connections?|proxy|firewall|VPN|downloads?|mirrors?|DNS|sockets?|hosts?"
        ),
        confidence=ABOUT - 0.02,
        channels=(DOCKER_BUILD, DOCKER_PUSH, CLIENT_ERROR),
        unless=r"docker\.sock|docker_engine|docker daemon|network mode|uid/gid|entitlement|networkMode|networkConfiguration|OCI runtime",
        transient=True,
        remedy="Something between this machine and a server failed: check connection, VPN, firewall and proxy "
        "(`curl -v https://<host>/`), then try again.",
        example="the download was broken off by the peer, error",
    ),
    Rule(
        failure_class="mongodb",
        subcause="credentials",
        matches=r"(?<!password )\bauth(?:entication)? failed\b|\bbad auth\b",
        confidence=ABOUT + 0.02,
        channels=(TASK_LOG,),
        unless=r"postgres|psycopg|mysql|maria|oracle|sqlserver|smtp|s?ftp|ssh|git|http|kafka|redis|ldap|token|registry|docker|snowflake",
        remedy="A database refused user or password, most likely MongoDB: set the connection string anew with `deployer secret set "
        "<name>`; `python -m pipeline.connectivity` tells whether it is the one.",
        link="https://www.mongodb.com/docs/atlas/troubleshoot-connection/",
        example="loader: authentication: Authentication failed.",
    ),
    Rule(
        failure_class="mongodb",
        subcause="about-mongodb",
        matches=_about(_MONGO_WORDS),
        confidence=ABOUT - 0.01,
        channels=(TASK_LOG,),
        unless=_NOT_MONGO,
        remedy="The message speaks of MongoDB's own things: `python -m pipeline.connectivity` walks from the name to the write.",
        link="https://www.mongodb.com/docs/atlas/troubleshoot-connection/",
        example="the cursor was lost",
    ),
    Rule(
        failure_class="mongodb",
        subcause="beside-mongodb",
        matches=_FAILED,
        context=r"mongo|\bbson\b|replica set|\"ctx\":",
        confidence=BESIDE,
        channels=(TASK_LOG, CLIENT_ERROR),
        remedy="Something failed while the program worked with MongoDB: `python -m pipeline.connectivity` walks from the name to the write.",
        link="https://www.mongodb.com/docs/atlas/troubleshoot-connection/",
        example="mongo shell ready\nthe write failed",
    ),
    Rule(
        failure_class="aws-config",
        subcause="beside-aws",
        matches=_FAILED,
        context=r"\baws\b|boto|amazonaws|arn:aws|s3://",
        confidence=BESIDE,
        channels=(TASK_LOG,),
        remedy="Something failed while the program worked with AWS: see that the task has a role that may do it "
        "(`aws ecs describe-task-definition --task-definition <family> --query taskDefinition.taskRoleArn`).",
        example="copying s3://raw/in\nthe copy failed",
    ),
    Rule(
        failure_class="data",
        subcause="beside-data",
        matches=_FAILED,
        context=r"\.(?:csv|parquet|xlsx?|jsonl?|xml|gz|zip)\b|ingest|\bimport(?:ing|ed)? (?:of|file|data|from)\b",
        confidence=BESIDE - 0.01,
        channels=(TASK_LOG,),
        unless=r"package\.json|tsconfig|node_modules|settings|Cannot find (?:package|module)",
        remedy="Something failed while the program read a file: `aws s3 cp s3://<bucket>/<key> - | head -c 400` shows what is there.",
        example="reading in.csv\nthe load failed",
    ),
    Rule(
        failure_class="resources",
        subcause="about-resources",
        matches=_about(r"memory|RAM|heap|OOM|swap|disk|ephemeral storage|file descriptors?"),
        confidence=ABOUT,
        channels=(TASK_LOG, STOPPED_REASON, CONTAINER_REASON),
        unless=r"memory address|size of the|mongo|'memory'|memory setting|task definition|in-memory|Invalid 'cpu'",
        remedy="The message speaks of memory or disk: compare the task's size with what the job needs: `aws ecs "
        "describe-task-definition --task-definition <family> --query 'taskDefinition.[cpu,memory,ephemeralStorage]'`.",
        link="https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html",
        example="loader failed, its heap could not grow",
    ),
    Rule(
        failure_class="mongodb",
        subcause="speaks-of-mongodb",
        matches=_named(_MONGO_WORDS),
        confidence=SPEAKS + 0.02,
        channels=(TASK_LOG,),
        unless=_NOT_MONGO,
        remedy="The log tells of no failure that a rule knows and speaks of MongoDB: `python -m pipeline.connectivity` walks to it.",
        example="two unacknowledged writes",
    ),
    Rule(
        failure_class="aws-config",
        subcause="speaks-of-aws",
        matches=_named(_AWS_WORDS),
        confidence=SPEAKS + 0.01,
        channels=(TASK_LOG,),
        remedy="The log tells of no failure that a rule knows and speaks of AWS: `aws sts get-caller-identity` and `deployer doctor` "
        "show as whom and with what the task runs.",
        example="the subnet is private",
    ),
    Rule(
        failure_class="data",
        subcause="speaks-of-data",
        matches=_named(_DATA_WORDS + "|json|array"),
        confidence=SPEAKS,
        channels=(TASK_LOG,),
        remedy="The log tells of no failure that a rule knows and speaks of the data: `aws s3 cp s3://<bucket>/<key> - | head -c 400` "
        "shows what is there.",
        example="row 17 is short",
    ),
)
