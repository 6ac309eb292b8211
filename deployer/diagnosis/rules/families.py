"""What a message is about, where no rule knows its words: a failure is told of, and of what."""

from deployer.diagnosis.rule import (
    CLIENT_ERROR,
    CONTAINER_REASON,
    DOCKER_BUILD,
    DOCKER_PUSH,
    STOPPED_REASON,
    TASK_LOG,
    Rule,
)

BESIDE = 0.3  # a failure without a word of its own, in a text that speaks of one party
ABOUT = 0.6  # above an exception of any kind, below every rule that knows the words
_FAILED = (
    r"\b(?:errors?|\w+Error|\w+Exception|\w+Failed|failed?_\w+|fail(?:ed|s|ure|ing)?|can ?not|can't|could ?n[o']t|unable|corrupt\w*|invalid|illegal"
    r"|no \w+ found|retries (?:used up|exhausted)|giv(?:en?|ing) up|gave up|timed? ?out|time-?out|abort\w*|fatal|crash\w*|panic\w*|lost"
    r"|unexpected|missing|bad|broken|damaged|reject\w*|refused|denied|not (?:found|valid|supported|recogni[sz]ed|allowed)|exceed\w*)\b"
)


def _about(nouns: str) -> str:
    """A line that tells of a failure and, near it, names one of the nouns, in either order."""
    named = rf"\b(?:{nouns})\b"
    return rf"{_FAILED}[^\n]{{0,300}}{named}|{named}[^\n]{{0,300}}{_FAILED}"


FAMILIES: tuple[Rule, ...] = (
    Rule(
        failure_class="data",
        subcause="about-the-data",
        matches=_about(
            r"csv|tsv|parquet|avro|ndjson|jsonl|xlsx?|excel|spreadsheets?|zip|gzip|tarball|archive|data ?sets?|data ?frames?"
            r"|rows?|records?|columns?|headers?|sheets?|worksheets?|delimiters?|input files?|data files?|source files?"
            r"|reading file|data source|feeds?|line \d+ of|observations?|samples?|readings|measurements?|stations?|timestamps?"
            r"|(?:invalid|incomplete|bad|corrupt|missing|no|more|wrong) data|values|manifest lists|NaNs?|schema|input director(?:y|ies)|\d+ (?:files|hours|days)"
        ),
        confidence=ABOUT,
        channels=(TASK_LOG,),
        unless=r"No module named|ImportError|cannot import|shared object|Permission denied|argument|AttributeError|SQLSTATE|SQLException|psycopg|mysql|postgres",
        remedy="The message speaks of the data: `aws s3 cp s3://<bucket>/<key> - | head -c 400` shows what is really there; correct it "
        "at its producer, or let the reader reject such rows with their reason.",
        example="loader: the spreadsheet could not be read",
    ),
    Rule(
        failure_class="aws-config",
        subcause="about-aws",
        matches=_about(
            r"(?-i:EC2|ECS|ECR|IAM|IMDS|STS|SSM|KMS|S3|CloudWatch|Fargate|Secrets Manager|AWS|boto\.exception|GetCredentials\w*)|s3[a-z]+|task role|decrypt|(?-i:ARNs?)|(?:execution|iam|instance|service) ?(?:role|profile)|\w+ExecutionRole|(?<!/)buckets?|security ?groups?|subnets?|log ?groups?|parameter store"
        ),
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
        confidence=ABOUT,
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
        matches=_about(
            r"(?:to|no|not|a|the) (?:master|primary)|secondar(?:y|ies)|repl(?:ica)?[ _-]?sets?|oplog|mongo[ds]?|shards?|sharded|BSON|ObjectIds?"
            r"|collections?|cursors?|namespaces?|upserts?|aggregation|write ?concern|read ?(?:concern|preference)|capped|GridFS|WiredTiger"
            r"|isMaster|SRV|seed ?list|topology|heartbeat"
        ),
        confidence=ABOUT - 0.01,
        channels=(TASK_LOG,),
        unless=r"\b(?:Attribute|Name|Type|Import|Syntax|Index|ModuleNotFound|NoSuchMethod)Error|NullPointer|java\.util|garbage|\bsql|postgres|mysql|kafka|kube|elastic|redis",
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
)
