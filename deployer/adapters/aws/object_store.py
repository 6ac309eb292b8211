"""The S3 bucket of `[state]`: conditional writes decide races, S3's own clock decides ages.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final

from deployer.adapters.aws.session import READ_TIMEOUT, AwsSession, error_code, translated
from deployer.errors import Failure
from deployer.ports.object_store import Stored

_ABSENT: Final = "NoSuchKey"
_CONFLICT: Final = frozenset({"PreconditionFailed", "ConditionalRequestConflict", _ABSENT})
"""412: another version; 409: another write is under way; 404: nothing that could be replaced."""


class StateBucket:
    """The object store in S3. The caller needs GetObject, PutObject and ListBucket.

    `owner`: the account that owns the bucket, empty for the caller's own. Every call names it: a bucket of
    that name in another account is refused.
    """

    def __init__(
        self, bucket: str, session: AwsSession, read_timeout: float = READ_TIMEOUT, owner: str = ""
    ) -> None:
        self.where = f"s3://{bucket}"
        self._read_timeout, self._owner = read_timeout, owner
        self._bucket, self._session = bucket, session

    def read(self, key: str) -> Stored | None:
        with self._calling():
            try:
                answer = self._client.get_object(**self._place, Key=key)
                content = bytes(answer["Body"].read())
            except Exception as error:
                if error_code(error) == _ABSENT:
                    return None
                raise
        age = _now(answer) - answer["LastModified"]
        return Stored(content, str(answer["ETag"]), age.total_seconds())

    def write(self, key: str, content: bytes) -> None:
        with self._calling():
            self._client.put_object(**self._place, Key=key, Body=content)

    def create(self, key: str, content: bytes) -> str | None:
        return self._put(key, content, IfNoneMatch="*")

    def replace(self, key: str, content: bytes, version: str) -> str | None:
        return self._put(key, content, IfMatch=version)

    def sizes(self, prefix: str, after: str = "") -> Mapping[str, int]:
        start = {"StartAfter": after} if after else {}
        with self._calling():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                **self._place, Prefix=prefix, **start
            )
            return {entry["Key"]: entry["Size"] for page in pages for entry in page.get("Contents", ())}

    def folders(self, prefix: str, after: str = "") -> Sequence[str]:
        """One call for a thousand names. The keys of `after` itself are passed over: `0` follows `/`."""
        start = {"StartAfter": f"{prefix}{after}0"} if after else {}
        with self._calling():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                **self._place, Prefix=prefix, Delimiter="/", **start
            )
            found = [entry["Prefix"] for page in pages for entry in page.get("CommonPrefixes", ())]
        return sorted(name for each in found if (name := each.removeprefix(prefix)[:-1]) > after)

    def _put(self, key: str, content: bytes, **condition: str) -> str | None:
        with self._calling():
            try:
                answer = self._client.put_object(**self._place, Key=key, Body=content, **condition)
            except Exception as error:
                if error_code(error) in _CONFLICT:
                    return None
                raise
        return str(answer["ETag"])

    @property
    def _place(self) -> dict[str, str]:
        return {"Bucket": self._bucket, "ExpectedBucketOwner": self._owner or self._session.account}

    @property
    def _client(self) -> Any:
        return self._session.client("s3", read_timeout=self._read_timeout)

    @contextmanager
    def _calling(self) -> Iterator[None]:
        where = f"the shared state in {self.where}"
        with translated(where):
            try:
                yield
            except Exception as error:
                if error_code(error) != "NoSuchBucket":
                    raise
                make = f"create it: `aws s3 mb {self.where} --region {self._session.region}`"
                raise Failure("aws-config", f"{where}: no such bucket", make) from error


def _now(answer: Mapping[str, Any]) -> datetime:
    """When S3 answered, by its own clock (whole seconds, as `LastModified`); a proxy may send two dates."""
    said = answer["ResponseMetadata"]["HTTPHeaders"].get("date")
    time = parsedate_to_datetime(said) if said else datetime.now(UTC)
    return time if time.tzinfo else time.replace(tzinfo=UTC)
