"""The source is missing, empty, or has other columns or another encoding."""

from deployer.diagnosis.signature import COMPOSE, PYMONGO, TASK_LOG, Signature

_RUN = (TASK_LOG, COMPOSE)
_S3 = "https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html"
_PANDAS = "https://pandas.pydata.org/docs/reference/testing.html#exceptions-and-warnings"
_SUFFIX = (
    r"\.(?:csv|tsv|jsonl?|ndjson|xlsx?|parquet|avro|orc|txt|xml|gz|zip|bz2|zst|dat|sql"
    r"|feather|hdf5?|h5|nc|shp|geojson|pkl|tar|tif)\b"
)
_SETTINGS = (
    r"(?:package|tsconfig|config|settings|credentials|task-?def\w{0,20}|requirements"
    r"|appsettings|firebase|serviceAccount)\S{0,20}\.(?:json|ya?ml|txt)|node_modules"
    r"|site-packages/\w{1,40}/data"
)

SOURCES = (
    Signature(
        failure_class="data",
        subcause="source-missing",
        pattern=(
            r"\(404\) (?:occurred )?when calling the (?:Head|Get)Object"
            r"|(?:input|source|data) (?:file|path|folder|directory"
            r"|object)s? [^\n]{0,120}(?:not (?:exist|found)|missing)"
            r"|no (?:input |source |data |matching )?(?:files?|objects?) (?:found|match)"
            r"|s3a?://\S{1,300}[^\n]{0,60}(?:not (?:exist|found)|No such)"
            r"|No such file[^\n]{0,40}s3://|(?:resolved to|returned|matched|match(?:es)?) no files"
            r"|\b0 files (?:match|found)|\b550 [^\n]{0,120}(?:no such|not found)"
            r"|path (?:[^\n]{0,80})does not exist: s3"
        ),
        texts=(
            "specified key does not exist | does not match any file"
            " | fatal error: an error occurred (404) | no_such_key | blob does not exist"
            " | no such key | file is missing | object is missing | FileNotFoundError: s3://"
            " | 404 Client Error | HTTP Error 404 | Path does not exist"
        ),
        names="NoSuchKey NoSuchKeyException PathNotFoundException BlobNotFound NoSuchUpload",
        without=r"NoClassDefFoundError|mongo|ECR|docker|npm|pip",
        channels=_RUN,
        weight=0.92,
        meaning="The source file or object does not exist where the program looks for it.",
        fix=(
            "See what is there (`aws s3 ls s3://{bucket}/ --recursive | tail`), then correct the "
            "key {key} or have the producer deliver it."
        ),
        source=_S3,
        example=(
            "botocore.errorfactory.NoSuchKey: An error occurred (NoSuchKey) when calling the "
            "GetObject operation: The specified key does not exist."
        ),
        counter="INFO read s3://raw/2024.csv, 404 rows",
    ),
    Signature(
        failure_class="data",
        subcause="source-missing",
        pattern=(
            r"(?:FileNotFound(?:Error|Exception)|IOError|No such file(?: or directory)?|\bENOENT\b"
            r"|cannot find the (?:file|path)|NoSuchFileException|Unable to open)[^\n]{0,200}(?:"
            + _SUFFIX
            + r"|['\"/](?:data|inputs?|raw|sources?|downloads?|share|datasets?)/)|"
            + _SUFFIX
            + r"['\"]?\W[^\n]{0,80}(?:does not exist|not found|no such file|is missing)"
        ),
        without=(_SETTINGS + r"|\bdocker|No module|COPY"),
        channels=_RUN,
        weight=0.84,
        meaning="A data file that the program opens does not exist in its container.",
        fix=(
            "See that {path} is produced or mounted before the program reads it; `deployer logs` "
            "shows which step should have written it."
        ),
        source="https://docs.python.org/3/library/exceptions.html#FileNotFoundError",
        example="FileNotFoundError: [Errno 2] No such file or directory: 'data/input/stations.csv'",
        counter="INFO wrote data/input/stations.csv",
    ),
    Signature(
        failure_class="data",
        subcause="encoding",
        texts=(
            "codec can't decode | codec can't encode | invalid start byte | invalid continuation byte"
            " | UTF-16 stream does not start | invalid byte sequence | invalid UTF-8 | invalid UTF8"
            " | byte order mark | contain valid UTF-8"
        ),
        names="UnicodeDecodeError UnicodeEncodeError MalformedInputException CharacterCodingException",
        channels=_RUN,
        weight=0.89,
        meaning="The file is not in the character encoding that the reader expects.",
        fix=(
            "Find the encoding (`aws s3 cp s3://{bucket}/{key} - | head -c 100000 | file -`) and "
            'name it to the reader (`encoding="cp1252"`, `utf-8-sig`), or have the producer '
            "write UTF-8."
        ),
        source="https://docs.python.org/3/library/codecs.html#standard-encodings",
        example=(
            "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xb0 in position 12: invalid start byte"
        ),
        counter="INFO encoding utf-8",
    ),
    Signature(
        failure_class="data",
        subcause="columns-changed",
        pattern=(
            r"(?:columns?|fields?|headers?)\b[^\n]{0,200}(?:not found|missing|cannot be found"
            r"|do(?:es)? not (?:exist|match)|not in (?:index|columns)|unexpected"
            r"|expected but not found|was not found)"
            r"|(?:missing|unexpected|unknown|unrecognized|required|extra"
            r"|duplicate) (?:required )?(?:columns?|fields?|headers?)\b"
            r"|columns? (?:passed|have mixed)|None of \[[^\n]{0,200}are in the"
            r"|schema (?:mismatch|changed|drift|validation)|Worksheet [^\n]{0,60}(?:not|does not)"
            r"|(?:is of|mismatched) (?:type|dtypes)"
        ),
        texts=(
            "usecols do not match | is a required property | shape of passed values"
            " | unrecognized field | not in index | not found in axis"
            " | Length mismatch: Expected axis | cannot resolve ' | No sheet named"
            " | more columns than | number of columns | contains fields not in fieldnames"
            " | there is no item named | make sure the input file has a header | expected header"
        ),
        names=(
            "SchemaError ColumnNotFoundError SchemaFieldNotFoundError SchemaMismatch "
            "SchemaMismatchException AnalysisException HeaderValidationException "
            "UnrecognizedPropertyException MissingFieldException HIVE_PARTITION_SCHEMA_MISMATCH "
            "InvalidIndexError UNRESOLVED_COLUMN"
        ),
        without=(
            r"psycopg2\.errors\.Undefined|OperationalError|column [^\n]{0,60}of relation"
            r"|no such column|pip |AccessDenied|Unknown column|\bmongo|Settings|BaseSettings|environ"
            r"|docker|django|time-?series"
        ),
        channels=_RUN,
        weight=0.85,
        meaning="The source has other columns or fields than the program reads.",
        fix=(
            "Compare the header with what the program reads ({column}): `aws s3 cp "
            "s3://{bucket}/{key} - | head -n 2`; then follow the change in the program, or have "
            "the producer restore it."
        ),
        source=_PANDAS,
        example="KeyError: \"['humidity'] not in index\"",
        counter="INFO 12 columns found",
    ),
    Signature(
        failure_class="data",
        subcause="columns-changed",
        pattern=r"KeyError: ['\"]?(?!.{0,40}(?-i:\b[A-Z][A-Z0-9]{2,40}_))(?P<column>[A-Za-z_][\w .-]{0,60})",
        within=(
            r"pandas|polars|DataFrame|get_loc|hashtable|DictReader|\bdf\[|\brow\b|\brecords?\b|_libs"
            r"|csv\b|transform|pars(?:e|ing)|extract|ingest"
        ),
        without=r"environ|settings|botocore|mongo",
        channels=_RUN,
        weight=0.74,
        ecosystem="python",
        meaning="The records lack a field that the program reads.",
        fix=(
            "See whether the source still has {column}: `aws s3 cp s3://{bucket}/{key} - | head -n "
            "2`; then follow the change, or have the producer restore it."
        ),
        source=_PANDAS,
        example=(
            'Traceback (most recent call last):\n  File "/app/transform.py", line 9, in '
            "parse\n    value = row['humidity']\nKeyError: 'humidity'"
        ),
        counter="INFO column humidity read by pandas",
    ),
    Signature(
        failure_class="data",
        subcause="nothing-loaded",
        pattern=(
            r"\b(?:nothing|no (?:rows?|records?|documents?|data|readings?|objects?"
            r"|observations))(?: (?:was|were|to|could be|has been|have been))? ?(?:loaded|load"
            r"|inserted|insert|found|processed?|read|written|ingested|imported|available|returned"
            r"|extracted|to (?:do|load))\b"
            r"|^[^\n]{0,40}\b0 (?:rows?|records?|documents?) (?:loaded|inserted|processed|written"
            r"|found|ingested)\b|(?:empty|zero[- ]row) (?:dataset|data ?frame|source|input|result)"
            r"|(?:dataset|source|input|directory|file|data ?frame)\S{0,20} is empty"
            r"|(?:all|too many|\d{1,9} of \d{1,9}) (?:rows?|records?) (?:were )?rejected"
            r"|rejected[^\n]{0,60}(?:threshold|more than|exceed)"
            r"|Got \d{1,9} results, configured to fail|expected [^\n]{0,60}got 0\b"
            r"|lists \d{1,9} files, found \d"
        ),
        texts=(
            "are quarantined | objects quarantined | no objects to concatenate | no columns to "
            "parse from file | row count mismatch | no tables found | Failed to find data"
        ),
        names="EmptyDataError",
        without=r"DEBUG|INFO|cache|index",
        channels=(*_RUN, PYMONGO),
        weight=0.83,
        meaning="The source was read and nothing of it could be loaded.",
        fix=(
            "Look at what arrived (`aws s3 ls s3://{bucket}/{key} --recursive --summarize`) and at "
            "the rejected rows' reasons in the log (`deployer logs`); then correct the source or "
            "the filter."
        ),
        source=_PANDAS,
        example="ERROR: 0 rows loaded",
        counter="INFO 0 rows rejected",
    ),
)
