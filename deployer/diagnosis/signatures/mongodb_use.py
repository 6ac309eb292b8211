"""MongoDB refuses what the program does with it."""

from deployer.diagnosis.signature import CLIENT_ERROR, COMPOSE, DECISIVE, PYMONGO, TASK_LOG, Signature
from deployer.diagnosis.signatures.contexts import MONGODB, OTHER_DATABASE

_SEEN = (TASK_LOG, PYMONGO, CLIENT_ERROR, COMPOSE)
_CODES = "https://www.mongodb.com/docs/manual/reference/error-codes/"
_LIMITS = "https://www.mongodb.com/docs/manual/reference/limits/"

MONGODB_USE = (
    Signature(
        failure_class="mongodb",
        subcause="storage-quota",
        pattern=(
            r"over your space quota(?:, using (?P<used>\d{1,9}(?:\.\d{1,3})? MB) of (?P<size>\d{1,9} MB))?"
            r"|Cannot create[^\n]{0,40}collections?[^\n]{0,60}(?:limit|already)"
        ),
        texts=(
            "space quota | storage limit | storage quota | disk space full | disk full"
            " | cannot create a new collection | No space left"
        ),
        names="OutOfDiskSpace WT_PANIC",
        within=r"mongo|AtlasError|space quota|WiredTiger|\bWT_|new collection|\"ctx\":|\"STORAGE\"",
        channels=_SEEN,
        weight=DECISIVE,
        meaning="The storage of the MongoDB cluster is full.",
        fix=(
            "Delete or archive what is not needed (now {used} of {size}; `db.stats()`), or take a "
            "larger tier: `atlas clusters update <cluster> --tier <tier>`."
        ),
        source="https://www.mongodb.com/docs/atlas/reference/free-shared-limitations/",
        example=(
            "pymongo.errors.OperationFailure: you are over your space quota, using 513 MB of 512 "
            "MB, code 8000"
        ),
        counter="INFO storage 100 of 512 MB",
    ),
    Signature(
        failure_class="mongodb",
        subcause="duplicate-key",
        pattern=r"\bE1100[01]\b",
        texts="duplicate key error | code: 11000 | code 11000 | duplicate unique keys",
        names=(
            "DuplicateKeyError DuplicateKeyException DuplicateKey NotUniqueError MongoDuplicateKeyException"
        ),
        without=r"postgres|psycopg|mysql|Duplicate entry|violates unique",
        channels=_SEEN,
        weight=0.95,
        meaning="A document with that unique key is there already.",
        fix=(
            "Write by upsert on a deterministic _id, or correct the unique index {index} of "
            "{collection} ({dup_key}): `db.{collection}.getIndexes()`."
        ),
        source="https://www.mongodb.com/docs/manual/core/index-unique/",
        example=(
            "pymongo.errors.DuplicateKeyError: E11000 duplicate key error collection: "
            "weather.readings index: _id_ dup key: { _id: 7 }"
        ),
        counter="INFO 0 duplicates",
    ),
    Signature(
        failure_class="mongodb",
        subcause="validation",
        pattern=(
            r"validation failed[^\n]{0,80}Path `|\bcode['\"]?\W{1,3}121\b|Cast to \w{2,30} failed"
            r"|Path `\w{1,60}` is required"
        ),
        texts="failed validation | mongoengine.errors.ValidationError",
        names="DocumentValidationFailure schemaRulesNotSatisfied CastError",
        within=(MONGODB + r"|failed validation|Path `|Cast to|schemaRules"),
        without=r"AWS|An error occurred",
        channels=_SEEN,
        weight=0.92,
        meaning="The validator of the collection or model refuses the document.",
        fix=(
            "Compare document and validator: `db.getCollectionInfos({name: '{collection}'})`; "
            "correct the field that the message names."
        ),
        source="https://www.mongodb.com/docs/manual/core/schema-validation/",
        example=(
            "pymongo.errors.WriteError: Document failed validation, full error: {'index': 0, 'code': 121}"
        ),
        counter="INFO 300 documents pass validation",
    ),
    Signature(
        failure_class="mongodb",
        subcause="document-too-large",
        pattern=(
            r"BSONObj(?:ect)? ?size|exceeds? maximum (?:BSON|document)"
            r"|larger than (?:the )?max[^\n]{0,60}(?:BSON|document|16)"
        ),
        texts=(
            "object to insert too large | document is too large | document too large"
            " | document after update is larger | attempted to grow | larger than server max"
            " | objsize too large"
        ),
        names="DocumentTooLarge BSONObjectTooLarge",
        within=(MONGODB + r"|BSON|DocumentTooLarge|16777216"),
        channels=_SEEN,
        weight=0.95,
        meaning="A document is larger than MongoDB's 16 MiB.",
        fix=(
            "Split the document, or keep its large part in S3 or GridFS (the limit is 16793600 "
            "bytes; this one has the size in the message)."
        ),
        source=_LIMITS,
        example=(
            "pymongo.errors.DocumentTooLarge: BSON document too large (20971520 bytes) - the "
            "connected server supports BSON document sizes up to 16793598 bytes."
        ),
        counter="INFO largest document 3 MB",
    ),
    Signature(
        failure_class="mongodb",
        subcause="cursor-timeout",
        pattern=r"cursor (?:id )?\S{0,40} ?(?:not found|was killed|timed out)|\bcode['\"]?\W{1,3}43\b",
        names="CursorNotFound MongoCursorNotFoundException CursorKilled",
        within=(MONGODB + r"|cursor"),
        channels=_SEEN,
        weight=0.95,
        transient=True,
        meaning="The server closed a cursor that idled for too long.",
        fix=(
            "Read in smaller batches (`batch_size=500`), or refresh the session while working: a "
            "cursor idles 10 minutes at most."
        ),
        source=_CODES,
        example="pymongo.errors.CursorNotFound: cursor id 8123 not found",
        counter="INFO cursor exhausted",
    ),
    Signature(
        failure_class="mongodb",
        subcause="operation-timeout",
        pattern=r"\bcode['\"]?\W{1,3}50\b",
        texts=(
            "operation exceeded time limit | waiting for replication timed out"
            " | Not enough data-bearing nodes | writeConcernErrors: [{"
        ),
        names=(
            "MaxTimeMSExpired ExecutionTimeout WTimeoutError LockTimeout WriteConflict "
            "ExceededTimeLimit NoSuchTransaction TransientTransactionError WriteConcernError "
            "WriteConcernFailed NotEnoughNodes UnsatisfiableWriteConcern CommandNotSupportedOnView"
        ),
        within=(MONGODB + r"|errmsg|time limit|nInserted"),
        channels=_SEEN,
        weight=0.91,
        transient=True,
        meaning="The server did not finish in the time given.",
        fix=(
            "Try again; then index what is queried (`db.{collection}.explain().find(...)`), write "
            "smaller batches, or raise maxTimeMS."
        ),
        source=_CODES,
        example=(
            "pymongo.errors.ExecutionTimeout: operation exceeded time limit, full error: {'ok': "
            "0.0, 'code': 50}"
        ),
        counter="INFO operation took 30 ms, timeout=30",
    ),
    Signature(
        failure_class="mongodb",
        subcause="server-feature",
        pattern=(
            r"unrecognized (?:option|field|pipeline|expression)"
            r"|not supported by (?:this|the) (?:server|version)|Invalid \$\w{2,30}"
        ),
        texts=(
            "retryWrites | retryable writes | wire version | requires at least wire"
            " | requires at least MongoDB | no such command | OP_QUERY | unknown top level operator"
            " | unknown operator | API version | compatibilityVersion | Pipeline length"
            " | time-series collection | timeseries collection | not valid for storage"
            " | atomic operators"
        ),
        names=(
            "CommandNotFound CommandNotSupported IllegalOperation FailedToParse BadValue "
            "FeatureCompatibility SQLDecodeError"
        ),
        within=(MONGODB + r"|errmsg|wire version|time-?series|does not support retryable|prefixed field"),
        without=r"BulkWriteError: duplicate|caused by :: WriteConflict",
        channels=_SEEN,
        weight=0.88,
        meaning="Driver, command and server do not support the same features.",
        fix=(
            "Use a driver version that the server supports (`mongosh {host} --eval "
            "'db.version()'`), or turn the feature off in the connection string "
            "(retryWrites=false)."
        ),
        source="https://www.mongodb.com/docs/drivers/compatibility/",
        example=(
            "OperationFailure: this MongoDB deployment does not support retryable writes. Please "
            "add retryWrites=false to your connection string."
        ),
        counter="INFO retry writes on, MongoDB 7",
    ),
    Signature(
        failure_class="mongodb",
        subcause="index-or-namespace",
        pattern=(
            r"Index[^\n]{0,80}already exists with (?:a )?different"
            r"|collection \S{0,80} ?already exists"
        ),
        texts=(
            "if no direction is specified | index key | ns not found | ns does not exist | too "
            "many open connections | too many connections | invalid namespace | already exists "
            "with different case | cannot use the part | immutable field | conflict at | Cannot "
            "create field | collection names cannot | database names cannot"
        ),
        names=(
            "IndexOptionsConflict IndexKeySpecsConflict CannotCreateIndex NamespaceExists "
            "NamespaceNotFound InvalidNamespace CollectionInvalid InvalidName TooManyFilesOpen "
            "KeyTooLong CappedPositionLost ImmutableField ConflictingUpdateOperators"
        ),
        within=(MONGODB + r"|errmsg|\bns\b|InvalidNamespace|namespace|collection"),
        without=OTHER_DATABASE,
        channels=_SEEN,
        weight=0.86,
        meaning="An index or collection is there already in another form, or its name is not allowed.",
        fix=(
            "See what is there (`db.{collection}.getIndexes()`, `show collections`) and drop or "
            "rename {index}: `db.{collection}.dropIndex('{index}')`."
        ),
        source=_CODES,
        example=(
            "pymongo.errors.OperationFailure: Index with name: ts_1 already exists with different "
            "options, code 85 IndexOptionsConflict"
        ),
        counter="INFO index ts_1 exists",
    ),
)
