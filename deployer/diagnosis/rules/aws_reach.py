"""An AWS endpoint did not answer: inside the task that is its subnet, for the operator it is the network."""

from deployer.diagnosis.rule import OPERATOR, TASK, TASK_LOG, Rule

_AWS_HOST = r"(?:amazonaws\.com|\baws\b|ecr|s3[.:/]|169\.254\.\d+\.\d+)"
_SILENT = r"(?:Could not connect to the endpoint|Connect(?:ion)? ?time(?:d )?out|Read ?time(?:d )?out|i/o timeout|no such host|Name or service not known|Temporary failure in name resolution|getaddrinfo|ConnectTimeoutError|ReadTimeoutError|EndpointConnectionError|Failed to establish a new connection|Connection (?:was closed|refused|reset|aborted)|ConnectionClosedError|(?-i:\bENOTFOUND\b)|EAI_AGAIN|(?-i:\bETIMEDOUT\b)|(?-i:\bECONNREFUSED\b)|context deadline exceeded|UnknownHostException|SSL validation failed|timed out|unable to execute HTTP request|network is unreachable|TLS handshake|(?-i:\bEHOSTUNREACH\b)|could not resolve host|Client\.Timeout)"

# Commercial, China, GovCloud and isolated partitions: https://docs.aws.amazon.com/global-infrastructure/latest/regions/
_REGION = r"(?:us-(?:east|west)-[12]|us-gov-(?:east|west)-1|us-isob?-(?:east|west)-1|eu-west-[123]|eu-central-[12]|eu-north-1|eu-south-[12]|eu-isoe-west-1|eusc-de-east-1|ap-northeast-[123]|ap-southeast-[1-7]|ap-south-[12]|ap-east-[12]|sa-(?:east|west)-1|ca-(?:central|west)-1|me-(?:south|central|west)-1|af-south-1|il-central-1|mx-central-1|cn-north(?:west)?-1)"

_ENDPOINTS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/vpc-endpoints.html"
_NO_ROUTE = (
    "The task cannot reach that AWS endpoint: a public IP or NAT for its subnet, or the VPC endpoint of the service "
    "(S3: a gateway endpoint in the route table), egress on 443, DNS support in the VPC: `aws ec2 describe-vpc-endpoints "
    "--filters Name=vpc-id,Values=<vpc>`."
)

AWS_REACH: tuple[Rule, ...] = (
    Rule(
        failure_class="aws-config",
        subcause="wrong-region",
        # a label that looks like a region and is none, or a placeholder in its place
        matches=r"[./](?!"
        + _REGION
        + r"\.)[a-z]{2}(?:-[a-z]+){1,2}-\d+\w*\.amazonaws\.com|[./](?:s3|ecs|ecr|ec2|sts|ssm|kms|sqs|sns|logs|secretsmanager|dynamodb|lambda)\.(?!"
        + _REGION
        + r"\.)[\w-]+\.amazonaws\.com|\.\.amazonaws\.com|Invalid endpoint: https?://|\.(?:None"
        r"|null|undefined|your-region|region|global|us-west|us-east|eu-west|eu-central|<[^>]*>"
        r"|\$\{?\w+\}?)\.amazonaws\.com",
        context=_SILENT + r"|endpoint|host",
        confidence=0.93,
        channels=(*OPERATOR, *TASK),
        remedy="The region in the host name does not exist (an availability zone, or an empty value): set a region, as eu-west-3: "
        "`aws configure set region <region>`, AWS_REGION in the task definition.",
        link="https://docs.aws.amazon.com/general/latest/gr/rande.html",
        example='Could not connect to the endpoint URL: "https://ecs.eu-west-3a.amazonaws.com/"',
    ),
    Rule(
        failure_class="aws-config",
        subcause="aws-endpoint-no-route",
        matches=_SILENT
        + r"[^\n]*"
        + _AWS_HOST
        + r"|"
        + _AWS_HOST
        + r"[^\n]*"
        + _SILENT
        + r"|AWS Error NETWORK_CONNECTION|botocore\.exceptions\.(?:EndpointConnection|ConnectTimeout|ReadTimeout|ConnectionClosed|SSL|HTTPClient)Error",
        confidence=0.83,
        channels=(TASK_LOG, *TASK),
        unless=r"mongodb\.net|pymongo|:27017",
        remedy=_NO_ROUTE,
        link=_ENDPOINTS,
        example='botocore.exceptions.ConnectTimeoutError: Connect timeout on endpoint URL: "https://s3.eu-west-3.amazonaws.com/raw"',
    ),
    Rule(
        failure_class="aws-config",
        subcause="aws-endpoint-no-route",
        matches=_SILENT,
        context=r"[\w-]\.amazonaws\.com|169\.254\.|EC2Metadata|instance-identity|/latest/(?:meta-data|dynamic|api)|com\.amazonaws|awssdk|aws-sdk|botocore|service endpoint",
        confidence=0.66,
        channels=(TASK_LOG,),
        unless=r"mongodb|pymongo|:27017",
        remedy=_NO_ROUTE,
        link=_ENDPOINTS,
        example="Error: connect ETIMEDOUT 203.0.113.7:443\n  hostname: 'sqs.eu-west-3.amazonaws.com'",
    ),
)
