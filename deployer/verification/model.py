"""The checks that `[[verify.checks]]` may name, as deploy.toml spells them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class _Check(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=lambda name: name.replace("_", "-"))

    name: str
    collection: str


class CountCheck(_Check):
    """How many documents match `query`."""

    kind: Literal["count"]
    query: dict[str, Any] = {}
    exactly: int | None = None
    at_least: int | None = None
    equals_report: str | None = None
    """A dotted field of the run's report, such as `totals.inserted`."""


class UniqueCheck(_Check):
    """No two documents share these fields."""

    kind: Literal["unique"]
    fields: list[str]
    query: dict[str, Any] = {}


class FreshnessCheck(_Check):
    """The newest `field` is at most `within` old."""

    kind: Literal["freshness"]
    field: str
    within: str
    query: dict[str, Any] = {}


Check = Annotated[CountCheck | UniqueCheck | FreshnessCheck, Field(discriminator="kind")]
