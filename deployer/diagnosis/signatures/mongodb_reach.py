"""MongoDB is not reached: name, TLS, port, replica set."""

from deployer.diagnosis.signature import CLIENT_ERROR, COMPOSE, PYMONGO, TASK_LOG, Signature
from deployer.diagnosis.signatures.contexts import MONGODB, OTHER_DATABASE

_SEEN = (TASK_LOG, PYMONGO, CLIENT_ERROR, COMPOSE)
_ATLAS = "https://www.mongodb.com/docs/atlas/troubleshoot-connection/"
_URI = "https://www.mongodb.com/docs/manual/reference/connection-string/"
_REWRITE = "write the corrected connection string with `deployer secret set <name>`"

MONGODB_REACH = (
    Signature(
        failure_class="mongodb",
        subcause="host-unresolved",
        pattern=r"Errno -[235]\b|Errno 1100\d",
        texts=(
            "Name or service not known | getaddrinfo | nodename nor servname | name resolution"
            " | No address associated | no such host | EAI_AGAIN | UnknownHostException"
            " | could not find address | could not resolve | HostUnreachable"
        ),
        names="ENOTFOUND",
        within=(MONGODB + r"|admin:27|:27\d{3}"),
        without=OTHER_DATABASE,
        channels=_SEEN,
        weight=0.9,
        meaning="The host of the connection string does not resolve where the program runs.",
        fix=(
            "Correct the host {host} in the connection string (`nslookup {host}` in the same "
            + "network; a password with @ unescaped shifts it), then "
            + _REWRITE
            + "."
        ),
        source=_ATLAS,
        example=(
            "pymongo.errors.ServerSelectionTimeoutError: db-7.acme.test:27017: [Errno -2] Name or "
            "service not known"
        ),
        counter="INFO resolved db-7.acme.test",
    ),
    Signature(
        failure_class="mongodb",
        subcause="tls",
        pattern=(
            r"self[- ]signed certificate|tls(?:v1)? (?:alert|handshake|error)|ssl_c\w{3,30}"
            r"|tlsC\w{3,30}|\[SSL: \w|\bPEM\b"
        ),
        texts=(
            "certificate verify failed | SSL handshake failed | x509 | WRONG_VERSION_NUMBER"
            " | local issuer | hostname mismatch | doesn't match | no system CA | SSLHandshake"
            " | SSLException | PKIX path | certificate has expired | certificate is not"
            " | certificate rejected | peer did not | no SSL certificate provided | ssl is required"
            " | only allow SSL | handshake failure | ERR_SSL | HMAC validation"
        ),
        within=MONGODB,
        without=r"\[SSL: TLSV1_ALERT_INTERNAL|alert number 80",
        channels=_SEEN,
        weight=0.89,
        meaning="TLS to MongoDB fails: certificate, CA or option.",
        fix=(
            "Install ca-certificates in the image (or set tlsCAFile to the CA of {host}), and set "
            "tls=true exactly where the server asks for it: `openssl s_client -connect "
            "{host}:{port} -servername {host}`."
        ),
        source="https://www.mongodb.com/docs/languages/python/pymongo-driver/current/security/tls/",
        example=(
            "pymongo.errors.ServerSelectionTimeoutError: shard-00.ab1cd.mongodb.net:27017: [SSL: "
            "CERTIFICATE_VERIFY_FAILED] certificate verify failed: unable to get local issuer "
            "certificate"
        ),
        counter="INFO TLS to MongoDB established",
    ),
    Signature(
        failure_class="mongodb",
        subcause="tls-required",
        pattern=(
            r"ServerSelectionTimeout\w{0,10}: (?P<host>[^\s,:]{1,200}):(?P<port>\d{2,5}): connection closed"
        ),
        channels=_SEEN,
        weight=0.87,
        meaning="The server hangs up on the first word: most often it wants TLS.",
        fix=(
            "Add tls=true (and tlsCAFile for a CA of your own) to the connection string of "
            + "{host}:{port} and "
            + _REWRITE
            + "; `openssl s_client -connect {host}:{port}` shows whether it speaks TLS."
        ),
        source=_URI,
        example=(
            "pymongo.errors.ServerSelectionTimeoutError: db-7.internal:27017: connection closed, Timeout: 30s"
        ),
        counter="INFO connection to MongoDB closed",
    ),
    Signature(
        failure_class="mongodb",
        subcause="uri-defaults-to-localhost",
        pattern=(
            r"(?:localhost|127\.0\.0\.1|::1|0\.0\.0\.0)\W{0,3}(?:27\d{3})?[^\n]{0,120}(?:refused"
            r"|timed out)|(?:refused|refused calling hello)[^\n]{0,60}'?localhost:27"
        ),
        texts="ECONNREFUSED 127.0.0.1:27 | ECONNREFUSED ::1:27 | ECONNREFUSED 0.0.0.0:27",
        within=MONGODB,
        channels=_SEEN,
        weight=0.91,
        meaning="The program looks for MongoDB in its own container: it was given no connection string.",
        fix=(
            "Give it the connection string in `secrets` of the task definition (`aws ecs "
            "describe-task-definition --task-definition {family} --query "
            "'taskDefinition.containerDefinitions[].[environment,secrets]' --region {region}` "
            "shows what it gets)."
        ),
        source=(
            "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/secrets-envvar-secrets-manager.html"
        ),
        example="pymongo.errors.AutoReconnect: localhost:27017: [Errno 111] Connection refused",
        counter="INFO mongod listens on localhost:27017",
    ),
    Signature(
        failure_class="mongodb",
        subcause="connection-refused",
        pattern=r"Errno 61\b",
        texts="Connection refused | ECONNREFUSED | actively refused | Errno 111 | WinError 10061",
        within=MONGODB,
        without=OTHER_DATABASE,
        channels=_SEEN,
        weight=0.88,
        meaning="Nothing listens at that host and port.",
        fix=(
            "See that mongod runs on {host} and is bound to that address (`net.bindIp`): `nc -vz "
            "{host} {port}` from the same network."
        ),
        source="https://www.mongodb.com/docs/manual/core/security-mongodb-configuration/",
        example=(
            "pymongo.errors.ServerSelectionTimeoutError: db-7.internal:27017: [Errno 111] "
            "Connection refused, Timeout: 30s"
        ),
        counter="INFO connected to db-7.internal:27017",
    ),
    Signature(
        failure_class="mongodb",
        subcause="replica-set",
        pattern=(
            r"replica set[^\n]{0,60}(?:name|mismatch|not)"
            r"|not (?:started with|running with) (?:--)?repl"
        ),
        texts=(
            "not a member | not a replica set | not a replicaset | No primary"
            " | No replica set members | set name | no replset | no oplog"
            " | only allowed on a replica set | not master | not primary | node is recovering"
            " | node is not in primary | replSetInitiate | reach a primary"
            " | no longer be in the oplog | no reachable servers"
        ),
        names=(
            "ReplicaSetNoPrimary NotYetInitialized NotWritablePrimary NotPrimaryError NotMaster "
            "NotMasterError PrimarySteppedDown InterruptedAtShutdown "
            "InterruptedDueToReplStateChange ReadConcernMajorityNotAvailable "
            "MongoNotPrimaryException NotPrimaryNoSecondaryOk NotPrimaryOrSecondary "
            "ReplicaSetNotFound"
        ),
        within=(MONGODB + r"|primary node|oplog|replication enabled|rs\.|\bmaster\b"),
        without=r"branch|git ",
        channels=_SEEN,
        weight=0.87,
        transient=True,
        meaning="The replica set has no primary for the program, or has another name.",
        fix=(
            "Check replicaSet=<name> in the connection string of {host} and the members' state "
            "(`mongosh --eval 'rs.status()' {host}`); during an election a retry is enough."
        ),
        source="https://www.mongodb.com/docs/manual/replication/",
        example="pymongo.errors.NotPrimaryError: not primary, full error: {'ok': 0.0, 'code': 10107}",
        counter="INFO primary is db-7",
    ),
)
