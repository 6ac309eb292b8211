"""Messages to people: a webhook (Slack, Teams, JSON), an SNS topic, e-mail, a command. Each is one try; who
calls repeats it.

Slack: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks (at most 3,000 characters).
Teams: an Adaptive Card, as its workflows take it.
"""

import hashlib
import hmac
import json
import os
import smtplib
import ssl
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from email.message import EmailMessage
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from deployer.adapters.aws.session import AwsSession, translated
from deployer.config.model import Notify
from deployer.errors import Failure, TransientFailure
from deployer.redaction import without_secrets

_TIMEOUT: Final = 15.0
_MOST: Final = 2900
"""Characters of a message; of a long one the beginning and the end are kept."""


@dataclass(frozen=True)
class Message:
    """`event`: failed, recovered, late, drifted or reminder. `key` tells messages apart: the same one is sent
    once."""

    event: str
    key: str
    title: str
    text: str = ""
    fix: str = ""
    run: dict[str, Any] = field(default_factory=dict)

    @property
    def body(self) -> str:
        return _cut("\n".join(filter(None, (self.text, f"Fix: {self.fix}" if self.fix else ""))))


Channel = Callable[[Message], None]


def channels(settings: Notify, aws: Callable[[], AwsSession]) -> Iterator[tuple[str, Channel]]:
    """The configured ones, with their names. Each raises Failure where it could not send."""
    if settings.webhook:
        yield "webhook", lambda message: _post(settings, message)
    if settings.sns_topic:
        yield "SNS", lambda message: _publish(settings.sns_topic, aws(), message)
    if settings.smtp and settings.mail_to:
        yield "e-mail", lambda message: _mail(settings, message)
    if settings.command:
        yield "command", lambda message: _run(settings, message)


def _post(settings: Notify, told: Message) -> None:
    if urlsplit(settings.webhook).scheme not in ("http", "https"):
        raise Failure("aws-config", "[notify] webhook is no http address", "set it to the webhook's address")
    content = json.dumps(_payload(settings, told)).encode()
    headers = {"Content-Type": "application/json", "User-Agent": "deployer"}
    if settings.signing_key:
        signature = hmac.new(settings.signing_key.encode(), content, hashlib.sha256).hexdigest()
        headers["X-Deployer-Signature"] = f"sha256={signature}"
    request = urllib.request.Request(settings.webhook, content, headers)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT):  # noqa: S310
            pass
    except urllib.error.HTTPError as error:
        kind = TransientFailure if error.code == 429 or error.code >= 500 else Failure
        raise kind("network", f"the webhook answered {error.code}", "check [notify] webhook") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "reason", error)
        raise TransientFailure(
            "network", f"the webhook cannot be reached: {reason}", "check [notify]"
        ) from error


def _payload(settings: Notify, message: Message) -> dict[str, Any]:
    how = settings.webhook_format
    host = urlsplit(settings.webhook).hostname or ""
    if how == "auto":
        teams = host.endswith((".office.com", ".logic.azure.com", ".powerplatform.com"))
        how = "slack" if host == "hooks.slack.com" else "teams" if teams else "json"
    if how == "slack":
        return {"text": f"*{_slack(message.title)}*\n{_slack(message.body)}"}
    if how == "teams":
        blocks = [
            {"type": "TextBlock", "text": message.title, "weight": "Bolder", "wrap": True},
            {"type": "TextBlock", "text": message.body, "wrap": True},
        ]
        card = {"type": "AdaptiveCard", "version": "1.4", "body": blocks}
        attached = {"contentType": "application/vnd.microsoft.card.adaptive", "content": card}
        return {"type": "message", "attachments": [attached]}
    return asdict(message)


def _slack(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _cut(text: str) -> str:
    if len(text) <= _MOST:
        return text
    half = _MOST // 2 - 3
    return f"{text[:half]}\n…\n{text[-half:]}"


def _publish(topic: str, aws: AwsSession, message: Message) -> None:
    with translated(f"SNS topic {topic}"):
        subject = message.title.encode("ascii", "replace").decode()[:99]
        aws.client("sns").publish(
            TopicArn=topic, Subject=subject, Message=f"{message.title}\n\n{message.body}"
        )


def _mail(settings: Notify, message: Message) -> None:
    address = urlsplit(settings.smtp)
    mail = EmailMessage()
    mail["Subject"], mail["From"] = message.title, settings.mail_from
    mail["To"] = ", ".join(settings.mail_to)
    mail.set_content(message.body or message.title)
    secure = address.scheme == "smtps"
    kind = smtplib.SMTP_SSL if secure else smtplib.SMTP
    host, port = address.hostname or "localhost", address.port or (465 if secure else 587)
    try:
        with kind(host, port, timeout=_TIMEOUT) as server:
            if not secure and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if address.username:
                server.login(unquote(address.username), unquote(address.password or ""))
            server.send_message(mail)
    except (OSError, smtplib.SMTPException) as error:
        text = f"the e-mail was not sent: {error}"
        raise TransientFailure("network", text, "check [notify] smtp") from error


def _run(settings: Notify, message: Message) -> None:
    given, environment = json.dumps(asdict(message)), without_secrets(os.environ, settings.environment)
    try:
        done = subprocess.run(
            settings.command,
            input=given,
            text=True,
            capture_output=True,
            timeout=60,
            check=False,
            env=environment,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failure("code", f"[notify] command: {error}", "check that it can be run here") from error
    if done.returncode:
        what = f"[notify] command ended with exit code {done.returncode}: {done.stderr.strip()[-300:]}"
        raise Failure("code", what, "run it by hand")
