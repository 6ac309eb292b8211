"""The source is not in the form that the program reads."""

from deployer.diagnosis.signature import COMPOSE, TASK_LOG, Signature

_RUN = (TASK_LOG, COMPOSE)
_PANDAS = "https://pandas.pydata.org/docs/reference/testing.html#exceptions-and-warnings"
_CONFIG = (
    r"cli-input-json|Invalid JSON:|task definition|docker|valueFrom|environ|package\.json"
    r"|\(Service: |Mongo\w{1,20}Error"
)
_READER = (
    r"(?:pandas|polars|pyarrow|fastparquet|openpyxl|xlrd|pyxlsb|python_calamine|lxml|csv"
    r"|_csv|json|simplejson|ujson|orjson|ijson|fastavro|avro|zipfile|tarfile|gzip|lzma|bz2"
    r"|zlib|zstandard|dateutil|h5py|netCDF4|xarray|fiona|rasterio|shapefile|pyogrio"
    r"|jsonschema|pandera|great_expectations|marshmallow|cerberus|PIL|poi|parquet|orc"
    r"|commons\.(?:csv|compress)|jackson|gson|opencsv|univocity|xml|jdom|CsvHelper"
    r"|Newtonsoft|_pickle)"
)

MALFORMED = (
    Signature(
        failure_class="data",
        subcause="malformed",
        pattern=(
            r"Expecting (?:value|property name|',' delimiter|':' delimiter)"
            r"|unexpected end of (?:JSON|data|file|archive|ZLIB|input)"
            r"|not an? (?:valid )?(?:zip|parquet|orc|avro|csv|excel|xlsx?|json|xml|netcdf|hdf5?"
            r"|gzip|data|gzipped|OOXML)\b|invalid literal for (?:int|float|long|decimal)\b"
            r"|\btime data ['\"]|unexpected token[^\n]{0,20}(?:in JSON|at|'<|<)"
            r"|could not (?:be )?parsed?\b|did not have \d{1,6} elements|got \d{1,6} columns instead"
            r"|input string[^\n]{0,40}(?:correct format|\")"
            r"|duplicate (?:entries|labels|axis|timestamps)"
            r"|(?:row|line|record) \d{1,9} (?:has|is not|did)"
        ),
        texts=(
            "Extra data: line | Unterminated string | incorrect header check | CRC check failed"
            " | not in gzip format | not well-formed | mismatched tag | not allowed in prolog"
            " | could not convert string | could not convert object | could not convert value"
            " | unknown date time string format | unknown datetime string format"
            " | unknown string format | unconverted data | tokenizing data | magic bytes"
            " | file format cannot be determined | compressed file ended | values to unpack"
            " | out of bounds nanosecond | in JSON at position | cannot unmarshal | cannot parse"
            " | could not determine delimiter | line contains NUL | larger than field limit"
            " | wrong number of fields | invalid load key | invalid time value"
            " | file signature not found | truncated file | Ran out of input | Invalid data stream"
            " | NetCDF:  | footer cannot be read | improper structure"
            " | Excel xlsx file; not supported | Start tag expected | header - is it an avro"
            " | Malformed records | encountered too many errors | Numeric value '"
            " | invalid input syntax for | not recognized as a supported | does not match format"
            " | bad delimiter | extra data after last | string does not contain a date"
            " | Unable to parse string | cannot identify image | value too long for type"
            " | cannot convert | cannot reindex | is out of range | Expected ',' or | NaN to integer"
            " | not convertible to | not likely a datetime | merge on object | conversion cannot be"
            " | IO backends | Illegal quoting | positional indexer | not supported between instances"
            " | expected <class | is malformed | UnequalLengths | could not be promoted"
            " | not a valid number | not of type '"
        ),
        names=(
            "ParserError JSONDecodeError BadZipFile BadGzipFile ArrowInvalid ArrowTypeError "
            "ArrowIOError XLRDError XLSBError CompDocError InvalidFileException MalformedCSVError "
            "BadDataException TypeConverterException JsonReaderException JsonException "
            "JsonParseException JsonMappingException SAXParseException XMLSyntaxError ParseError "
            "DateTimeParseException NumberFormatException FormatException CSVException "
            "TextParsingException UnmarshalException LZMAError ReadError UnpicklingError "
            "UnidentifiedImageError RasterioIOError DriverError ShapefileException "
            "OutOfBoundsDatetime IntCastingNaNError MergeError DTypePromotionError ComputeError "
            "InvalidInputException InvalidTextRepresentation StringDataRightTruncation "
            "AvroTypeException ZipException ZLIB NotOfficeXmlFileException DataError "
            "BadRecordException DocumentError HIVE_BAD_DATA HIVE_CURSOR_ERROR "
            "CANNOT_PARSE_TIMESTAMP JSONParseError YAMLParseError CSVError Csv CsvError "
            "MalformedJsonException"
        ),
        without=(
            _CONFIG
            + r"|httpcore|httpx|aiohttp|No module named|AppRegistry|argument|option '|Invalid value for"
            + r"|cannot unmarshal (?:secret|yaml)"
        ),
        channels=_RUN,
        weight=0.86,
        meaning="A file or a value in it is not in the form that the reader expects.",
        fix=(
            "Look at the place (line {line_number}): `aws s3 cp s3://{bucket}/{key} - | head -c "
            "400`; correct it at its producer, or let the reader reject such rows with their "
            "reason."
        ),
        source=_PANDAS,
        example=(
            "pandas.errors.ParserError: Error tokenizing data. C error: Expected 5 fields in line 7, saw 6"
        ),
        counter="INFO parsed 407 rows, 0 errors",
    ),
    Signature(
        failure_class="data",
        subcause="malformed",
        pattern=(
            r"\b"
            + _READER
            + r"\.[\w.$]{0,80}(?:Error|Exception)\b"
            + r"|\b(?!Mongo|URI|Config|Argument)\w{0,40}(?:CSV|JSON|XML|Parquet|Avro|Excel|Parse"
            + r"|Parsing|Deserializ\w{0,8}|Validation|Schema)\w{0,20}(?:Error|Exception)\b"
        ),
        without=(
            _CONFIG
            + r"|No module named|dnspython|mongo|beanie|odmantic|djongo|botocore|NotFoundError: "
            + r"|TemplateNotFound|parse_args|Settings|\bpath `|ParamValidation|AWS|template format"
            + r"|ReadTimeout"
        ),
        channels=_RUN,
        weight=0.76,
        meaning="The library that reads the data refuses it.",
        fix=(
            "Look at the place that the message names: `aws s3 cp s3://{bucket}/{key} - | head -c "
            "400`; correct it at its producer, or let the reader reject such rows."
        ),
        source=_PANDAS,
        example="org.apache.commons.csv.CSVException: bad token",
        counter="INFO json.decoder loaded",
    ),
    Signature(
        failure_class="data",
        subcause="malformed",
        pattern=(
            r"^(?:Caused by: )?(?:\w{1,40}\.){0,4}(?:ValueError|OverflowError|OSError|RuntimeError"
            r"|struct\.error|AssertionError|TypeError|EOFError|IndexError|StopIteration"
            r"|java\.[\w.]{1,60}Exception|KeyError)\b"
        ),
        within=(
            r"pandas/|pandas\\|pyarrow/|polars/|openpyxl/|xlrd/|netCDF4|h5py|xarray[/\\]|rasterio"
            r"|fiona|csv\.py|json/decoder|calamine|java\.util\.zip|commons\.csv|opencsv|jackson\."
            r"|dataframe|while reading header"
        ),
        without=(
            r"No module named|botocore|pymongo|urlopen|unexpected keyword|argument|MemoryError"
            r"|No space"
        ),
        channels=_RUN,
        weight=0.66,
        meaning="The reader of the data stops at something in it.",
        fix=(
            "Look at the file that was read: `aws s3 cp s3://{bucket}/{key} - | head -c 400`; "
            "correct it at its producer, or let the reader reject such rows."
        ),
        source=_PANDAS,
        example=(
            "Traceback (most recent call last):\n  File "
            '"/usr/lib/python3/site-packages/pandas/io/parsers.py", line 5, in read\nValueError: '
            "odd value"
        ),
        counter="INFO pandas/io loaded",
    ),
    Signature(
        failure_class="data",
        subcause="unexpected-shape",
        pattern=(
            r"\bexpect(?:ed|s|ing)?\b[^\n]{0,80}\b\d{1,9}\b[^\n]{0,60}\b(?:got|found|saw|but|was"
            r"|were|only|instead)\b"
            r"|\b(?:got|found|saw|has|have|had|with|only|contains?)\b \d{1,9} (?:columns?|fields?"
            r"|rows?|records?|lines?|values?|headers?|elements|entries|items|files"
            r"|bytes)[^\n]{0,60}\b(?:expected|instead|but|should)\b"
            r"|\bexpected (?:an? )?(?:header|column|field|date|number|numeric|integer|string|float"
            r"|list|array|object)s?\b[^\n]{0,80}\b(?:got|found|but|saw|received)\b"
        ),
        texts=(
            "checksum does not match | checksum differs | checksum mismatch | expectation failed"
            " | expect_column | does not pass schema | not in the expected format"
            " | contains null values | keys are not unique | Bin edges must | either numerical or"
        ),
        without=(_CONFIG + r"|mongo|argument|option|AttributeError|numpy\.ndarray size|version|token"),
        channels=_RUN,
        weight=0.72,
        meaning="The source has another shape or content than the program expects.",
        fix=(
            "Compare the file with what is expected (line {line_number}): `aws s3 cp "
            "s3://{bucket}/{key} - | head -n 3`; correct it at its producer, or follow the change "
            "in the program."
        ),
        source=_PANDAS,
        example="row 17 has 5 fields, expected 7 but got 5 fields",
        counter="INFO expected 407 rows and read them all",
    ),
)
