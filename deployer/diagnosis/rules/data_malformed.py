"""The source is there and is not what the reader expects: by the words, by who raised, by what it is about.

Three ways to know it, from the surest to the vaguest: the words a reader prints; the exception's own name or the
library it belongs to, whatever it says; a value, a row or a shape that was expected and is another.
"""

from deployer.diagnosis.rule import FRAMES, TASK_LOG, Rule

_SEEN = (TASK_LOG,)
_NOT_OURS = r"cli-input-json|Invalid JSON:|task definition|Error parsing parameter|docker|\(Service: \w"
_MALFORMED = (
    "The source is malformed or has another format than it is read as: `aws s3 cp s3://<bucket>/<key> - | head -c 400` shows "
    "what is really there; correct it at its producer, or let the reader reject such rows with their reason."
)
_LIBRARY = (
    r"(?:pandas|polars|pyarrow|fastparquet|openpyxl|xlrd|pyxlsb|python_calamine|lxml|xml\.(?:etree|sax|parsers|dom)|csv|_csv"
    r"|json|simplejson|ujson|orjson|ijson|fastavro|avro|zipfile|tarfile|gzip|lzma|bz2|zlib|zstandard|dateutil|h5py|netCDF4"
    r"|xarray|fiona|rasterio|shapefile|pyogrio|jsonschema|pandera|great_expectations|marshmallow|cerberus|PIL"
    r"|org\.apache\.(?:poi|parquet|orc|avro|commons\.(?:csv|compress))|com\.fasterxml\.jackson|com\.google\.gson|com\.opencsv"
    r"|com\.univocity|org\.(?:xml|json|dom4j|jdom)|javax\.xml|CsvHelper|Newtonsoft\.Json|System\.Text\.Json|System\.Xml)"
)
# a part of an exception's name, in camel case, that says what was read or how it failed
_NAMED = (
    r"(?:CSV|Csv|JSON|Json|XML|Xml|SAX|Parquet|Avro|Arrow|ORC|Orc|Excel|XLRD|Workbook|CompDoc|Biff|Zip|Gzip|GZIP|LZMA"
    r"|Zstd|Tar|Archive|Sheet|Record|Row|Column|Schema|Header|Parse|Parser|Parsing|Decode|Decoding|Deserialization|Unmarshal"
    r"|Format|Unicode|Conversion|Converter|Casting|InvalidData|BadData|Malformed|Corrupt|Corruption|Truncation|NoData"
    r"|EmptyData|EmptyFile|Promotion|Merge|SchemaError)"
)
_FRAME = (
    r"(?:pandas/io/|pandas\\io\\|pyarrow/|polars/io|openpyxl/reader|xlrd/|netCDF4|h5py|xarray[/\\]backends|rasterio|fiona|csv\.py|json/decoder\.py|python_calamine"
    r"|java\.util\.zip\.|commons\.csv|opencsv|fasterxml\.jackson\.(?:core|dataformat))"
)
_PART = (
    r"(?:columns?|fields?|rows?|records?|lines?|values?|headers?|elements|entries|items|files|tokens|bytes)"
)

DATA_MALFORMED: tuple[Rule, ...] = (
    Rule(
        failure_class="data",
        subcause="malformed",
        matches=r"Error tokenizing data|No columns to parse"
        r"|Expecting (?:value|property name|',' delimiter|':' delimiter)|Extra data: line|Unterminated string"
        r"|BadZipFile|not a(?: valid)? zip file|BadGzipFile|Not a gzipped file|Compressed file ended|zlib\.error"
        r"|incorrect header check|CRC check failed|unexpected end of (?:JSON|data|file|archive|ZLIB|input)"
        r"|ArrowInvalid|Parquet magic bytes|not an? (?:parquet|orc|avro|csv|excel|xlsx?|json|xml|data|netcdf|hdf5?)\b"
        r"|Excel file format cannot be determined|not well-formed|mismatched tag|not allowed in prolog"
        r"|could not convert (?:string|object|value)|invalid literal for (?:int|float|long|decimal)\b|\btime data ['\"]"
        r"|Unknown (?:date ?time )?string format|unconverted data remains|Unexpected token [^\n]*JSON|\bin JSON at position"
        r"|is not valid JSON|MalformedInput|line contains NUL|field larger than field limit|invalid input syntax for"
        r"|cannot convert (?:float NaN|non-finite)|Buffer overflow caught|malformed (?:line|record|row|input|csv|data)"
        r"|invalid (?:date|timestamp|number|time value)\b|Invalid isoformat string|Invalid comparison|lexer error|Invalid sync"
        r"|schema inference|month must be in|\b(?:day|month|hour|date|year)\b[^\n]{0,40}out of range"
        r"|InvalidOperation: \[<class 'decimal|invalid character '[^\n]*(?:looking for|after)|cannot unmarshal"
        r"|UnequalLengths|UnpicklingError|OutOfBoundsDatetime|did not have \d+ (?:elements|columns|fields)"
        r"|expected <class 'openpyxl|string containing a wildcard|contains duplicate entries|single positional indexer|Bin edges must be|Ran out of input|EOF while reading"
        r"|not supported between instances of '(?:str|float|NoneType)|checksums? (?:does|do|did) not match|Mismatched dtypes found"
        r"|There is no item named [^\n]*archive|not (?:a|in) (?:g?zip|bzip2) (?:file|format)|Invalid data stream"
        r"|Unable to parse string|duplicate labels|improper structure|cannot read header|ComputeError"
        r"|bare \\?\" in non-quoted|parsing time \"|strconv\.Parse|Cannot deserialize|NetCDF: |HDF error|HDF5-DIAG|central.directory|zipfile directory|out of range for type|CONTEXT:\s+COPY|imply differing number of rows|Element count|No tables found",
        confidence=0.84,
        channels=_SEEN,
        unless=_NOT_OURS,
        remedy=_MALFORMED,
        example="pandas.errors.ParserError: Error tokenizing data. C error: Expected 7 fields in line 12, saw 9",
    ),
    Rule(
        failure_class="data",
        subcause="malformed",
        matches=r"(?:^|[^\w./])" + _LIBRARY + r"\.[\w.$]{0,80}(?:Error|Exception)\b"
        r"|(?-i:\b(?!Mongo|URI|Config|Argument)\w{0,40}"
        + _NAMED
        + r"(?:[A-Z]\w{0,30})?(?:Error|Exception)\b)",
        confidence=0.76,
        channels=_SEEN,
        unless=_NOT_OURS
        + r"|No module named|dnspython|djongo|odmantic|beanie|mongoose|toml|\.ya?ml\b|botocore\.parsers",
        remedy=_MALFORMED,
        example="polars.exceptions.ShapeError: the widths differ",
    ),
    Rule(
        failure_class="data",
        subcause="malformed",
        matches=r"^(?:Caused by: )?(?:ValueError|OverflowError|OSError|RuntimeError|struct\.error|AssertionError|java\.[\w.]{1,60}Exception)\b",
        context=_FRAME,
        confidence=0.66,
        channels=_SEEN,
        unless=r"No module named|botocore|pymongo\.errors|urlopen|unexpected keyword|argument",
        remedy=_MALFORMED,
        example='File "/app/lib/pandas/io/stata.py", line 44, in _read\nValueError: 7 is no version of it',
    ),
    Rule(
        failure_class="data",
        subcause="data-reader",
        matches=_FRAME,
        confidence=FRAMES,
        reads_frames=True,
        channels=_SEEN,
        unless=r"(?:\w+Error: \S|No module named|ImportError|botocore|pymongo\.errors|MemoryError|PermissionError|urlopen error|URLError|ConnectionError|HTTPError)",
        remedy="A reader failed on the source and the message is cut off: `aws s3 cp s3://<bucket>/<key> - | head -c 400` shows what is there.",
        example='File "/app/lib/pandas/io/parsers.py", line 44, in _read',
    ),
    Rule(
        failure_class="data",
        subcause="malformed",
        matches=r"error while reading data|Could not parse '|LOAD_RUN_FAIL|stl_load_errors|Load into table[^\n]*failed"
        r"|Too many errors encountered|is not recognized"
        r"|HIVE_(?:BAD_DATA|CURSOR_ERROR|CANNOT_OPEN_SPLIT|INVALID)\w*|Malformed records"
        r"|CANNOT_(?:INFER|PARSE)\w*|UNRESOLVED_COLUMN|unable to infer schema|missing data for column"
        r"|extra data after last expected column|Incorrect \w+ value|Data (?:truncated|too long) for column"
        r"|value too long for type|Invalid digit|Delimiter not found|Unknown magic byte|Error deserializing|checksum mismatch"
        r"|md5 mismatch|file (?:is )?truncated|truncated file|premature end|cannot identify image file"
        r"|not recognized as (?:being in )?a supported file format|Unknown file format"
        r"|file signature not found|unsupported file (?:format|type)|Input contains NaN"
        r"|found unknown categories|expected to parse|configured to fail if|date value out of range"
        r"|more columns than|installed IO backends"
        r"|\b(?:corrupt\w*|truncated|damaged|garbled|incomplete)\b[^\n]{0,40}\b(?:file|data|input|record|stream|archive|footer|header)s?\b|\b(?:file|data|input|record|stream|archive)s?\b[^\n]{0,40}\b(?:corrupt\w*|truncated|damaged|garbled)\b"
        r"|ErrorCode=\w*(?:Column|File|Path|Delimited|Parquet|Json|Schema|Mapping|Format|Type)\w*"
        r"|\b(?:csv|tsv|parquet|orc|avro|jsonl?|xlsx?|excel|spreadsheet|geojson|netcdf|gzip|zip)\b[^\n]*\b(?:empty|invalid|corrupt\w*|malformed|infer|damaged|truncated|unreadable|not valid|mismatch\w*|bad)\b"
        r"|\b(?:empty|invalid|corrupt\w*|malformed|damaged|truncated|bad|mismatch\w*)\b[^\n]*\b(?:csv|tsv|parquet|orc|avro|jsonl?|xlsx?|excel|spreadsheet|geojson|netcdf)\b",
        confidence=0.68,
        channels=_SEEN,
        unless=_NOT_OURS + r"|valueFrom|secret",
        remedy=_MALFORMED,
        example="Error while reading data, error message: Could not parse 'n/a' as DOUBLE for field wind",
    ),
    Rule(
        failure_class="data",
        subcause="unexpected-shape",
        # one count was expected and another found; a value is none of its kind; something is there twice
        matches=r"\bexpect(?:ed|s|ing)?\b[^\n]{0,80}\b\d+\b[^\n]{0,60}\b(?:got|found|saw|but|was|were|only|actual|instead)\b"
        r"|\b(?:got|found|saw|has|have|had|with|only|contains?)\b \d+ "
        + _PART
        + r"[^\n]{0,60}\b(?:expected|instead|but|than|while|should)\b"
        r"|\bexpected (?:an? )?(?:header|column|field|date|number|numeric|integer|string|float|bool\w*|list|array|object)s?\b[^\n]{0,80}\b(?:got|found|but|saw|received)\b"
        r"|(?:not|n't) (?:an? )?(?:likely |valid )*(?:an? )?(?:convertible|parsable|numeric|dates?|datetimes?|timestamps?|numbers?|integers?|floats?|decimals?|booleans?)\b"
        r"|(?:not|no) (?:be )?recogni[sz]ed as (?:an? )?|does not contain an? (?:date|number|time)"
        r"|(?:shape|length|number|count|width)s? (?:of|for) [^\n]{0,60}(?:mismatch|differ|does not match|do not match|imply|is different|not equal)"
        r"|\b(?:larger|smaller|shorter|longer|greater|less|fewer|more) than (?:the )?(?:expected|values|number of|length|size of)|\boffsets?\b[^\n]*\b(?:negative|invalid|invariant|out of)"
        r"|\boutside (?:of )?(?:the )?(?:\w+ )?range|\bnot (?:with)?in (?:the )?(?:\w+ )?range"
        r"|\b(?:found|encountered|contains?) (?:an? )?(?:invalid|unexpected|duplicate|unknown|bad|illegal)\b|\b(?:invalid|duplicate|unexpected) [\w ]{1,30} (?:found|encountered|detected)\b"
        r"|(?:many|enough) values to unpack|fields not in fieldnames"
        r"|\bduplicated? (?:rows?|records?|timestamps?|dates?|ids?|keys? in|entries|columns?|labels?|index|values?)\b"
        r"|\b(?:"
        + _PART
        + r"|input|data|schema|source) (?:validation|check|quality)s? (?:failed|error)|expect_\w+_to_\w+"
        r"|validation (?:failed|errors?) (?:for|on|in|at) [^\n]{0,40}(?:" + _PART + r"|data|file)",
        confidence=0.64,
        channels=_SEEN,
        unless=_NOT_OURS
        + r"|mongo|argument|option|Invalid value for|AttributeError|numpy\.dtype|ndarray size|environ",
        remedy=_MALFORMED,
        example="loader: expected 24 values of the day, found 23",
    ),
    Rule(
        failure_class="data",
        subcause="malformed",
        matches=r"\b(?:row|record|column|field|cell|header|timestamp|date)s?\b[^\n]{0,300}\b(?:null|nan|invalid|malformed|corrupt\w*|unpars\w*|does not match|not be parsed|failed to parse)\b"
        r"|\b(?:fail\w*|unable|could ?n[o']t|can ?not|errors?)\b[^\n]{0,300}\b(?:pars(?:ed?|ing)|convert(?:ed|ing)?|transform|deseriali[sz]\w+|decod\w+)\b"
        r"|\b(?:pars(?:ing|e|er)|deseriali[sz]ation|decoding|conversion|transformation|validation)\b[^\n]{0,40}\b(?:fail\w*|errors?)\b"
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
)
