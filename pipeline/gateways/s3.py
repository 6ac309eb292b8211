"""A bucket (below a prefix) as a source. boto3 honours AWS_ENDPOINT_URL by itself."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC
from typing import Any, BinaryIO, cast

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from urllib3 import PoolManager, Timeout
from urllib3.exceptions import HTTPError

from pipeline.config import DEFAULT_S3_TIMEOUT_S
from pipeline.errors import BrokenObject, ConfigurationError, Interrupted, SourceError, UnreadableObject
from pipeline.model import ObjectRef

ATTEMPTS = 5
_HINTS = {
    "NoSuchBucket": "Is S3_BUCKET_NAME right?",
    "AccessDenied": "Does the task role allow s3:ListBucket and s3:GetObject here?",
    "403": "Does the task role allow s3:ListBucket and s3:GetObject here?",
    "InvalidObjectState": "It is archived: `aws s3api restore-object` restores it, --exclude leaves it out.",
    "NoSuchKey": "It was deleted after it was listed.",
}
_OF_THE_SOURCE = frozenset(
    {"NoSuchBucket", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken",
     "RequestTimeTooSkewed", "PermanentRedirect", "AuthorizationHeaderMalformed", "AllAccessDisabled"}
)  # fmt: skip
"""Answers that would be the same for every object."""
READERS = 16
_CONNECT_S = 5


class S3Source:
    """Objects of `s3://bucket/prefix`. A read that is cut continues where it stopped, on the same version."""

    readers = READERS

    def __init__(
        self, url: str, client: Any, sleep: Callable[[float], None], timeout_s: float = DEFAULT_S3_TIMEOUT_S
    ) -> None:
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        if not bucket:
            raise ConfigurationError(f"{url} names no bucket", "Write s3://bucket or s3://bucket/prefix.")
        self._bucket, self._prefix = bucket, prefix
        self._client = client
        waits = Timeout(connect=_CONNECT_S, read=timeout_s)
        self._plain = PoolManager(maxsize=READERS, timeout=waits, retries=False)
        self._sleep = sleep

    @property
    def name(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}"

    def list(self) -> Iterator[ObjectRef]:
        token: dict[str, str] = {}
        while True:
            page = self._page(token)
            for item in page.get("Contents", ()):
                if not item["Key"].endswith("/"):
                    yield _ref(item)
            if not page.get("IsTruncated"):
                return
            token = {"ContinuationToken": page["NextContinuationToken"]}

    def open(self, ref: ObjectRef) -> BinaryIO:
        return cast(BinaryIO, io.BufferedReader(_ObjectStream(self, ref), buffer_size=2**18))

    def fetch(self, ref: ObjectRef) -> bytes:
        """By an address that boto3 signs: a whole request through it takes as long as several of these.

        What does not come at once and whole is left to `open`, which repeats, continues and explains.
        """
        with suppress(HTTPError, OSError):
            place = {"Bucket": self._bucket, "Key": ref.key, "IfMatch": ref.content_etag}
            address = self._client.generate_presigned_url("get_object", Params=place)
            headers = {"If-Match": ref.content_etag}
            answer = self._plain.request("GET", address, headers=headers, decode_content=False)
            if answer.status == 200 and len(answer.data) == ref.size:
                return bytes(answer.data)
        with self.open(ref) as stream:
            return stream.read()

    def body(self, ref: ObjectRef, offset: int) -> Any:
        """The streaming body from a byte on. Raises BrokenObject when the object has another etag by now."""
        request: dict[str, Any] = {"Bucket": self._bucket, "Key": ref.key, "IfMatch": ref.content_etag}
        if offset:
            request["Range"] = f"bytes={offset}-"
        return self._client.get_object(**request)["Body"]

    def retrying(self) -> Retrying:
        return Retrying(
            retry=retry_if_exception_type(Interrupted),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(0.2, max=5),
            sleep=self._sleep,
            reraise=True,
        )

    def _page(self, token: dict[str, str]) -> Any:
        def ask() -> Any:
            with translated(self.name, of_object=False):
                return self._client.list_objects_v2(Bucket=self._bucket, Prefix=self._prefix, **token)

        return self.retrying()(ask)


def read_object(url: str, client: Any, sleep: Callable[[float], None], limit: int) -> bytes:
    """The first `limit` bytes of one object, s3://bucket/key. Raises SourceError."""
    source = S3Source(url, client, sleep)
    bucket, _, key = url.removeprefix("s3://").partition("/")

    def ask() -> bytes:
        with translated(url, of_object=False):
            content: bytes = client.get_object(Bucket=bucket, Key=key)["Body"].read(limit)
            return content

    return source.retrying()(ask)


class _ObjectStream(io.RawIOBase):
    """Bytes of one object.

    Counts what was delivered, so that a cut connection costs no more than a reconnect.
    """

    def __init__(self, source: S3Source, ref: ObjectRef) -> None:
        self._source = source
        self._ref = ref
        self._body: Any = None
        self._offset = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data: bytes = self._source.retrying()(self._read, len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._drop()
        super().close()

    def _read(self, size: int) -> bytes:
        if self._offset >= self._ref.size:
            return b""
        try:
            with translated(self._ref.key):
                if self._body is None:
                    self._body = self._source.body(self._ref, self._offset)
                data: bytes = self._body.read(size)
                if not data:
                    raise Interrupted(
                        f"{self._ref.key}: S3 ended the object at byte {self._offset} of {self._ref.size}"
                    )
        except SourceError:
            self._drop()
            raise
        self._offset += len(data)
        return data

    def _drop(self) -> None:
        if self._body is not None:
            self._body.close()
            self._body = None


def s3_client(region: str | None, timeout_s: float) -> Any:
    """A client that waits this long for the next bytes; botocore retries little: reads are retried here."""
    import boto3
    from botocore.config import Config

    return boto3.client(
        "s3",
        region_name=region,
        config=Config(
            connect_timeout=_CONNECT_S,
            read_timeout=timeout_s,
            retries={"total_max_attempts": 2, "mode": "standard"},
            max_pool_connections=2 * READERS,
            signature_version="s3v4",
        ),
    )


@contextmanager
def translated(what: str, *, of_object: bool = True) -> Iterator[None]:
    """The one place where botocore's errors become ours. `of_object`: others may be readable."""
    from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

    try:
        yield
    except ClientError as error:
        answer = error.response
        code = str(answer.get("Error", {}).get("Code", ""))
        status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        if status == 412:
            raise BrokenObject("changed_while_read", "another version of the object was written") from error
        kind = UnreadableObject if of_object and code not in _OF_THE_SOURCE else SourceError
        if status >= 500 or status == 429 or code == "SlowDown":
            kind = Interrupted
        raise kind(f"{what}: S3 answered {code or status}", _HINTS.get(code, "")) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise SourceError(f"{what}: {error}", "Give the task a role, or set AWS credentials.") from error
    except (BotoCoreError, HTTPError, OSError) as error:
        raise Interrupted(
            f"{what}: {type(error).__name__}: {error}"[:300], "Is S3 reachable from here?"
        ) from error


def _ref(item: Any) -> ObjectRef:
    modified = item["LastModified"].astimezone(UTC).replace(tzinfo=None)
    return ObjectRef(
        key=item["Key"],
        etag=item["ETag"].strip('"'),
        size=item["Size"],
        modified=modified.replace(microsecond=modified.microsecond // 1000 * 1000),
    )
