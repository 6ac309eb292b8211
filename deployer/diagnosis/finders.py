"""Where the values of fixes stand in messages: a pattern for each name that a fix may ask for."""

from typing import Final

FINDERS: Final[dict[str, str]] = {
    "region": (
        r"\b((?:us|eu|ap|sa|ca|me|af|il|mx|cn|us-gov)-(?:(?:north|south)?(?:east|west)|north"
        r"|south|central)-\d)(?=\b|[a-z]\b)"
    ),
    "account": r"(?:arn:aws[\w-]{0,10}:[\w-]{1,30}:[\w-]{0,20}:|registry with id '|\b)(\d{12})\b",
    "registry": (
        r"\b(\d{12}\.dkr\.ecr\.[\w-]{1,20}\.amazonaws\.com)"
        r"|https?://([\w.-]{3,100}(?::\d{2,5})?)/v2/|\b(public\.ecr\.aws)\b"
    ),
    "repository": (
        r"repository (?:with name )?['\"]?([\w./-]{1,200}?)['\"]? (?:does not|not found)"
        r"|:repository/([\w./-]{1,200})|\.amazonaws\.com/([\w./-]{1,200})"
        r"|in the '([\w./-]{1,200})' repository|/v2/([\w./-]{1,200})/(?:manifests|blobs)/"
    ),
    "tag": (
        r"image tag '([\w.-]{1,128})'|/manifests/([\w.:-]{1,128})"
        r"|(?:manifest for|image) [\w./-]{1,200}:([\w.-]{1,128})"
    ),
    "image": (
        r"(?:manifest for|pull access denied for|unable to find image|resolve (?:ref"
        r"|reference)|source metadata for|load metadata for|pull image|No such image:|the tag:"
        r"|image|denied for"
        r"|platform[^\n]{0,40} in) ['\"]?([a-z0-9][\w.-]{0,100}"
        r"(?:[:/][\w.-]{1,100}){1,6}(?:@sha256:[0-9a-f]{8,64})?"
        r"|[a-z0-9][\w./-]{2,100}(?=,))"
        r"|failed to solve: ([a-z0-9][\w.-]{0,100}(?:[:/][\w.-]{1,100}){1,6}):"
    ),
    "principal": (
        r"(?:User|Role|role): ?(arn:[\w:/.@+=,-]{10,200})"
        r"|['\"](arn:aws[\w-]{0,10}:iam::\d{12}:role/[\w/.@+=,-]{1,120})"
        r"|(arn:aws[\w-]{0,10}:sts::[\w:/.@+=,-]{10,200})"
    ),
    "role": (
        r":(?:role|assumed-role)/(?:service-role/)?([\w+=,.@-]{1,64})"
        r"|\brole ['\"]?([\w+=,.@-]{3,64})['\"]? (?:does not|cannot|that)"
    ),
    "user": (
        r":user/([\w+=,.@-]{1,64})|user(?:name)?[ =:]{1,2}['\"]([\w.@-]{1,64})['\"]"
        r"|UserNotFound: [^\n]{0,40}user ([\w.@-]{1,64})"
    ),
    "action": (
        r"(?:to perform:?|permission to) ([a-z0-9-]{2,30}:[A-Z]\w{2,60})"
        r"|\b((?:ecr|logs|s3|kms|ssm|secretsmanager|iam|sts|ecs):[A-Z]\w{2,60})"
    ),
    "operation": r"when calling (?:the )?(\w{3,60}) operation|operation error [\w ]{2,30}: (\w{3,60})",
    "resource": r"on resource: ['\"]?(arn:[\w:/.@+=,*-]{8,250}|[\w:/.@+=,-]{2,200})",
    "secret": (
        r"(arn:aws[\w-]{0,10}:secretsmanager:[\w:/.@+=-]{8,250})"
        r"|secret(?: id| name)?(?: ?[:=] ?['\"]?| ['\"])([\w/.@+=-]{3,200})"
    ),
    "parameter": r":parameter(/[\w/.-]{1,200})|invalid (?:ssm )?parameters?: ([\w/.-]{2,200})",
    "key_arn": r"(arn:aws[\w-]{0,10}:kms:[\w:/-]{8,200})",
    "bucket": (
        r"s3[an]?://([\w.-]{3,63})|\barn:aws[\w-]{0,10}:s3:::([\w.-]{3,63})"
        r"|https?://([\w.-]{3,63})\.s3[.-]|in bucket '?([\w.-]{3,63})"
        r"|[Bb]ucket ['\"]([\w.-]{3,63})['\"]|Invalid bucket name \"([\w.-]{1,63})\""
    ),
    "key": (
        r"s3[an]?://[\w.-]{3,63}/([^\s'\",)]{1,200})|[Kk]ey ['\"]([^'\"\n]{1,200})['\"]"
        r"|arn:aws:s3:::[\w.-]{3,63}/([^\s'\",)*]{1,200})"
    ),
    "log_group": (
        r"[Ll]og[- ]?[Gg]roup[: ]{1,2}['\"]?(/?[\w./#-]{2,200})['\"]?(?: does| was|\b(?=[,.'\"]))"
        r"|:log-group:([\w./#-]{2,200})"
    ),
    "cluster": r":cluster/([\w-]{1,100})|[Cc]luster ['\"]([\w-]{1,100})['\"]",
    "family": r":task-definition/([\w-]{1,100})|task definition ['\"]([\w-]{1,100})(?::\d{1,6})?['\"]",
    "service": (
        r"service ['\"(]?([\w.-]{2,100})['\")]? (?:was unable|is missing|refers|depends|failed|didn't"
        r"|\"?has)|[Cc]ontainer ([\w.-]{2,100}) (?:is unhealthy|is being|Error)"
        r"|services?\.([\w-]{1,60})"
    ),
    "subnet": r"\b(subnet-[0-9a-f]{4,17})\b",
    "security_group": r"\b(sg-[0-9a-f]{4,17})\b",
    "file_system": r"\b(fs-[0-9a-f]{4,17})\b",
    "target_group": r"(arn:aws[\w-]{0,10}:elasticloadbalancing:[\w:/-]{8,200})",
    "host": (
        r"lookup ([\w.-]{3,253})(?: on|:)"
        r"|(?:getaddrinfo )?(?:ENOTFOUND|EAI_AGAIN) (?:_mongodb\._tcp\.)?([\w.-]{2,253})"
        r"|(?:resolve|resolving|resolve host(?: address)?"
        r"|address)[: ]{1,2}['\"\u2018]?([\w-]{1,63}(?:\.[\w-]{1,63}){1,6})"
        r"|https?://(?:[^\s/@'\"]{0,200}@)?([\w-][\w.-]{1,253})|host=['\"]([\w.-]{2,253})"
        r"|(?:[Ss]erver(?:SelectionTimeout)?(?:Error)?|AutoReconnect|NetworkTimeout): (?:[^\n:]{0,40}: )?"
        r"([\w-][\w.-]{1,253}):\d{2,5}"
        r"|[Cc]onnect(?:ing|ion)? to (?:[\w ]{0,20} )?(?:\[([\w.-]{1,253}):\d"
        r"|([\w-]{1,63}(?:\.[\w-]{1,63}){1,6})[: ])"
        r"|\b([\w-]{1,63}(?:\.[\w-]{1,63}){1,6}):\d{2,5}\b|_mongodb\._tcp\.([\w.-]{3,253})"
    ),
    "port": (
        r"(?:0\.0\.0\.0|127\.0\.0\.1|\[?::\]?|localhost):(\d{2,5})\b|port (\d{2,5})\b"
        r"|[\w.-]{2,200}:(\d{4,5})\b"
    ),
    "module": (
        r"No module named ['\"]?([\w.]{1,100})"
        r"|Cannot find (?:module|package) ['\"]([^'\"\n]{1,200})['\"]"
        r"|cannot load such file -- ([\w/.-]{1,100})|ClassNotFoundException: ([\w.$]{3,200})"
        r"|NoClassDefFoundError: ([\w/.$]{3,200})|file or assembly '([\w.]{2,100})"
        r"|from '([\w.]{1,100})'"
    ),
    "package": (
        r"(?:locate package|requirement|No matching distribution found for"
        r"|[Pp]ackage(?! versions?\b)|building wheel for|build wheels for|argument:"
        r"|find a match:|for gem) ['\"]?([A-Za-z0-9][\w.+-]{0,80})(?:==[\w.]{1,30})?"
        r"|E404[^\n]{0,80}/([\w@.-]{1,80})|^ {2}([\w.+-]{2,60}) \(no such package\)"
        r"|not find a version that satisfies the requirement ([\w.-]{1,80})"
        r"|Cannot install [^\n]{0,200} and ([A-Za-z][\w.-]{0,60})=="
        r"|depends on ([A-Za-z][\w.-]{0,60})"
    ),
    "library": (
        r"\b(lib[\w+.-]{1,60}\.so(?:\.\d{1,6}){0,3})(?!: version|\.?\d)"
        r"|library (?:called )?['\"]([\w+.-]{2,60})"
        r"|version `(GLIBC(?:XX)?_[\d.]{1,10})'"
    ),
    "command": (
        r"exec:? \\?['\"]([^'\"\\\n]{1,200})\\?['\"]"
        r"|(?:(?:/bin/)?(?:ba|da)?sh|exec): (?:line )?(?:\d{1,5}: )?([\w./-]{1,80}): (?:command )?not found"
        r"|exec ([\w./-]{1,200}): |command '([\w./+-]{1,60})'"
        r"|command ([\w-]{1,40}) -? ?(?:do you|version)|find command '([\w-]{1,40})'"
        r"|env: ['\u2018]([\w./-]{1,40})"
    ),
    "path": (
        r"(?:No such file or directory|Permission denied|cannot stat|can't open file"
        r"|can't find|open|stat|lstat)[: ]{1,2}['\"\u2018]?(/?[\w][\w./@+=-]{1,250}"
        r"|/[\w./@+=-]{2,250})|['\"](/?[\w./@+=*-]{1,200}\.(?!py\b)\w{1,8})['\"]"
        r"|\"(/[\w./@+=*-]{1,200})\": not found|jarfile ([\w./-]{1,100})"
    ),
    "variable": (
        r"KeyError: ['\"](\w{2,80})['\"]|\b([A-Z][A-Z0-9]{1,40}(?:_[A-Z0-9]{1,40}){1,6})\b"
        r"|variable ['\"]?(\w{2,80})"
    ),
    "argument": (
        r"arguments are required: ([\w,. /-]{2,100})"
        r"|(?:option|argument)s?:? ['\"]?(--?[\w-]{1,60})"
    ),
    "database": r"not authorized on ([\w-]{1,63})|db(?:\.|: ?['\"])([\w-]{1,63})",
    "collection": (
        r"collection: ?['\"]?([\w.-]{1,120})"
        r"|(?:insert|update|find|aggregate|delete|findAndModify): \\?['\"]([\w.-]{1,120})"
        r"|ns: ?['\"]([\w.-]{1,120})"
    ),
    "index": r"index: ([\w.$-]{1,120})|[Ii]ndex (?:with name)?:? ?['\"]?([\w.-]{1,120})['\"]? already",
    "column": (
        r"KeyError: \"?['\"]\[?'?([^'\"\]\n]{1,80})"
        r"|(?:column|field|header)s?:? \[?['\"`]([^'\"`\n]{1,80})['\"`]"
        r"|Column not found: ?([\w.-]{1,60})|'([\w.-]{1,60})' is a required property"
    ),
    "line_number": r"\b(?:line|row|record)[ #:]{1,2}(\d{1,9})\b",
    "limit": r"exceed(?:s|ed)? (?:its )?(?:memory )?limit of (\d{2,12})",
    "stage": r"target stage \"?([\w.-]{1,60})|\[([\w.-]{1,40}) \d{1,3}/\d{1,3}\] (?:RUN|COPY|ADD)",
    "dockerfile_line": r"line:? (\d{1,5})\b|Dockerfile:(\d{1,5})\b",
    "profile": r"profile \(?['\"]?([\w.-]{1,80})['\"]?\)?|profile ([\w.-]{1,80}) ",
    "proxy": (
        r"proxy(?: URL)?:? ?\"?(?:\w{3,6}://){0,2}(?:[^\s/@\"]{0,200}@)?([\w-]{1,63}(?:\.[\w-]{1,63}){1,6}(?::\d{2,5})?"
        r"|[\w-]{1,63}:\d{2,5})"
    ),
    "helper": r"(docker-credential-[\w-]{1,40})",
    "size": r"(\d{1,9}(?:\.\d{1,4})? ?[KMGT]i?B)\b",
    "flag": r"[Uu]nknown (?:shorthand )?flag: ['\"]?(-{0,2}[\w-]{1,40})",
    "network": r"network ([\w.-]{1,80}) (?:not found|has active|declared|id|was)",
    "stack": r"\b(arn:aws[\w-]{0,10}:cloudformation:[\w:/-]{8,200})",
    "source_file": (
        r"File \"(?!/usr/|[^\"\n]{0,200}site-packages)([^\"\n]{1,200})\", line \d"
        r"|\((/(?!usr/)[^()\s:]{1,200}):\d|\(([A-Z]\w{1,60}\.(?:java|kt|cs|scala)):\d"
    ),
}
"""The first group that matches is the value; bounded, and searched in one event only."""
