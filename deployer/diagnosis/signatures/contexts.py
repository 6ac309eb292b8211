"""Words that say which party an event is about, for the `within` and `without` of signatures."""

MONGODB = (
    r"mongo|AtlasError|\bmotor\b|\bbson\b|server ?selection|TopologyDescription|replica ?set"
    r"|:270[12]\d\b|AutoReconnect|OperationFailure|caused by ::|\bE1100|BulkWriteError"
    r"|querySrv|\"ctx\":|sasl conversation|openUri|ServerSelector|prematurely reached"
    r"|connection\(\)|featureCompat|ReadPreference|failed with error \d"
)
AWS = (
    r"amazonaws|\baws|boto|\barn:|169\.254\.|\bs3[.:/]|\becr\b|\becs\b|fargate"
    r"|An error occurred \(|Service: |status code: \d|api error"
)
NO_ANSWER = (
    r"could not connect to the endpoint|timed out|time-out|timeout\b(?! ?[=:] ?\d)"
    r"|no such host|name or service not known|name resolution|getaddrinfo"
    r"|establish a new connection|connection (?:was )?(?:closed|refused|reset|aborted)"
    r"|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|deadline exceeded|UnknownHost|network is unreachable"
    r"|resolve host|EHOSTUNREACH|context cancell?ed|request cancell?ed"
    r"|unable to execute HTTP request|EndpointConnectionError|ConnectTimeoutError"
    r"|ReadTimeoutError|signal: killed|dial tcp|SSL validation failed|NETWORK_CONNECTION"
    r"|ConnectionClosedError|could not be resolved"
)
OTHER_DATABASE = (
    r"postgres|psycopg|mysql|mariadb|oracle|sqlserver|sqlite|SQLSTATE|SQLException|redis|kafka|elastic"
)
OTHER_LOGIN = OTHER_DATABASE + r"|smtp|s?ftp|ssh|\bgit\b|ldap|token|registry|docker|snowflake|https?://"
