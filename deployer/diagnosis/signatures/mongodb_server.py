"""MongoDB does not answer, hangs up, or did not start."""

from deployer.diagnosis.signature import CLIENT_ERROR, COMPOSE, PYMONGO, TASK_LOG, Signature
from deployer.diagnosis.signatures.contexts import MONGODB, OTHER_DATABASE

_SEEN = (TASK_LOG, PYMONGO, CLIENT_ERROR, COMPOSE)
_ATLAS = "https://www.mongodb.com/docs/atlas/troubleshoot-connection/"
_CODES = "https://www.mongodb.com/docs/manual/reference/error-codes/"
_LIMITS = "https://www.mongodb.com/docs/manual/reference/limits/"

MONGODB_SERVER = (
    Signature(
        failure_class="mongodb",
        subcause="memory-limit",
        texts="exceeded memory limit | external sort | allowDiskUse",
        within=(MONGODB + r"|\$group|\bsort\b"),
        channels=_SEEN,
        weight=0.9,
        meaning="A sort or group needs more than the 100 MB that the server allows it.",
        fix=(
            "Allow the server to use its disk (`aggregate(..., allowDiskUse=True)`), or index the "
            "field that is sorted: `db.{collection}.createIndex(...)`."
        ),
        source=_LIMITS,
        example=(
            "pymongo.errors.OperationFailure: Executor error during find command :: caused by :: "
            "Sort exceeded memory limit of 104857600 bytes"
        ),
        counter="INFO sorted in 90 MB of memory",
    ),
    Signature(
        failure_class="mongodb",
        subcause="server-selection-timeout",
        pattern=(
            r"server[ _]?selection[^\n]{0,30}(?:error|time|fail|exception)"
            r"|No servers? (?:found|available|match)|Timed out after \d{1,9} ?ms"
            r"|(?:could not|couldn't|failed to|unable to|retrying to|cannot|can.t) connect to"
            r"|\btimed out\b|connection pool[^\n]{0,60}(?:paused|clos|clear|destroy|time|exhaust)"
        ),
        texts=(
            "No suitable servers | No server chosen | buffering timed out | selecting a server"
            " | timeout occurred | ETIMEDOUT | Topology is closed | Topology was destroyed"
            " | topology_type: Unknown | deadline exceeded"
        ),
        names=(
            "ServerSelectionTimeoutError MongoServerSelectionError MongooseServerSelectionError "
            "MongoTimeoutException NetworkTimeout WaitQueueTimeoutError MongoTopologyClosedError "
            "NoServerAvailable SocketTimeoutError ConnectionTimeoutException "
            "MongoConnectionPoolClearedError"
        ),
        within=MONGODB,
        without=OTHER_DATABASE,
        channels=_SEEN,
        weight=0.84,
        meaning="No MongoDB server answered in time.",
        fix=(
            "Check in this order for {host}: the Atlas access list has the task's address, the "
            "security group lets out port {port}, the cluster is not paused, the host is right: "
            "`deployer doctor`."
        ),
        source=_ATLAS,
        example=(
            "pymongo.errors.ServerSelectionTimeoutError: shard-00.ab1cd.mongodb.net:27017: timed "
            "out, Timeout: 30s"
        ),
        counter="INFO connected to MongoDB, timeout=30",
    ),
    Signature(
        failure_class="mongodb",
        subcause="connection-closed",
        pattern=(
            r"connection (?:\S{1,60} )?(?:to [^\n]{0,80} )?closed"
            r"|pool (?:was |is )?(?:cleared|destroyed|paused)|connection\(\) ?(?:error|closed)"
        ),
        texts=(
            "Connection reset by peer | ECONNRESET | Broken pipe | socket hang up"
            " | socket was unexpectedly closed | incomplete read | prematurely reached end"
            " | unexpected EOF | network error | error occurred during connection"
            " | session that has ended | Cannot assign requested address | configured timeouts:"
        ),
        names=(
            "AutoReconnect MongoNetworkError MongoSocketOpenException MongoSocketReadException "
            "MongoSocketWriteException ConnectionFailure MongoNetworkTimeoutError "
            "MongoNotConnectedError MongoExpiredSessionError SocketException"
        ),
        within=(MONGODB + r"|socketTimeoutMS"),
        without=OTHER_DATABASE,
        channels=_SEEN,
        weight=0.82,
        transient=True,
        meaning="The server, or something on the way, closed the connection.",
        fix=(
            "A retry is usually enough (`deployer resume`); if it repeats, look at {host} for "
            "restarts, elections, connection limits or an idle limit on the way."
        ),
        source=_ATLAS,
        example="pymongo.errors.AutoReconnect: db-7.internal:27017: connection closed",
        counter="INFO connection to MongoDB closed",
    ),
    Signature(
        failure_class="mongodb",
        subcause="server-startup",
        pattern=r"permissions on [^\n]{0,80}keyfile",
        texts=(
            "exception in initAndListen | child process failed | DBPathInUse | unclean shutdown"
            " | Failed global initialization | fassert | Fatal assertion | error number 48"
            " | error number 100 | Error setting up listener | WiredTiger error"
        ),
        channels=(TASK_LOG, COMPOSE),
        weight=0.85,
        meaning="mongod itself did not start or stopped.",
        fix=(
            "Read mongod's own log where it runs (`docker compose logs mongo`): the usual reasons "
            "are a data folder in use or of another version, its permissions, and an option that "
            "it does not know."
        ),
        source="https://www.mongodb.com/docs/manual/reference/exit-codes/",
        example="exception in initAndListen: DBPathInUse: Unable to lock the lock file",
        counter="INFO mongod started",
    ),
    Signature(
        failure_class="mongodb",
        subcause="operation-failed",
        pattern=(
            r"pymongo\.errors\.\w{3,60}|\bMongo\w{0,40}(?:Error|Exception)\b|com\.mongodb\.\w{3,60}"
            r"|bson\.errors\.\w{3,40}|Command failed with error \d"
            r"|(?:beanie|djongo|odmantic|mongoengine)\.\w{2,20}\.\w{3,60}|\bMo(?:ped|ngo)::\w"
            r"|o\.m\.d\.\w{3,30}"
        ),
        texts=(
            "Import BSON | executor error during | error connecting to host"
            " | error connecting to db server | error restoring from | nInserted | write exception"
            " | caused by :: | unable to connect to database | UPGRADE PROBLEM"
        ),
        names=(
            "OperationFailure BulkWriteError WriteError ConfigurationError InvalidBSON "
            "EncryptionError InvalidOperation PyMongoError MongooseError "
            "CollectionWasNotInitialized DocumentParsingError ReplicaSetMonitor"
        ),
        within=(MONGODB + r"|Moped|djongo|odmantic|beanie|parse-server"),
        without=r"No module named|ImportError|object is not callable",
        channels=_SEEN,
        weight=0.72,
        meaning="MongoDB or its driver refused the operation; its message and code say why.",
        fix=(
            "Look the code up in "
            + _CODES
            + " and correct the operation on {collection}; `deployer doctor` checks connection and "
            + "rights."
        ),
        source=_CODES,
        example="pymongo.errors.OperationFailure: the match filter is odd, full error: {'ok': 0.0}",
        counter="INFO pymongo 4.15 loaded",
    ),
)
