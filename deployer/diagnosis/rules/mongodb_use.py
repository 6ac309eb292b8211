"""MongoDB was reached and refused an operation: keys, documents, storage, time."""

from deployer.diagnosis.rule import DECISIVE, FAMILY, Rule
from deployer.diagnosis.rules.mongodb_access import DRIVER, SEEN

_ERRORS = "https://www.mongodb.com/docs/manual/reference/error-codes/"

MONGODB_USE: tuple[Rule, ...] = (
    Rule(
        failure_class="code",
        subcause="mongodb-driver-install",
        matches=r"dnspython|No module named '?(?:pymongo|bson|motor|mongoengine|gridfs)"
        r"|cannot import name [^\n]*(?:pymongo|bson)|Cannot find module '(?:mongodb|mongoose)"
        r"|'?bson[^\n]*shadow|module 'bson' has no attribute|pip install[^\n]*(?:pymongo|dnspython)",
        confidence=DECISIVE + 0.02,
        channels=SEEN,
        remedy='Install the driver with its extras in the image (`pip install "pymongo[srv]"`), never the separate `bson` '
        "package beside it; rebuild.",
        link="https://www.mongodb.com/docs/languages/python/pymongo-driver/current/get-started/",
        example='pymongo.errors.ConfigurationError: The "dnspython" module must be installed to use mongodb+srv:// URIs',
    ),
    Rule(
        failure_class="code",
        subcause="unencodable-value",
        matches=r"cannot encode object|documents must have only string keys|Invalid document[^\n]*cannot encode"
        r"|keys? must (?:be (?:an )?instance of str|not (?:start|contain))"
        r"|do not implement truth value testing|'(?:Collection|Database)' object is not callable"
        r"|can only handle up to 8-byte ints|naive and offset-aware|No codec|CodecConfigurationException"
        r"|Can't find a codec",
        context=DRIVER + r"|InvalidDocument|BSON",
        confidence=0.9,
        channels=SEEN,
        remedy="The program hands the driver a value that BSON has no type for (numpy, Decimal, set, date): convert it before "
        "the write; the last frame of the traceback says where.",
        link="https://www.mongodb.com/docs/manual/reference/bson-types/",
        example="bson.errors.InvalidDocument: cannot encode object: 3.5, of type: <class 'numpy.float32'>",
    ),
    Rule(
        failure_class="mongodb",
        subcause="storage-quota",
        matches=r"over your space quota|space quota|OutOfDiskSpace|storage (?:limit|quota)|disk (?:space )?full"
        r"|exceed\w* (?:the )?(?:storage|disk)|Cannot create[^\n]*collections?[^\n]*(?:limit|already)"
        r"|cannot write[^\n]*(?:disk|space)|WT_PANIC|No space left",
        context=r"mongo|AtlasError|space quota|WiredTiger|\bWT_|new collection",
        confidence=DECISIVE,
        channels=SEEN,
        remedy="The cluster's storage is full: delete or archive what is not needed, or choose a larger tier: `atlas clusters "
        "update <cluster> --tier <tier>`.",
        link="https://www.mongodb.com/docs/atlas/reference/free-shared-limitations/",
        example="pymongo.errors.OperationFailure: you are over your space quota, using 513 MB of 512 MB, code 8000",
    ),
    Rule(
        failure_class="mongodb",
        subcause="duplicate-key",
        matches=r"\bE11000\b|\bE11001\b|DuplicateKey(?:Error|Exception)?|duplicate key error",
        unless=r"postgres|psycopg|mysql|Duplicate entry|unique constraint",
        confidence=0.94,
        channels=SEEN,
        remedy="A document with that key is there already: write by upsert on a deterministic _id, or mend the unique index: "
        "`db.<collection>.getIndexes()`.",
        link=_ERRORS,
        example="pymongo.errors.DuplicateKeyError: E11000 duplicate key error collection: weather.measurements index: _id_",
    ),
    Rule(
        failure_class="mongodb",
        subcause="validation",
        matches=r"Document failed validation|DocumentValidationFailure|schemaRulesNotSatisfied|failed validation"
        r"|ValidationError: [^\n]*(?:mongoengine|Path `)|\bcode\W+121\b|mongoengine\.errors\.\w+",
        context=DRIVER + r"|Document failed|schemaRules|Path `",
        confidence=0.93,
        channels=SEEN,
        remedy='The collection\'s validator refuses the document: compare both: `db.getCollectionInfos({name: "<collection>"})`.',
        link="https://www.mongodb.com/docs/manual/core/schema-validation/",
        example="pymongo.errors.WriteError: Document failed validation, full error: {'index': 0, 'code': 121}",
    ),
    Rule(
        failure_class="mongodb",
        subcause="document-too-large",
        matches=r"DocumentTooLarge|BSONObj(?:ect)? ?size|BSONObjectTooLarge|object to insert too large"
        r"|document (?:is )?too large|Resulting document after update is larger"
        r"|exceeds? maximum (?:BSON|document)|BufBuilder attempted to grow"
        r"|larger than (?:the )?max(?:imum)?[^\n]*(?:BSON|document|16)|message[^\n]*larger than server max",
        context=DRIVER + r"|BSON|16793600|16777216",
        confidence=0.94,
        channels=SEEN,
        remedy="A document passes 16 MiB: split it, or keep the large part in S3 or GridFS.",
        link="https://www.mongodb.com/docs/manual/reference/limits/",
        example="pymongo.errors.DocumentTooLarge: BSON document too large (20971520 bytes) - the connected server supports BSON "
        "document sizes up to 16793598 bytes.",
    ),
    Rule(
        failure_class="mongodb",
        subcause="cursor-timeout",
        matches=r"CursorNotFound|cursor id \S+ not found|cursor[^\n]*(?:not found|killed|timed out)|\bcode\W+43\b",
        context=DRIVER + r"|cursor id",
        confidence=0.94,
        channels=SEEN,
        transient=True,
        remedy="The server closed a cursor that idled: process smaller batches (batch_size), or refresh the session while working.",
        link=_ERRORS,
        example="pymongo.errors.CursorNotFound: cursor id 8123 not found",
    ),
    Rule(
        failure_class="mongodb",
        subcause="operation-timeout",
        matches=r"operation exceeded time limit|MaxTimeMSExpired|ExecutionTimeout|WTimeoutError"
        r"|waiting for replication timed out|LockTimeout|WriteConflict|ExceededTimeLimit|NoSuchTransaction"
        r"|TransientTransactionError|WriteConcernError|WriteConcernFailed|NotEnoughNodes"
        r"|UnsatisfiableWriteConcern|Not enough data-bearing nodes|\bcode\W+50\b",
        context=DRIVER + r"|MaxTimeMS|errmsg",
        confidence=0.9,
        channels=SEEN,
        transient=True,
        remedy="The server did not finish in the time given: try again; then index what is queried (`explain()`), write smaller "
        "batches, or ask for a write concern that the set can meet.",
        link=_ERRORS,
        example="pymongo.errors.ExecutionTimeout: operation exceeded time limit, full error: {'ok': 0.0, 'code': 50}",
    ),
    Rule(
        failure_class="mongodb",
        subcause="server-feature",
        matches=r"does not support retryable writes|retryWrites|wire version|requires at least (?:wire|MongoDB)"
        r"|reports (?:wire|maximum wire) version|no such command|CommandNotFound"
        r"|unrecognized (?:field|pipeline|expression)|not supported by (?:this|the) (?:server|version)"
        r"|FeatureCompatibility|featureCompatibilityVersion|Unsupported OP_QUERY|OP_QUERY command"
        r"|IllegalOperation|Transaction numbers|Invalid \$\w+|unknown operator|unknown top level operator"
        r"|Unrecognized (?:option|expression)|BadValue|FailedToParse|CommandNotSupported|Illegal\w* API"
        r"|API Version",
        context=DRIVER + r"|errmsg|wire version",
        confidence=0.87,
        channels=SEEN,
        remedy="Driver and server do not know the same features: pin a driver that the server's version supports, or turn the "
        "feature off in the connection string (retryWrites=false).",
        link="https://www.mongodb.com/docs/drivers/compatibility/",
        example="OperationFailure: loader-db does not support retryable writes (mongod 3.4)",
    ),
    Rule(
        failure_class="mongodb",
        subcause="index-or-namespace",
        matches=r"IndexOptionsConflict|IndexKeySpecsConflict|CannotCreateIndex"
        r"|Index[^\n]*already exists with (?:a )?different|index key|NamespaceExists|NamespaceNotFound"
        r"|ns not found|ns does not exist|too many (?:open )?connections|InvalidNamespace|Invalid namespace"
        r"|collection already exists|Collection \S+ already exists|CollectionInvalid|InvalidName\b"
        r"|db already exists with different case|TooManyFilesOpen|KeyTooLong|cannot use the part"
        r"|CappedPosition|ImmutableField|immutable field|conflict at|ConflictingUpdateOperators"
        r"|Cannot create field",
        context=DRIVER + r"|errmsg|\bns\b",
        confidence=0.85,
        channels=SEEN,
        remedy="What is there does not fit what the program asks for: `db.<collection>.getIndexes()`, `show collections`; drop "
        "or rename the old one.",
        link=_ERRORS,
        example="pymongo.errors.OperationFailure: Index with name: ts_1 already exists with different options, code 85 "
        "IndexOptionsConflict",
    ),
    Rule(
        failure_class="mongodb",
        subcause="operation-failed",
        matches=r"pymongo\.errors\.\w+|(?-i:^\W*(?:ConfigurationError|ConnectionFailure|ExecutionTimeout|Invalid(?:Operation|Name|URI)|CollectionInvalid|WaitQueueTimeoutError|_PoolClosedError)\b)"
        r"|\bMongo(?:Server|Network|Bulk\w*|Write|Command|Socket|Timeout|Security|Query|Client|Api|ServerSelection|\w{0,24})?(?:Error|Exception)\b"
        r"|OperationFailure|BulkWriteError|WriteError|com\.mongodb\.\w+|mongo\.(?:CommandError|WriteException)"
        r"|Mongoose\w*Error|ServerDescription|mongod(?:b)?://[^\n]*fail|WiredTiger error|bson\.errors\.\w+|InvalidBSON|no reachable servers|error connecting to db server|error restoring from|(?:insertion|restore) error"
        r"|(?:fail\w*|error|invalid|cannot|must)\b[^\n]*(?:caused by ::|time-?series collection|BSON|namespace)|caused by ::"
        r"|\btime-?series collection\b[^\n]*\bmust\b"
        r"|Command failed with error \d|writeErrors?\b|writeConcernErrors|write errors?: code|initAndListen|child process failed|featureCompatibilityVersion|allowDiskUse|external sort|Plan ?executor error|Executor error during|Import BSON files|(?:beanie|djongo)\.exceptions\.\w+"
        r"|\b(?:error|fail\w*|could not|unable|cannot|refused)\b[^\n]*mongo"
        r"|\bmongo(?:db)?\b[^\n]*\b(?:error|fail\w*|could not|unable|cannot)\b",
        confidence=FAMILY - 0.02,
        channels=SEEN,
        remedy="MongoDB refused the operation: read its message and code in the evidence and look the code up.",
        link=_ERRORS,
        example="pymongo.errors.OperationFailure: the match filter is odd, full error: {'ok': 0.0}",
    ),
)
