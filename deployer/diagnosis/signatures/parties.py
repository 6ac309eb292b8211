"""What a message is about where no signature has its words: a failure is told of, and a party is named."""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    COMPOSE,
    CONTAINER_REASON,
    DOCKER_BUILD,
    DOCKER_PUSH,
    STOPPED_REASON,
    TASK_LOG,
)
from deployer.errors import FailureClass

ABOUT = 0.6  # the word stands in the line that tells of the failure
BESIDE = 0.33  # it stands in another line of the same event

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9]{0,40}")
_PROGRAM = re.compile(
    r"No module named|ImportError|cannot import|shared object"
    r"|\b(?:Attribute|Name|Reference|Syntax|Indentation)Error|is not defined"
    r"|of '?(?:undefined|null|nil)\b|is not a function|NoSuchMethod|NoClassDef|NullPointer"
    r"|Permission denied"
)


@dataclass(frozen=True)
class Party:
    """A party and its words: `terms` are single words in lower case, a plural `s` aside."""

    failure_class: FailureClass
    subcause: str
    terms: str
    meaning: str
    fix: str
    channels: tuple[str, ...]
    without: str = ""
    weight: float = ABOUT
    transient: bool = False

    @cached_property
    def words(self) -> frozenset[str]:
        """The terms, each also as a plural."""
        return frozenset(form for term in self.terms.split() for form in (term, term + "s"))

    def named_in(self, text: str) -> bool:
        """Whether one of the terms stands in the text, and nothing of another party."""
        if self.words.isdisjoint(_tokens(text)):
            return False
        return not (self.without and re.search(self.without, text, re.IGNORECASE))


@lru_cache(maxsize=64)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(_TOKEN.findall(text.lower()))


def is_the_programs_own(text: str) -> bool:
    """Whether only the program's own text can be wrong, whatever party it speaks of."""
    return bool(_PROGRAM.search(text))


PARTIES = (
    Party(
        "data",
        "about-the-data",
        (
            "csv tsv parquet avro ndjson jsonl xls xlsx excel spreadsheet zip gzip tarball "
            "archive dataset dataframe row record column field header sheet worksheet delimiter "
            "feed observation sample reading measurement station timestamp offset manifest nan "
            "schema ole2 values"
        ),
        "The message is about the data that is read.",
        (
            "See what is really there (`aws s3 cp s3://{bucket}/{key} - | head -c 400`); correct "
            "it at its producer, or let the reader reject such rows with their reason."
        ),
        (TASK_LOG, COMPOSE),
        without=(
            r"argument|SQLSTATE|psycopg|mysql|postgres|sqlite|\.ya?ml\b|configparser|mongo"
            r"|oplog|request header|thread"
        ),
    ),
    Party(
        "aws-config",
        "about-aws",
        (
            "ec2 ecs ecr iam imds sts ssm kms s3 sso mfa vpc arn cloudwatch fargate aws boto "
            "boto3 botocore wsdl decrypt bucket subnet credential waiter amazonaws dynamodb sqs "
            "sns lambda glue athena s3a"
        ),
        "The message is about a call to AWS.",
        (
            "See as whom and where it is made (`aws sts get-caller-identity`), and that the task "
            "definition {family} names a task role that may make it."
        ),
        (TASK_LOG, CLIENT_ERROR),
        without=r"mongo|google|azure|gcloud|docker login",
        weight=ABOUT + 0.01,
    ),
    Party(
        "aws-config",
        "about-ecs",
        "cluster taskdef instance ecs service role stack region profile task",
        "The message is about what an ECS call names.",
        (
            "See that it exists there: `aws ecs list-clusters --region {region}`, `aws ecs "
            "describe-task-definition --task-definition {family} --region {region}`; as whom: "
            "`aws sts get-caller-identity`."
        ),
        (CLIENT_ERROR,),
        without=r"mongo|docker daemon|docker\.sock|No module named",
        weight=ABOUT,
    ),
    Party(
        "code",
        "about-dependencies",
        "dependency dependencies pipfile pipenv wheel resolver locking requirement gemfile lockfile",
        "The message is about the program's dependencies.",
        (
            "Resolve them on your machine (`pip install --dry-run -r requirements.txt`), commit "
            "the pins, build again."
        ),
        (DOCKER_BUILD,),
        without=r"name resolution|timed? ?out|no such host|unmet dependencies|apt|held broken",
    ),
    Party(
        "network",
        "about-the-network",
        "network internet connection proxy firewall vpn download mirror dns socket host",
        "The message is about the connection to a server.",
        "Check connection, VPN, firewall and proxy to {host} (`curl -v https://{host}/`), then try again.",
        (DOCKER_BUILD, DOCKER_PUSH, CLIENT_ERROR),
        without=(
            r"docker\.sock|docker_engine|docker daemon|network ?mode|uid/gid|entitlement"
            r"|networkConfiguration|OCI runtime"
        ),
        weight=ABOUT - 0.02,
        transient=True,
    ),
    Party(
        "mongodb",
        "about-mongodb",
        (
            "primary secondary secondaries oplog mongo mongodb mongod mongos mongoose pymongo "
            "moped odmantic beanie keyfile listdatabases shard sharded bson objectid collection "
            "cursor namespace upsert aggregation capped gridfs wiredtiger ismaster srv seedlist "
            "topology heartbeat transaction opcode authsource replset replicaset motor"
        ),
        "The message is about MongoDB's own things.",
        "Check the connection from the name to the first read: `deployer doctor`.",
        (TASK_LOG, CLIENT_ERROR, COMPOSE),
        without=(
            r"\b(?:Type|Index)Error|java\.util|garbage|\bsql|postgres|mysql|kafka|kube|elastic|redis"
            r"|configparser|docker"
        ),
        weight=ABOUT - 0.01,
    ),
    Party(
        "resources",
        "about-resources",
        "memory ram heap oom swap disk descriptor",
        "The message is about memory or disk.",
        (
            "Compare the task's size with what the job needs: `aws ecs describe-task-definition "
            "--task-definition {family} --query 'taskDefinition.[cpu,memory,ephemeralStorage]' "
            "--region {region}`."
        ),
        (TASK_LOG, STOPPED_REASON, CONTAINER_REASON),
        without=(
            r"memory address|size of the|mongo|'memory'|memory setting|task definition|in-memory"
            r"|Invalid 'cpu'"
        ),
    ),
)
