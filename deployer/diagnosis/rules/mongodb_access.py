"""MongoDB was not reached, or did not let us in: names, access list, TLS, credentials."""

from deployer.diagnosis.rule import CLIENT_ERROR, DECISIVE, FAMILY, PYMONGO, TASK_LOG, Rule

SEEN = (PYMONGO, TASK_LOG, CLIENT_ERROR)
DRIVER = (
    r"mongo|\bmotor\b|\bbson\b|server ?selection|TopologyDescription|replica ?set|:270(?:1[5-9]|2\d)\b"
    r"|AutoReconnect|NotPrimary|NetworkTimeout\b|buffering timed out|heartbeatFrequencyMS|localThresholdMS"
    r"|\batlas\b|no primary\b|read ?preference|cluster ?description|o\.m\.d\.|failed validation|socketTimeoutMS|connectTimeoutMS|ServerSelector|AuthenticationFailed|beanie|djongo|errorLabelSet|caused by ::|Plan ?Executor|errmsg|codeName|time-?series collection|BSON|allowDiskUse|\"ctx\"|InvalidNamespace|Moped|ReplicaSetMonitor|dbclient|slaveOk|not master|to master|cluster0|instance pool|connection\(\)|connection handshake|Command failed with error \d|nInserted|writeErrors?\b|write errors?: code|initAndListen|featureCompatibility|fork child process|\(Unauthorized\) command|maxWireVersion|DocumentTooLarge|InvalidBSON|prematurely reached end of stream|\bopenUri\b"
)
_ACCESS_LIST = "https://www.mongodb.com/docs/atlas/security/ip-access-list/"
_TROUBLE = "https://www.mongodb.com/docs/atlas/troubleshoot-connection/"
_URI = "https://www.mongodb.com/docs/manual/reference/connection-string/"
_TLS = "https://www.mongodb.com/docs/languages/python/pymongo-driver/current/security/tls/"
_WALK = "`python -m pipeline.connectivity` names the step that fails"

MONGODB_ACCESS: tuple[Rule, ...] = (
    Rule(
        failure_class="mongodb",
        subcause="atlas-ip-not-allowed",
        matches=r"tlsv1 alert internal error|TLSV1_ALERT_INTERNAL_ERROR|SSL alert number 80|alert internal error"
        r"|IP (?:address )?(?:that )?(?:is ?n[o']t|isn't) whitelisted|isn't whitelisted"
        r"|not (?:on|in) (?:the|your) (?:IP )?(?:access|white) ?list|IP whitelist|access from an IP that"
        r"|cluster's IP whitelist|internal_error\(80\)|Received fatal alert: internal_error",
        context=DRIVER,
        confidence=DECISIVE,
        channels=SEEN,
        remedy="Put the address that the job leaves from on the project's network access list: `atlas accessLists create "
        "<address> --projectId <project>` (a NAT gateway's address for a private subnet), wait a minute, resume.",
        link=_ACCESS_LIST,
        example="SSL handshake failed: shard-00.ab1cd.mongodb.net:27017: tlsv1 alert internal error",
    ),
    Rule(
        failure_class="mongodb",
        subcause="credentials",
        matches=r"bad auth|Authentication failed|AuthenticationFailed|auth(?:entication)? fail(?:ed|ure)"
        r"|AuthenticationError|Could not find user|SCRAM|UserNotFound|MongoSecurityException|sasl|No such user"
        r"|storedKey mismatch|Missing (?:credentials|username)|\bcode\W+18\b|auth error"
        r"|empty (?:user|password)|mechanism[^\n]*(?:not|unsupported)|Unable to authenticate",
        context=DRIVER + r"|bad auth|SCRAM",
        confidence=0.93,
        channels=SEEN,
        remedy="User, password or authSource of the connection string is wrong: set it anew with `deployer secret set <name>` "
        "(characters like @ : / percent-encoded; authSource=admin where the user lives there).",
        link=_TROUBLE,
        example="pymongo.errors.OperationFailure: bad auth : Authentication failed., code 8000",
    ),
    Rule(
        failure_class="mongodb",
        subcause="not-authorized",
        matches=r"not authorized (?:on|for|to create)|not allowed to do action|command \w+ requires authentication"
        r"|requires authentication|\bcode\W+13\b|Unauthorized\b|AtlasError|not allowed to|(?:not |dis)allowed in (?:\w+ ){0,4}atlas|CMD_NOT_ALLOWED|need to login"
        r"|lacks? (?:privilege|permission)|there are no users authenticated",
        context=DRIVER
        + r"|errmsg|create index|listCollections|AtlasError|to execute command|not authorized for (?:query|insert|update|remove|command) on",
        confidence=0.92,
        channels=SEEN,
        remedy="The user may not do that in this database: give it readWrite there: `atlas dbusers update <user> --role "
        "readWrite@<database>`, and see that the connection string names the database that is meant.",
        link="https://www.mongodb.com/docs/atlas/security-add-mongodb-users/",
        example='pymongo.errors.OperationFailure: not authorized on weather to execute command { insert: "measurements" }',
    ),
    Rule(
        failure_class="mongodb",
        subcause="uri",
        matches=r"InvalidURI|Invalid URI|is no connection string|does not begin with mongodb|no MongoDB is configured"
        r"|MONGO_\w+ is |must be escaped according to RFC|Empty host"
        r"|invalid (?:mongo(?:db)? )?connection string|MongoParseError|must begin with 'mongodb|Invalid scheme"
        r"|expected connection string|error parsing uri|Port must be an integer|Port number|quote_plus"
        r"|percent-encoded|Unescaped|unescaped|illegal (?:character|username)|nodelist"
        r"|connection string is invalid|Malformed|ValueError: (?:unknown option|.*is not a valid option)"
        r"|Reserved characters such as|option [^\n]* (?:is )?not supported|uri`? parameter"
        r"|URI (?:must|malformed)|mongodb\+srv[^\n]*(?:port|multiple)|does not support (?:multiple|port)"
        r"|Unknown option|did not match any|Invalid connection string|Password contains",
        context=DRIVER + r"|RFC 3986",
        confidence=0.9,
        channels=SEEN,
        remedy="The connection string is malformed: mongodb+srv://<user>:<password>@<host>/<database>, user and password "
        "percent-encoded (urllib.parse.quote_plus): `deployer secret set <name>`.",
        link=_URI,
        example="pymongo.errors.InvalidURI: Username and password must be escaped",
    ),
    Rule(
        failure_class="mongodb",
        subcause="srv-lookup",
        matches=r"_mongodb\._tcp|querySrv|queryTxt|DNS query name does not exist|dns\.resolver\.\w+|NXDOMAIN"
        r"|NoNameservers|NoAnswer|LifetimeTimeout|resolution lifetime expired|DNS operation timed out"
        r"|SRV (?:record|host|lookup|hosts)|DnsTimeout|lookup[^\n]*_mongodb|resolv\.conf"
        r"|Unable to look up (?:SRV|TXT)|does not have the (?:correct|parent) domain|DNS response",
        context=DRIVER + r"|resolver|dns",
        confidence=0.9,
        channels=SEEN,
        unless=r"\b(?:pip|apt-get|npm)\b|lookup registry",
        remedy="The SRV name of the connection string does not resolve: correct the host (`dig +short SRV "
        "_mongodb._tcp.<host>`), see that the cluster exists and is not paused, and that the VPC has DNS resolution on.",
        link=_TROUBLE,
        example="pymongo.errors.ConfigurationError: The DNS query name does not exist: _mongodb._tcp.cluster9.ab1cd.mongodb.net.",
    ),
    Rule(
        failure_class="mongodb",
        subcause="host-unresolved",
        matches=r"Name or service not known|getaddrinfo|nodename nor servname|Temporary failure in name resolution"
        r"|No address associated|no such host|(?-i:\bENOTFOUND\b)|EAI_AGAIN|UnknownHostException"
        r"|Errno -[235]\b|Errno 1100\d|Could not find address|HostUnreachable|could not resolve",
        context=DRIVER,
        confidence=0.88,
        channels=SEEN,
        remedy="The host of the connection string does not resolve where the job runs: correct it (a part of the password "
        "read as host is a usual cause), or use names that the container knows; " + _WALK + ".",
        link=_URI,
        example="pymongo.errors.ServerSelectionTimeoutError: db-7:27017: [Errno -2] Name or service not known, Timeout: 30s",
    ),
    Rule(
        failure_class="mongodb",
        subcause="tls",
        matches=r"CERTIFICATE_VERIFY_FAILED|certificate verify failed|SSL handshake failed|self[- ]signed certificate"
        r"|x509|tls(?:v1)? (?:alert|handshake|error)|WRONG_VERSION_NUMBER|unable to get local issuer"
        r"|Hostname mismatch|doesn't match|ssl_c\w+|tlsCA\w+|tlsCertificate\w+|CA certificates could not"
        r"|ssl_cert_reqs|SSL: \w+|SSLHandshake|SSLException|PKIX path"
        r"|certificate (?:has expired|is not|rejected)|peer did not (?:present|send)"
        r"|no SSL certificate provided|ssl is required|The server is configured to only allow SSL"
        r"|handshake failure|TLS handshake|ERR_SSL|SSL peer|(?-i:PEM)\b|hostname[^\n]*certificate|no system CA"
        r"|SSL routines|without SSL|Unexpected EOF|EOF occurred in violation",
        context=DRIVER + r"|ssl_ca_certs|tlsCAFile",
        confidence=0.87,
        channels=SEEN,
        remedy="TLS failed: install ca-certificates in the image (or pass certifi's bundle as tlsCAFile), and use tls=true "
        "exactly where the server asks for it; " + _WALK + ".",
        link=_TLS,
        example="pymongo.errors.ServerSelectionTimeoutError: shard-00.ab1cd.mongodb.net:27017: [SSL: CERTIFICATE_VERIFY_FAILED] "
        "certificate verify failed: unable to get local issuer certificate",
    ),
    Rule(
        failure_class="mongodb",
        subcause="tls-required",
        matches=r"ServerSelectionTimeout\w*: [^\s,]+: connection closed",
        confidence=0.86,
        channels=SEEN,
        remedy="The server hangs up on the first word, at every try. Most often it wants TLS and the address does not ask for "
        "it: add `tls=true` to the connection string (and tlsCAFile=<bundle> for a CA of your own; mongodb+srv does it by "
        "itself): `deployer secret set <name>`; else " + _WALK + ".",
        link=_TLS,
        example="pymongo.errors.ServerSelectionTimeoutError: db-7.internal:27017: connection closed, Timeout: 30s",
    ),
    Rule(
        failure_class="mongodb",
        subcause="uri-defaults-to-localhost",
        matches=r"(?:localhost|127\.0\.0\.1|::1|0\.0\.0\.0)\W{0,3}(?:27\d{3})?[^\n]*(?:refused|(?-i:\bECONNREFUSED\b)|actively refused|timed out)"
        r"|(?-i:\bECONNREFUSED\b) (?:127\.0\.0\.1|::1|0\.0\.0\.0):27|MongoDB default port"
        r"|connect (?-i:\bECONNREFUSED\b)",
        context=DRIVER,
        confidence=0.88,
        channels=SEEN,
        remedy="The program looks for MongoDB in its own container: it did not get MONGO_URI (or ignores it). Give it in "
        "`secrets` of the task definition: `aws ecs describe-task-definition --task-definition <family> --query "
        "'taskDefinition.containerDefinitions[].[environment,secrets]'`.",
        link=_URI,
        example="pymongo.errors.AutoReconnect: localhost:27017: [Errno 111] Connection refused",
    ),
    Rule(
        failure_class="mongodb",
        subcause="connection-refused",
        matches=r"Connection refused|(?-i:\bECONNREFUSED\b)|:econnrefused|actively refused|Errno 111|Errno 61|WinError 10061",
        context=DRIVER,
        confidence=0.85,
        channels=SEEN,
        remedy="Nothing listens at that host and port: see that mongod is up there, bound to that address (bindIp), and that "
        "the port is right: " + _WALK + ".",
        link=_TROUBLE,
        example="pymongo.errors.ServerSelectionTimeoutError: db-7.internal:27017: [Errno 111] Connection refused, Timeout: 30s",
    ),
    Rule(
        failure_class="mongodb",
        subcause="replica-set",
        matches=r"not a (?:member|replica ?set)|replicaSet|ReplicaSetNoPrimary|No primary|No replica set members"
        r"|no reachable servers|set name|replica set[^\n]*(?:name|mismatch|not)|NotYetInitialized"
        r"|no replset config|not running with --replSet|topology_type: ReplicaSetNoPrimary"
        r"|Transaction numbers are only allowed on a replica set|NewPrimary|not master|NotMaster"
        r"|NotWritablePrimary|not primary|PrimarySteppedDown|node is (?:recovering|not in primary)"
        r"|InterruptedAtShutdown|InterruptedDueToReplStateChange|ReadConcernMajorityNotAvailable",
        context=DRIVER,
        confidence=0.84,
        channels=SEEN,
        transient=True,
        remedy="The replica set has no primary for us: see that its name (replicaSet=<name>) and members are right and that it "
        "is initiated (`rs.status()` in mongosh); during an election a retry is enough.",
        link=_TROUBLE,
        example="pymongo.errors.NotPrimaryError: not primary, full error: {'ok': 0.0, 'code': 10107}",
    ),
    Rule(
        failure_class="mongodb",
        subcause="server-selection-timeout",
        matches=r"ServerSelection(?:Timeout)?Error|ServerSelectionException"
        r"|(?:server[ _])?selection[ _](?:timed out|error|timeout)|No servers? (?:found|available|match)"
        r"|Timed out after \d+ ?ms|No suitable servers|No server chosen|server selection"
        r"|(?:could not|failed to|unable to|retrying to|cannot|can.t) connect to|buffering timed out|MongoTimeoutException"
        r"|failed to connect to server|Could not connect to any servers|couldn't connect to server"
        r"|NetworkTimeout|timed out|timeout occurred|(?-i:\bETIMEDOUT\b)|Topology (?:is closed|was destroyed)|WaitQueueTimeout"
        r"|connection pool",
        context=DRIVER,
        confidence=0.8,
        channels=SEEN,
        remedy="No server answered in time. In order of likelihood: the access list lacks the task's address, the security "
        "group lacks egress to 27017, the cluster is paused, the host is wrong: " + _WALK + ".",
        link=_TROUBLE,
        example="pymongo.errors.ServerSelectionTimeoutError: shard-00.ab1cd.mongodb.net:27017: timed out, Timeout: 30s",
    ),
    Rule(
        failure_class="mongodb",
        subcause="connection-closed",
        matches=r"AutoReconnect|connection closed|connection (?:\S+ )?(?:to [^\n]* )?closed|Connection reset by peer"
        r"|(?-i:\bECONNRESET\b)|Broken pipe|socket (?:hang up|was unexpectedly closed)|MongoNetworkError"
        r"|MongoSocket\w+|pool (?:was |is )?(?:cleared|destroyed|paused)|incomplete read of message header"
        r"|connection pool paused|prematurely reached end of stream|connection\(\) ?(?:error|closed)|ConnectionFailure|unexpected EOF"
        r"|network error",
        context=DRIVER,
        confidence=FAMILY + 0.08,
        channels=SEEN,
        transient=True,
        remedy="The server or something between closed the connection: a retry is usually enough; if it repeats, look for "
        "restarts, elections, connection limits or an idle limit on the way.",
        link=_TROUBLE,
        example="pymongo.errors.AutoReconnect: db-7.internal:27017: connection closed",
    ),
)
