"""The source is not what the program reads: missing, malformed, changed, empty."""

from deployer.diagnosis.rule import (
    FAMILY,
    PYMONGO,
    TASK_LOG,
    Rule,
)

_SEEN = (TASK_LOG,)
_FILE = r"\.(?:csv|tsv|json|jsonl|ndjson|xlsx?|parquet|avro|orc|txt|xml|gz|zip|bz2|zst|dat|sql|feather|hdf5?|h5|nc|shp|geojson|yaml|pkl|tar)\b"
_READ_BACK = "`aws s3 cp s3://<bucket>/<key> - | head -c 400` shows what is really there"

DATA: tuple[Rule, ...] = (
    Rule(
        failure_class="data",
        subcause="source-missing",
        matches=r"NoSuchKey|\(404\) (?:occurred )?when calling the (?:Head|Get)Object|specified key does not exist"
        r"|PathNotFound|Path does not exist|BlobNotFound|(?:Blob|file|object|key) is missing|The specified (?:path|blob) does not exist"
        r"|(?:input|source|data) (?:file|path|folder|directory|object)s? [^\n]*(?:not (?:exist|found)|missing)"
        r"|no (?:input|source|data|matching)? ?(?:files?|objects?) (?:found|match)|No objects? to concatenate"
        r"|No such file[^\n]*s3://|s3://\S+[^\n]*(?:not (?:exist|found)|No such)"
        r"|fatal error: An error occurred \(404\)|Input path does not exist|does not match any files?"
        r"|404 Client Error|HTTP Error 404|(?:resolved to|returned|matched) no files|(?-i:NO_SUCH_KEY)",
        confidence=0.9,
        channels=_SEEN,
        unless=r"NoClassDefFoundError",
        remedy="The object or file is not where the program looks: correct bucket, prefix or key, or wait for its producer: "
        "`aws s3 ls s3://<bucket>/<prefix>/ --recursive`.",
        link="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        example="An error occurred (NoSuchKey) when calling the GetObject operation: raw/2024.csv is not there",
    ),
    Rule(
        failure_class="data",
        subcause="source-missing",
        matches=r"(?:FileNotFoundError|IOError|No such file or directory|FileNotFoundException|(?-i:\bENOENT\b)|cannot find the (?:file|path)|NoSuchFileException)[^\n]*"
        + r"(?:"
        + _FILE
        + r"|['\"/](?:data|input|inputs|raw|source|sources|download|downloads|share|dataset|datasets)/)"
        + r"|"
        + _FILE
        + r"\W[^\n]*(?:does not exist|not found|No such file|is missing)",
        confidence=0.8,
        channels=_SEEN,
        unless=r"(?:package|tsconfig|config|settings|manifest|credentials|task-?def\w*)\S*\.(?:json|ya?ml|txt)",
        remedy="The input file is not there: produce or mount it, or correct the path that the program is given.",
        example="FileNotFoundError: [Errno 2] No such file or directory: '/data/readings-2024.csv'",
    ),
    Rule(
        failure_class="data",
        subcause="encoding",
        matches=r"Unicode(?:Decode|Encode)?Error|codec can't (?:decode|encode)|invalid (?:start|continuation) byte"
        r"|UTF-16 stream does not start|invalid byte sequence|MalformedInputException|invalid UTF-?8"
        r"|stream did not contain valid UTF-8|byte order mark",
        confidence=0.87,
        channels=_SEEN,
        remedy="The file is not in the encoding it is read with: `file -i <file>` tells; convert it (`iconv -f <from> -t utf-8`) or "
        "read it with its own.",
        example="UnicodeDecodeError: 'utf-8' codec can't decode byte 0xe9 in position 41: invalid continuation byte",
    ),
    Rule(
        failure_class="data",
        subcause="columns-changed",
        matches=r"(?:column|field|header|key)s?\b[^\n]{0,300}(?:not found|missing|cannot be found|do(?:es)? not (?:exist|match)|not in (?:index|columns)|unexpected|expected but not found|specified in column mapping)"
        r"|(?:missing|unexpected|unknown|required|extra) (?:required )?(?:columns?|fields?|headers?)"
        r"|Usecols do not match|not in index|not found in axis|Missing column provided to 'parse_dates'"
        r"|Length mismatch: Expected axis|columns? (?:passed|have mixed)|None of \[[^\n]*are in the"
        r"|AnalysisException|cannot resolve '|MappingColumnName|schema (?:mismatch|changed|drift|validation)"
        r"|SchemaError|ColumnNotFound|Worksheet(?: named)? [^\n]*(?:not|does not)|No sheet named"
        r"|SchemaMismatch|expected \d+ columns?|incompatible types?\b|(?:can ?not|can't) be converted to|Failure happened on 'Source' side|Number of (?:columns|passed names)"
        r"|columns? must be same length|invalid column|mismatch between schema|mismatch[^\n]*(?:schema|column)"
        r"|column (?:count|position|index)|Cannot (?:cast|convert) [^\n]*column|DataError: "
        r"|InvalidTextRepresentation|pandera",
        confidence=0.82,
        channels=_SEEN,
        unless=r"psycopg2\.errors\.Undefined|UndefinedColumn|OperationalError|column [^\n]* of relation"
        r"|no such column|pip |AccessDenied|ciphertext|Unknown column|mongoengine|TopologyDescription",
        remedy="The columns are not those the program maps: compare the file's header with the mapping ("
        + _READ_BACK
        + "), then map "
        "the new ones or have the producer restore them.",
        example="ValueError: Usecols do not match columns, columns expected but not found: ['humidity']",
    ),
    Rule(
        failure_class="data",
        subcause="columns-changed",
        matches=r"KeyError\b",
        context=r"pandas|polars|DataFrame|get_loc|hashtable|DictReader|\bdf\[|row\[|record\[|_libs",
        confidence=0.72,
        channels=_SEEN,
        unless=r"environ",
        remedy="A column or key that the program asks for is not in the source: compare the file's header with the mapping ("
        + _READ_BACK
        + ").",
        example="File \"pandas/_libs/hashtable_class_helper.pxi\", line 7, in get_item\nKeyError: 'humidity'",
    ),
    Rule(
        failure_class="data",
        subcause="columns-changed",
        matches=r"KeyError: '(?-i:[A-Za-z]*[a-z])",
        context=r"csv\b|transform|pars(?:e|ing)|\brows?\b|records?\b|extract|ingest",
        confidence=0.71,
        channels=_SEEN,
        unless=r"environ|settings",
        remedy="A key that the program asks for is not in the source's records: compare them with the mapping ("
        + _READ_BACK
        + ").",
        example="  File \"/app/transform.py\", line 7, in tidy\nKeyError: 'humidity'",
    ),
    Rule(
        failure_class="data",
        subcause="nothing-loaded",
        matches=r"(?:nothing|no (?:rows?|records?|documents?|data|readings?|files?|objects?|observations))( (?:was|were|to|could be|has been|have been))? ?(?:loaded|load|inserted|insert|found|processed|process|read|written|ingested|import(?:ed)?|available|returned|extracted|to)"
        r"|\b0 (?:rows?|records?|documents?|files?) (?:loaded|inserted|processed|read|written|found|ingested)"
        r"|(?:empty|zero[- ]row) (?:dataset|data ?frame|file|source|input|result|response)|dataset is empty"
        r"|source is empty|(?:all|too many|more) (?:rows?|records?) (?:were )?(?:rejected|than allowed)"
        r"|(?:input|data ?frame|file|dataset|source)\S* (?:is|was) empty"
        r"|rejected[^\n]*(?:threshold|more than|exceed)|No objects to concatenate|row count mismatch"
        r"|quarantined|rows? (?:were |was )?refused|loaded 0\b|cannot do a non-empty take from an empty"
        r"|nothing to (?:load|do|process|import)|documents must be a non-empty list|Found array with 0 sample"
        r"|zero[- ]size array|bulk[^\n]*No operations to execute|No operations to execute",
        confidence=0.8,
        channels=(TASK_LOG, PYMONGO),
        remedy="Nothing usable came in: see what is under the prefix (`aws s3 ls s3://<bucket>/<prefix>/`) and why rows were "
        'rejected (`db.rejected_records.aggregate([{$sortByCount: "$reason"}])`).',
        example="ERROR nothing loaded: 0 records inserted, 212 rejected",
    ),
    Rule(
        failure_class="data",
        subcause="pipeline-report",
        matches=r"\"read\": ?\d+[^\n]*\"rejected\": ?\d+",
        exit_codes=(3,),
        confidence=FAMILY + 0.15,
        channels=(TASK_LOG,),
        remedy="The run loaded nothing or rejected more than allowed; its report counts both: "
        '`db.rejected_records.aggregate([{$sortByCount: "$reason"}])`.',
        example='{"read": 40, "inserted": 0, "replaced": 0, "unchanged": 0, "duplicate": 0, "rejected": 40}',
    ),
)
