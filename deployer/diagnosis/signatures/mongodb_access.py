"""MongoDB refuses: access list, user, rights, connection string, SRV record."""

from deployer.diagnosis.signature import CLIENT_ERROR, COMPOSE, DECISIVE, PYMONGO, TASK_LOG, Signature
from deployer.diagnosis.signatures.contexts import MONGODB, OTHER_DATABASE, OTHER_LOGIN

_SEEN = (TASK_LOG, PYMONGO, CLIENT_ERROR, COMPOSE)
_ATLAS = "https://www.mongodb.com/docs/atlas/troubleshoot-connection/"
_URI = "https://www.mongodb.com/docs/manual/reference/connection-string/"
_CODES = "https://www.mongodb.com/docs/manual/reference/error-codes/"
_REWRITE = "write the corrected connection string with `deployer secret set <name>`"

MONGODB_ACCESS = (
    Signature(
        failure_class="mongodb",
        subcause="atlas-ip-not-allowed",
        pattern=r"(?:not|n't) (?:(?:on|in) (?:the|your) (?:IP )?(?:access|white) ?list|whitelisted)",
        texts=(
            "alert internal error | TLSV1_ALERT_INTERNAL_ERROR | SSL alert number 80"
            " | internal_error(80) | fatal alert: internal_error | IP whitelist | access from an IP"
        ),
        within=MONGODB,
        channels=_SEEN,
        weight=DECISIVE,
        meaning="Atlas refuses addresses that its access list does not name; it does so during TLS.",
        fix=(
            "Put the address that the task leaves from on the project's access list: `atlas "
            "accessLists create <nat-gateway-ip>/32 --type cidrBlock`; `deployer doctor` shows the "
            "address."
        ),
        source=_ATLAS,
        example=(
            "pymongo.errors.ServerSelectionTimeoutError: shard-00.ab1cd.mongodb.net:27017: [SSL: "
            "TLSV1_ALERT_INTERNAL_ERROR] tlsv1 alert internal error"
        ),
        counter="INFO connected to MongoDB over TLS",
    ),
    Signature(
        failure_class="mongodb",
        subcause="credentials",
        pattern=(
            r"\bbad auth\b|auth(?:entication)? fail(?:ed|ure|s)\b|\bcode['\"]?\W{1,3}18\b"
            r"|mechanism[^\n]{0,40}(?:not|unsupported)"
        ),
        texts=(
            "could not find user | storedKey mismatch | auth error | sasl conversation"
            " | sasl protocol | unable to authenticate | Exception authenticating"
            " | Missing credentials | Missing username"
        ),
        names=(
            "AuthenticationFailed AuthenticationError UserNotFound MongoSecurityException "
            "MongoAuthenticationException AuthenticationFailure"
        ),
        within=MONGODB,
        without=(OTHER_DATABASE + r"|auth failed: User is not allowed"),
        channels=_SEEN,
        weight=0.95,
        meaning="MongoDB refuses the user or the password.",
        fix=(
            "Check user {user}, password (percent-encoded) and authSource, then "
            + _REWRITE
            + "; `atlas dbusers describe {user}` shows whether the user exists."
        ),
        source=_CODES,
        example=(
            "pymongo.errors.OperationFailure: Authentication failed., full error: {'ok': 0.0, "
            "'code': 18, 'codeName': 'AuthenticationFailed'}"
        ),
        counter="INFO authenticated at MongoDB",
    ),
    Signature(
        failure_class="mongodb",
        subcause="credentials",
        pattern=(
            r"^\W{0,3}(?:\w{0,20}: ?|ERROR:? ?){0,2}(?:auth(?:entication)?: )?(?:bad auth\b"
            r"|auth(?:entication)? failed\b)"
        ),
        texts="authentication failed. | (authenticationfailed) | auth failed: {",
        without=OTHER_LOGIN,
        channels=(TASK_LOG,),
        weight=0.66,
        meaning="A database refuses user or password; the wording is MongoDB's.",
        fix="Check user {user}, password and authSource of the connection string, then " + _REWRITE + ".",
        source=_CODES,
        example="loader: authentication: Authentication failed.",
        counter="INFO authentication: done, 0 failed",
    ),
    Signature(
        failure_class="mongodb",
        subcause="not-authorized",
        pattern=(
            r"not authorized (?:on (?P<database>[\w-]{1,63})|for"
            r"|to create)[^\n]{0,80}?(?:command \{ ?(?P<action>\w{2,30}))?"
            r"|(?:not|dis)\s?allowed (?:to do action|in (?:\w{1,20} ){0,4}atlas|to)"
            r"|command (?P<command>\w{2,40}) requires authentication|\bcode['\"]?\W{1,3}13\b"
            r"|lacks? (?:privilege|permission)"
        ),
        texts="(unauthorized) | requires authentication | no users authenticated | need to login",
        names="AtlasError CMD_NOT_ALLOWED",
        within=(MONGODB + r"|errmsg|execute command|sanity check|codeName"),
        without=(r"space quota|bad auth|Pipeline length|" + OTHER_DATABASE),
        channels=_SEEN,
        weight=0.93,
        meaning="The database user lacks the right for that command or database.",
        fix=(
            "Give the user a role on {database} that has it: "
            "`db.getSiblingDB('admin').grantRolesToUser('{user}', [{role: 'readWrite', db: "
            "'{database}'}])` (Atlas: `atlas dbusers update {user} --role readWrite@{database}`)."
        ),
        source="https://www.mongodb.com/docs/manual/reference/built-in-roles/",
        example=('OperationFailure: not authorized on weather to execute command { insert: "readings" }'),
        counter="INFO authorized on weather",
    ),
    Signature(
        failure_class="mongodb",
        subcause="uri",
        pattern=r"option \w{2,40} (?:is )?not supported|`?uri`? parameter",
        texts=(
            "invaliduri | error parsing uri | percent-encoded | quote_plus | is not a valid mongodb"
            " | reserved characters such as | default connection | must begin with 'mongodb"
            " | should begin with 'mongodb | must be escaped according to RFC"
            ' | expected connection string | scheme must be "mongodb'
            " | invalid mongodb connection string | invalid mongo connection string"
            " | invalid connection string | Port number must be | Port must be | unescaped"
            " | URI must include | empty host | unknown option | not a valid option"
            " | expected replica set name | Invalid scheme | Malformed URI | Malformed connection"
            " | requires a path | no MongoDB is configured | is no connection string"
            " | illegal character | illegal username | not use MongoClient after"
        ),
        names="InvalidURI MongoParseError MongoAPIError MongoInvalidArgumentError",
        within=MONGODB,
        without=r"AccessDenied|atomic operators|session",
        channels=_SEEN,
        weight=0.9,
        meaning="The connection string cannot be read, or was not given.",
        fix=(
            "Write it as mongodb://USER:PASSWORD@HOST:PORT/?OPTIONS with user and password "
            + "percent-encoded (`python3 -c 'import urllib.parse,getpass; "
            + "print(urllib.parse.quote_plus(getpass.getpass()))'`), then "
            + _REWRITE
            + "."
        ),
        source=_URI,
        example=(
            "pymongo.errors.InvalidURI: Username and password must be escaped according to RFC "
            "3986, use urllib.parse.quote_plus()."
        ),
        counter="INFO connection string read from MONGO_URI",
    ),
    Signature(
        failure_class="mongodb",
        subcause="srv-lookup",
        pattern=r"dns\.resolver\.\w{3,40}",
        texts=(
            "_mongodb._tcp | querySrv | queryTxt | DNS query name does not exist | SRV record"
            " | SRV host | SRV lookup | resolution lifetime expired | resolv.conf | look up SRV"
            " | look up TXT | does not have the correct domain | does not have the parent domain"
            " | DNS response | DNS operation timed out"
        ),
        names="NXDOMAIN NoNameservers LifetimeTimeout ESERVFAIL",
        within=MONGODB,
        without=r"\bpip\b|apt-get|\bnpm\b|lookup registry",
        channels=_SEEN,
        weight=0.91,
        meaning="The SRV record of the mongodb+srv address does not resolve.",
        fix=(
            "Check the host {host} (`dig SRV _mongodb._tcp.{host}`); where the resolver does not "
            + "answer SRV queries, use the mongodb:// form with all members, and "
            + _REWRITE
            + "."
        ),
        source=_ATLAS,
        example=(
            "pymongo.errors.ConfigurationError: The DNS query name does not exist: "
            "_mongodb._tcp.c0.ab1cd.mongodb.net."
        ),
        counter="INFO SRV resolved to 3 hosts",
    ),
)
