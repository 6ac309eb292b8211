"""A name does not resolve, a connection is not made: the way between two machines."""

from deployer.diagnosis.rule import CLIENT_ERROR, DOCKER_BUILD, DOCKER_PUSH, TASK_LOG, Rule

_SEEN = (DOCKER_BUILD, DOCKER_PUSH, CLIENT_ERROR)
_PROXY = "https://docs.docker.com/engine/daemon/proxy/"

NETWORK: tuple[Rule, ...] = (
    Rule(
        failure_class="network",
        subcause="proxy",
        matches=r"ProxyConnectionError|proxyconnect|Failed to connect to proxy|ProxyError|Cannot connect to proxy"
        r"|Proxy Authentication Required|\b407\b|Tunnel connection failed|HTTPS?_PROXY"
        r"|proxy[^\n]*(?:refused|timed? ?out|fail)|SOCKS|proxy scheme|ERR_PROXY|lookup \S*proxy",
        confidence=0.93,
        channels=(CLIENT_ERROR, DOCKER_BUILD, DOCKER_PUSH, TASK_LOG),
        remedy="Correct HTTP_PROXY/HTTPS_PROXY (address, special characters percent-encoded) and NO_PROXY; for Docker set them in the "
        "daemon's configuration, for a build with --build-arg.",
        link=_PROXY,
        example='ProxyConnectionError: Failed to connect to proxy URL: "http://proxy.internal:3128"',
    ),
    Rule(
        failure_class="network",
        subcause="tls-interception",
        matches=r"x509: certificate|certificate signed by unknown authority|CERTIFICATE_VERIFY_FAILED"
        r"|certificate verify failed|self[- ]signed certificate|SELF_SIGNED_CERT"
        r"|unable to get (?:local )?issuer|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)\w*|SSL validation failed"
        r"|SSLCertVerificationError|PKIX path building|SSL certificate problem"
        r"|confirming the ssl certificate|server certificate (?:verification failed|not trusted)|certificate is not trusted",
        confidence=0.87,
        channels=_SEEN,
        remedy="A proxy (or a registry of your own) shows a certificate that this machine does not know: install its CA (system store, "
        "`/etc/docker/certs.d/<host>/ca.crt`, AWS_CA_BUNDLE, or into the image), then try again.",
        link="https://docs.docker.com/engine/network/ca-certs/",
        example="Get https://registry.test/v2/: x509: certificate signed by unknown authority",
    ),
    Rule(
        failure_class="network",
        subcause="dns",
        matches=r"no such host|Temporary failure (?:in name resolution|resolving)|Could not resolve"
        r"|Name or service not known|getaddrinfo|(?-i:\bENOTFOUND\b)|EAI_AGAIN|nodename nor servname"
        r"|UnknownHostException|server misbehaving|lookup [\w.-]+ on|lookup [\w.-]+: |NameResolutionError"
        r"|bad address|Unable to resolve host|Name does not resolve|DNS (?:lookup|resolution|error)"
        r"|temporary error \(try again later\)|Errno -[23]\b|dns error",
        confidence=0.87,
        channels=_SEEN,
        remedy="A name does not resolve on this machine: correct a mistyped host, or the resolver (`nslookup <host>`; for Docker `dns` in "
        "/etc/docker/daemon.json), check VPN, then try again.",
        link="https://docs.docker.com/engine/daemon/troubleshoot/",
        example="Get https://registry.test/v2/: dial tcp: lookup registry.test on 10.0.0.2:53: no such host",
    ),
    Rule(
        failure_class="network",
        subcause="tls-handshake",
        matches=r"TLS handshake timeout"
        r"|tls: (?:handshake failure|first record|protocol version|internal error|bad record|failed)"
        r"|EOF occurred in violation|SSL_ERROR_SYSCALL|server gave HTTP response to HTTPS client"
        r"|WRONG_VERSION_NUMBER|SSLError|remote error: tls|SSL: \w+|gnutls|SSL connection|Could not handshake",
        confidence=0.86,
        channels=_SEEN,
        transient=True,
        remedy="The connection to the server breaks off during TLS: check proxy, VPN and MTU on this machine and try again.",
        example="Get https://auth.docker.io/token: net/http: TLS handshake timeout",
    ),
    Rule(
        failure_class="network",
        subcause="connection",
        matches=r"Could not connect to the endpoint|i/o timeout|context deadline exceeded|Client\.Timeout"
        r"|request canceled|connection (?:refused|reset|timed out|aborted|closed)|(?-i:\bECONNRESET\b)"
        r"|(?-i:\bE(?:SOCKET)?TIMEDOUT\b)|(?-i:\bECONNREFUSED\b)|(?-i:\bECONNABORTED\b)|network is unreachable"
        r"|no route to host|unexpected EOF|: EOF\b|^EOF$|broken pipe|Read ?time(?:d )?out|ReadTimeoutError"
        r"|ConnectTimeout|Connect(?:ion)? ?time(?:d )?out|Failed to establish a new connection"
        r"|Max retries exceeded|IncompleteRead|ConnectionError|EndpointConnectionError|ConnectionResetError"
        r"|RemoteDisconnected|Unable to connect|Failed to connect|Connection failed"
        r"|use of closed network connection|http2: |stream error|Could not connect"
        r"|temporary error \(try again later\)|status[^\n]*\b5\d\d\b|Bad Gateway|Gateway Time-?out|Service Unavailable|request send failed|Operation timed out"
        r"|net::ERR|socket hang up|network (?:timeout|error)|socket[ _]timeout|network connectivity|timed out|early EOF|RPC failed; curl"
        r"|The remote end hung up|dial tcp|Network Error|(?-i:\bENETUNREACH\b)|(?-i:\bEHOSTUNREACH\b)"
        r"|dialing \S+:\d+|Connection was closed before",
        confidence=0.78,
        channels=_SEEN,
        unless=r"docker\.sock|docker_engine|pipe/|processing tar file",
        transient=True,
        remedy="This machine did not get through to that host: check connection, VPN, firewall and proxy (`curl -v https://<host>/`), then "
        "try again.",
        example="failed to do request: Head https://registry-1.docker.io/v2/library/python: dial tcp 10.1.2.3:443: i/o timeout",
    ),
    Rule(
        failure_class="network",
        subcause="third-party-unreachable",
        matches=r"requests\.exceptions\.(?:Connect|Read|SSL|Proxy)\w*|Max retries exceeded with url|urlopen error"
        r"|NewConnectionError|NameResolutionError|aiohttp\.client_exceptions\.\w+|httpx\.Connect\w+"
        r"|httpcore\.Connect\w+|URLError|java\.net\.(?:Connect|UnknownHost|SocketTimeout|NoRouteToHost)\w*"
        r"|HTTP Error 5\d\d|5\d\d Server Error|\b50[234]\b[^\n]{0,20}(?:responses?|gateway|unavailable)|dial tcp[^\n]*|getaddrinfo (?:ENOTFOUND|EAI_AGAIN)|Temporary failure in name resolution"
        r"|fetch failed|connect (?:ETIMEDOUT|(?-i:\bECONNREFUSED\b)|(?-i:\bEHOSTUNREACH\b))"
        r"|Could not resolve host|socket\.gaierror|ConnectionRefusedError|Connection refused"
        r"|Name or service not known",
        confidence=0.64,
        channels=(TASK_LOG,),
        unless=r"amazonaws|mongo|:27017|http\+docker",
        transient=True,
        remedy="A service that the program calls did not answer: see whether it is up, and whether the task's subnet and security group let "
        "it out (`deployer doctor`); then try again.",
        example="requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.weather.test', port=443): Max retries exceeded with "
        "url: /v1",
    ),
)
