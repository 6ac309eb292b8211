"""The source is not what the program reads: missing, malformed, changed, empty."""

from deployer.diagnosis.model import FailureClass
from deployer.diagnosis.rule import (
    FAMILY,
    FRAMES,
    PYMONGO,
    TASK_LOG,
    Rule,
)

_DATA = FailureClass.DATA
_SEEN = (TASK_LOG,)
_FILE = r"\.(?:csv|tsv|json|jsonl|ndjson|xlsx?|parquet|avro|orc|txt|xml|gz|zip|bz2|zst|dat|sql|feather|hdf5?|h5|nc|shp|geojson|yaml|pkl|tar|log|db)\b"
_READER = r"(?:pandas/io/|pandas\\io\\|pyarrow/|polars/io|openpyxl/reader|xlrd/|csv\.py|json/decoder\.py|python_calamine|java\.util\.zip\.|commons\.csv|opencsv|fasterxml\.jackson\.(?:core|dataformat))"
_READ_BACK = "`aws s3 cp s3://<bucket>/<key> - | head -c 400` shows what is really there"

_MALFORMED = (
    "The source is malformed or has another format than it is read as: "
    + _READ_BACK
    + "; correct it at its producer, "
    "or let the reader reject such rows with their reason."
)

DATA: tuple[Rule, ...] = (
    Rule(
        failure_class=_DATA,
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
        remedy="The object or file is not where the program looks: correct bucket, prefix or key, or wait for its producer: "
        "`aws s3 ls s3://<bucket>/<prefix>/ --recursive`.",
        link="https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html",
        example="An error occurred (NoSuchKey) when calling the GetObject operation: raw/2024.csv is not there",
    ),
    Rule(
        failure_class=_DATA,
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
        failure_class=_DATA,
        subcause="malformed",
        matches=r"Error tokenizing data|ParserError|EmptyDataError|No columns to parse|JSONDecodeError"
        r"|Expecting (?:value|property name|',' delimiter|':' delimiter)|Extra data: line|Unterminated string"
        r"|BadZipFile|File is not a zip file|BadGzipFile|Not a gzipped file|Compressed file ended|zlib\.error"
        r"|incorrect header check|CRC check failed|unexpected end of (?:JSON|data|file|archive|ZLIB)"
        r"|Arrow(?:Invalid|IOError|TypeError|NotImplementedError)|Parquet magic bytes|not a parquet file|is not a Parquet|XLRDError|InvalidFileException"
        r"|Excel file format cannot be determined|XMLSyntaxError|ExpatError|not well-formed|mismatched tag"
        r"|could not convert (?:string|object|value)|invalid literal for (?:int|float|long|decimal)\b|\btime data '"
        r"|OutOfBoundsDatetime|Unknown string format|unconverted data remains|NumberFormatException"
        r"|DateTimeParseException|Unexpected token [^\n]*JSON|is not valid JSON"
        r"|Unexpected end of JSON|JsonParseException|JsonMappingException|MalformedInput|csv\.Error"
        r"|_csv\.Error|line contains NUL|field larger than field limit|CSV Error|invalid input syntax for"
        r"|cannot convert float NaN|great_expectations|jsonschema\.exceptions|CParserError"
        r"|Buffer overflow caught|malformed (?:line|record|row|input|csv|data)"
        r"|invalid (?:date|timestamp|number) |Invalid isoformat string|Invalid comparison|lexer error"
        r"|AvroException|Invalid sync|schema inference|DateParseError|month must be in|\b(?:day|month|hour|date|year)\b[^\n]{0,40}out of range|day is out of range"
        r"|InvalidOperation: \[<class 'decimal|invalid character '[^\n]*(?:looking for|after)|cannot unmarshal"
        r"|wrong number of fields|did not have \d+ (?:elements|columns|fields)|FormatException|UnrecognizedPropertyException"
        r"|NotOfficeXml\w*|UnpicklingError|contains duplicate entries|single positional indexer|Bin edges must be"
        r"|not supported between instances of '(?:str|float|NoneType)|ShapefileException|checksums? (?:does|do|did) not match|Mismatched dtypes found|There is no item named [^\n]*archive"
        r"|not (?:a|in) g?zip (?:file|format)|tarfile\.ReadError|ArrowTypeError|ArrowNotImplemented|ZipException"
        r"|Could not convert string [^\n]* to numeric|Unable to parse string|duplicate labels|improper structure"
        r"|cannot read header|ComputeError|bare \\?\" in non-quoted|parsing time \"|strconv\.Parse",
        confidence=0.84,
        channels=_SEEN,
        unless=r"cli-input-json|Invalid JSON:|task definition|Error parsing parameter|docker",
        remedy=_MALFORMED,
        example="pandas.errors.ParserError: Error tokenizing data. C error: Expected 7 fields in line 12, saw 9",
    ),
    Rule(
        failure_class=_DATA,
        subcause="malformed",
        matches=r"error while reading data|Could not parse '|LOAD_RUN_FAIL|stl_load_errors|Load into table[^\n]*failed"
        r"|Too many errors encountered|is not recognized"
        r"|HIVE_(?:BAD_DATA|CURSOR_ERROR|CANNOT_OPEN_SPLIT|INVALID)\w*|Malformed records"
        r"|CANNOT_(?:INFER|PARSE)\w*|UNRESOLVED_COLUMN|unable to infer schema|missing data for column"
        r"|extra data after last expected column|Incorrect \w+ value|Data (?:truncated|too long) for column"
        r"|Invalid digit|Delimiter not found|Unknown magic byte|Error deserializing|checksum mismatch"
        r"|md5 mismatch|file (?:is )?truncated|truncated file|premature end|cannot identify image file"
        r"|not recognized as (?:being in )?a supported file format|Unknown file format"
        r"|file signature not found|unsupported file (?:format|type)|Input contains NaN"
        r"|found unknown categories|expected to parse|configured to fail if|date value out of range"
        r"|more columns than"
        r"|ErrorCode=\w*(?:Column|File|Path|Delimited|Parquet|Json|Schema|Mapping|Format|Type)\w*"
        r"|\b(?:csv|tsv|parquet|orc|avro|jsonl?|xlsx?|excel|spreadsheet|geojson|netcdf|gzip|zip)\b[^\n]*\b(?:empty|invalid|corrupt\w*|malformed|infer|damaged|truncated|unreadable|not valid|mismatch\w*|bad)\b"
        r"|\b(?:empty|invalid|corrupt\w*|malformed|damaged|truncated|bad|mismatch\w*)\b[^\n]*\b(?:csv|tsv|parquet|orc|avro|jsonl?|xlsx?|excel|spreadsheet|geojson|netcdf)\b",
        confidence=0.68,
        channels=_SEEN,
        unless=r"cli-input-json|Invalid JSON:|task definition|Error parsing parameter|valueFrom|secret",
        remedy=_MALFORMED,
        example="Error while reading data, error message: Could not parse 'n/a' as DOUBLE for field wind",
    ),
    Rule(
        failure_class=_DATA,
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
        failure_class=_DATA,
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
        failure_class=_DATA,
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
        failure_class=_DATA,
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
        failure_class=_DATA,
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
        failure_class=_DATA,
        subcause="malformed",
        matches=r"^(?:Caused by: )?(?:ValueError|OverflowError|OSError|struct\.error|AssertionError|java\.[\w.]{1,60}Exception)\b",
        context=_READER,
        confidence=0.66,
        channels=_SEEN,
        unless=r"No module named|botocore|pymongo\.errors|urlopen|unexpected keyword|argument",
        remedy=_MALFORMED,
        example='File "/app/lib/pandas/io/stata.py", line 44, in _read\nValueError: 7 is no version of it',
    ),
    Rule(
        failure_class=_DATA,
        subcause="data-reader",
        matches=_READER,
        confidence=FRAMES,
        reads_frames=True,
        channels=_SEEN,
        unless=r"(?:\w+Error: \S|No module named|ImportError|botocore|pymongo\.errors|MemoryError|PermissionError|urlopen error|URLError|ConnectionError|HTTPError)",
        remedy="A reader failed on the source and the message is cut off: " + _READ_BACK + ".",
        example='File "/app/lib/pandas/io/parsers.py", line 44, in _read',
    ),
    Rule(
        failure_class=_DATA,
        subcause="malformed",
        matches=r"\b(?:row|record|column|field|cell|header|timestamp|date)s?\b[^\n]{0,300}\b(?:null|nan|invalid|malformed|corrupt\w*|unpars\w*|does not match|not be parsed|failed to parse)\b"
        r"|\b(?:fail\w*|unable|could ?n[o']t|can ?not|errors?)\b[^\n]{0,300}\b(?:pars(?:ed?|ing)|transform|deseriali[sz]\w+|decod\w+)\b"
        r"|(?:make sure|ensure|must|should|check)\b[^\n]{0,200}\b(?:csv|header|columns?|rows?|input (?:file|path|data)|data file)\b|\bempty (?:column|header|row|line|cell|value)s?\b"
        r"|does not match[^\n]{0,300}format|\b(?:unexpected|unknown|unsupported|bad|wrong) (?:date|time|number|value|row|line|file)\w* (?:with |in )?format"
        r"|\bnot in (?:the |a |an )?(?:proper|right|correct|expected|valid) format|(?:\b(?:fail\w*|unable|could not|errors?)\b[^\n]{0,300}\b(?:ingest\w*|batch insert|bulk (?:load|insert)|import (?:of|file|data)))"
        r"|\b(?:ingest\w*|batch insert|bulk (?:load|insert)|import (?:of|file|data|job))\b[^\n]{0,300}\b(?:fail\w*|errors?)\b",
        confidence=0.55,
        channels=(TASK_LOG,),
        unless=r"argument|config|template|yaml|mongo",
        remedy=_MALFORMED,
        example="record 17: timestamp is malformed",
    ),
    Rule(
        failure_class=_DATA,
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
