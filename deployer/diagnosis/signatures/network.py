"""A machine or service is not reached from here; and AWS not reached from a task, which is its subnet."""

from deployer.diagnosis.signature import (
    CLIENT_ERROR,
    COMPOSE,
    DOCKER_BUILD,
    DOCKER_PUSH,
    TASK,
    TASK_LOG,
    Signature,
)
from deployer.diagnosis.signatures.contexts import NO_ANSWER

_HERE = (DOCKER_BUILD, DOCKER_PUSH, CLIENT_ERROR, COMPOSE)
_ENGINE = r"docker\.sock|docker_engine|pipe/|processing tar file|docker daemon|http\+docker|\bmongo|:27\d{3}"
_ENDPOINTS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html"
_PROXY = "https://docs.docker.com/engine/daemon/proxy/"

NETWORK = (
    Signature(
        failure_class="aws-config",
        subcause="aws-endpoint-no-route",
        pattern=NO_ANSWER,
        within=(
            r"amazonaws\.com|\baws\b|\becr\b|\bs3[.:/]|169\.254\.|EC2Metadata"
            r"|/latest/(?:meta-data|dynamic|api)|awssdk|aws-sdk|botocore|service endpoint|AWS Error"
        ),
        without=r"mongodb\.net|pymongo|:27\d{3}|CannotPull",
        channels=TASK,
        weight=0.87,
        meaning="The task cannot reach an AWS endpoint from its subnet.",
        fix=(
            "Give the task's subnet a way to {host}: NAT, or assignPublicIp in a public subnet, or "
            "the VPC endpoint of the service (S3: a gateway endpoint in the route table), egress "
            "on 443 and DNS support in the VPC: `aws ec2 describe-vpc-endpoints --region {region}`."
        ),
        source=_ENDPOINTS,
        example=(
            "botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: "
            '"https://s3.eu-west-3.amazonaws.com/raw"'
        ),
        counter="INFO connected to s3.eu-west-3.amazonaws.com, timeout=30",
    ),
    Signature(
        failure_class="network",
        subcause="proxy",
        pattern=(
            r"(?<!no )proxy[^\n]{0,60}(?:refused|timed out|fail(?:ed|ure)|invalid)"
            r"|\bSOCKS\b[^\n]{0,60}(?:support|fail|error)|lookup \S{0,60}proxy"
            r"|HTTPS?_PROXY[^\n]{0,60}(?:invalid|fail)|status(?: code)?:? 407"
        ),
        texts=(
            "proxyconnect | failed to connect to proxy | cannot connect to proxy"
            " | Proxy Authentication Required | Tunnel connection failed | proxy scheme | ERR_PROXY"
            " | unable to connect to proxy | HTTP code 407"
        ),
        names="ProxyConnectionError ProxyError ProxySchemeUnknown",
        without=r"0 failed",
        channels=(*_HERE, TASK_LOG),
        weight=0.94,
        meaning="The proxy is wrong, refuses the login, or is not reached.",
        fix=(
            "Correct HTTPS_PROXY, HTTP_PROXY and NO_PROXY (now {proxy}; special characters "
            "percent-encoded): `curl -x http://{proxy} -v https://{host}/`; for Docker in "
            "/etc/systemd/system/docker.service.d/http-proxy.conf, for a build with --build-arg."
        ),
        source=_PROXY,
        example='ProxyConnectionError: Failed to connect to proxy URL: "http://proxy.internal:3128"',
        counter="INFO batch 407 done, no proxy in use",
    ),
    Signature(
        failure_class="network",
        subcause="tls-interception",
        pattern=(
            r"certificate[ _]verify[ _]failed|self[- _]signed[ _]cert"
            r"|UNABLE_TO_(?:GET_ISSUER|VERIFY_LEAF)\w{0,30}"
        ),
        texts=(
            "x509: certificate | unknown authority | local issuer | SSL validation failed | PKIX path"
            " | SSL certificate problem | confirming the ssl certificate"
            " | certificate verification failed | certificate is not trusted"
            " | certificate not trusted"
        ),
        names="SSLCertVerificationError CERTIFICATE_VERIFY_FAILED SELF_SIGNED_CERT_IN_CHAIN",
        without=r"\bmongo|:27\d{3}",
        channels=(*_HERE, TASK_LOG),
        weight=0.9,
        meaning=("A proxy, or a registry of your own, shows a certificate that this machine does not know."),
        fix=(
            "Install the CA of {host}: the system store (`sudo update-ca-certificates`), "
            "/etc/docker/certs.d/{host}/ca.crt for Docker, AWS_CA_BUNDLE for the AWS CLI, or into "
            "the image; then try again."
        ),
        source="https://docs.docker.com/engine/security/certificates/",
        example="Get https://registry.test/v2/: x509: certificate signed by unknown authority",
        counter="INFO certificate checked",
    ),
    Signature(
        failure_class="network",
        subcause="dns",
        pattern=r"lookup [\w.-]{1,253}(?: on|:) |\bbad address\b",
        texts=(
            "no such host | temporary failure in name resolution | temporary failure resolving"
            " | could not resolve | Name or service not known | getaddrinfo | EAI_AGAIN"
            " | nodename nor servname | server misbehaving | unable to resolve host"
            " | Name does not resolve | DNS lookup | DNS resolution | DNS error"
            " | temporary error (try again later)"
        ),
        names="UnknownHostException NameResolutionError ENOTFOUND",
        without=_ENGINE,
        channels=_HERE,
        weight=0.9,
        meaning="A host name does not resolve on this machine.",
        fix=(
            "Check the spelling of {host} and the resolver: `nslookup {host}`; for builds set "
            "`dns` in /etc/docker/daemon.json; check VPN; then try again."
        ),
        source="https://docs.docker.com/engine/daemon/troubleshoot/#dns-resolver-issues",
        example=(
            "Get https://registry.test/v2/: dial tcp: lookup registry.test on 10.0.0.2:53: no such host"
        ),
        counter="INFO resolved registry.test",
    ),
    Signature(
        failure_class="network",
        subcause="tls-handshake",
        pattern=(
            r"tls: (?:handshake failure|first record|protocol version|internal error|bad record"
            r"|failed)|\[SSL: \w"
        ),
        texts=(
            "TLS handshake timeout | EOF occurred in violation | SSL_ERROR_SYSCALL"
            " | HTTP response to HTTPS client | WRONG_VERSION_NUMBER | remote error: tls | gnutls"
            " | SSL connection | could not handshake"
        ),
        names="SSLError",
        without=_ENGINE,
        channels=_HERE,
        weight=0.89,
        transient=True,
        meaning="The connection breaks off during TLS.",
        fix=(
            "Check proxy, VPN and MTU on this machine (`curl -v https://{host}/`) and try again; a "
            "registry that speaks plain HTTP belongs under `insecure-registries` in "
            "/etc/docker/daemon.json."
        ),
        source=_PROXY,
        example="Get https://auth.docker.io/token: net/http: TLS handshake timeout",
        counter="INFO TLS 1.3 to auth.docker.io",
    ),
    Signature(
        failure_class="network",
        subcause="connection",
        pattern=(
            r"connection (?:was )?(?:refused|reset|timed out|aborted|closed|broken|failed)"
            r"|\bE(?:SOCKET)?TIMEDOUT\b|(?:network is|ENET|EHOST)\s?unreach\w{0,4}|: EOF\b"
            r"|^\W{0,3}EOF\W{0,3}$|(?:read|connect)(?:ion)? ?timed? ?out|status[^\n]{0,40}\b5\d\d\b"
            r"|socket[ _]timeout|\b50[234]  |Retrying in \d{1,3} sec"
        ),
        texts=(
            "i/o timeout | deadline exceeded | Client.Timeout | request cancelled | request canceled"
            " | no route to host | unexpected EOF | broken pipe | establish a new connection"
            " | Max retries exceeded | unable to connect | failed to connect | could not connect"
            " | closed network connection | http2:  | stream error | Bad Gateway | Gateway Time-out"
            " | Gateway Timeout | Service Unavailable | operation timed out | net::ERR"
            " | socket hang up | network timeout | network aborted | network connectivity | early EOF"
            " | RPC failed; curl | remote end hung up | dial tcp | Connection was closed"
        ),
        names=(
            "ReadTimeoutError ConnectTimeoutError EndpointConnectionError ConnectionResetError "
            "IncompleteRead RemoteDisconnected ConnectionError HTTPClientError ProtocolError "
            "ECONNRESET ECONNREFUSED ECONNABORTED"
        ),
        without=(_ENGINE + r"|port is already|ServiceUnavailableException|when calling"),
        channels=_HERE,
        weight=0.83,
        transient=True,
        meaning="This machine did not get through to that host.",
        fix=(
            "Check connection, VPN, firewall and proxy to {host} (`curl -v https://{host}/`), then try again."
        ),
        source=_PROXY,
        example=(
            "failed to do request: Head https://registry-1.docker.io/v2/library/python: dial tcp "
            "10.1.2.3:443: i/o timeout"
        ),
        counter="INFO connected, timeout=30, retrying off",
    ),
    Signature(
        failure_class="network",
        subcause="third-party-unreachable",
        pattern=(
            r"aiohttp\.client_exceptions\.\w{3,60}|httpx\.Connect\w{3,30}|httpcore\.\w{3,30}"
            r"|HTTP Error 5\d\d|5\d\d Server Error"
            r"|\b50[234]\b[^\n]{0,20}(?:response|gateway|unavailable)"
        ),
        texts=(
            "Max retries exceeded with url | urlopen error | dial tcp | getaddrinfo ENOTFOUND"
            " | getaddrinfo EAI_AGAIN | name resolution | fetch failed | connect ETIMEDOUT"
            " | connect ECONNREFUSED | connect EHOSTUNREACH | could not resolve host"
            " | Connection refused | Name or service not known | Remote end closed | Read timed out"
        ),
        names=(
            "ConnectTimeout ReadTimeout NewConnectionError NameResolutionError URLError "
            "ConnectException UnknownHostException SocketTimeoutException NoRouteToHostException "
            "ConnectionRefusedError gaierror ClientConnectorError ServerDisconnectedError"
        ),
        within=r"\S",
        without=r"amazonaws|\bmongo|:27\d{3}|http\+docker|ServerSelection",
        channels=(TASK_LOG, COMPOSE),
        weight=0.66,
        transient=True,
        meaning="A service that the program calls did not answer.",
        fix=(
            "See whether {host} is up (`curl -v https://{host}/`), and whether the task's subnet "
            "and security group let it out (`deployer doctor`); then try again."
        ),
        source="https://requests.readthedocs.io/en/latest/api/#exceptions",
        example=(
            "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='api.weather.test', "
            "port=443): Max retries exceeded with url: /v1"
        ),
        counter="INFO fetched https://api.weather.test/v1 in 503 ms",
    ),
)
