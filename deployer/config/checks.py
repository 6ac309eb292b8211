"""The checks that `[[verify.checks]]` may name, as deploy.toml spells them.

Each kind is a table of its own, told apart by `kind`. Reference: docs/reference/checks.md.
"""

import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from deployer.config.durations import Seconds
from deployer.config.placeholders import storable


def _scalar(value: object) -> object:
    if isinstance(value, str | bool | int | float | datetime.datetime):
        return value
    raise ValueError("a text, a number, a truth value or a time")


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


def _default(value: object) -> object:
    return value if isinstance(value, dict) else {"default": value}


Value = Annotated[Any, AfterValidator(_scalar)]
Query = Annotated[dict[str, Any], AfterValidator(storable)]
Pipeline = Annotated[list[dict[str, Any]], AfterValidator(storable)]
Row = Annotated[dict[str, Any], AfterValidator(storable)]
Bounds = Annotated[list[Any], Field(min_length=2, max_length=2), AfterValidator(storable)]
Name = Annotated[str, Field(min_length=1)]
BsonType = Literal[
    "double", "string", "object", "array", "objectId", "bool",
    "date", "null", "int", "long", "decimal", "number",
]  # fmt: skip
BsonTypes = Annotated[list[BsonType], BeforeValidator(_listed), Field(min_length=1)]


class _Table(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, alias_generator=lambda name: name.replace("_", "-")
    )


class _Check(_Table):
    """What every check has. `environments`: run in these only; empty: in all. `allow_full_scan`: it may
    read all of a large collection. `allow_empty`: it proves the run even if it left no documents. `when =
    "release"`: run only right after the job."""

    name: Name
    collection: Name
    environments: list[Name] = []
    time_limit: Annotated[Seconds, Field(le=3600)] = 300.0
    allow_full_scan: bool = False
    allow_empty: bool = False
    when: Literal["always", "release"] = "always"

    def is_for(self, env: str | None) -> bool:
        """Whether it is asked in this environment; None: in any."""
        return env is None or not self.environments or env in self.environments


class CountCheck(_Check):
    """How many documents match `query`. Every expectation that is given must hold."""

    kind: Literal["count"]
    query: Query = {}
    exactly: int | None = None
    at_least: int | None = None
    at_most: int | None = None
    equals_report: Name | None = None
    """A dotted field of the run's report, such as `totals.inserted`."""
    at_least_report: Name | None = None
    change_at_least: int | None = None
    """Against the baseline: the count before the run, or of the last verified release."""
    change_at_most: int | None = None
    change_equals_report: Name | None = None

    @model_validator(mode="after")
    def _expects(self) -> Self:
        given = self.model_fields_set & _EXPECTATIONS
        if not given:
            raise ValueError(
                "expects nothing; give `exactly`, `at-least`, `equals-report` or another expectation"
            )
        if self.query and any(name.startswith("change") for name in given):
            raise ValueError("`change-...` compares whole collections, so it allows no `query`")
        if self.change_equals_report and self.when == "always":
            raise ValueError(
                '`change-equals-report` needs `when = "release"`: later on, other runs count too'
            )
        return self


_EXPECTATIONS: Final = set(CountCheck.model_fields) - set(_Check.model_fields) - {"kind", "query"}


class GroupsCheck(_Check):
    """Which values of `by` there are, and how many documents each has."""

    kind: Literal["groups"]
    by: Name
    query: Query = {}
    present: list[Value] = []
    present_in_report: Name | None = None
    """A field of the report: the values as a list, or as a table of value = number of documents,
    whose numbers then must be met as well."""
    at_least: int = 1
    at_most: int | None = None
    number: int | None = None
    """How many different values there are, exactly."""


class CompletenessCheck(_Check):
    """Readings that are there, of those that the cadence promises between the first and the last one."""

    kind: Literal["completeness"]
    by: Name
    field: Name
    interval: Annotated[dict[str, Seconds], BeforeValidator(_default)]
    """One interval, or a table of one for each group; "default" in it stands for those not named."""
    at_least: Annotated[float, Field(gt=0, le=1)]
    per: Literal["all", "day"] = "all"
    """"day": from the first to the last of each day (UTC), so that whole days away are not counted."""
    query: Query = {}


class FreshnessCheck(_Check):
    """The newest `field`, of all documents or of each group, is recent."""

    kind: Literal["freshness"]
    field: Name
    max_age: Seconds | None = None
    """Its age at most, by the clock."""
    not_before_report: Name | None = None
    """A time in the run's report that it must have reached."""
    by: Name | None = None
    query: Query = {}

    @model_validator(mode="after")
    def _expects(self) -> Self:
        if self.max_age is None and self.not_before_report is None:
            raise ValueError("expects nothing; give `max-age` or `not-before-report`")
        return self


class UniqueCheck(_Check):
    """No two documents share these fields."""

    kind: Literal["unique"]
    fields: Annotated[list[Name], Field(min_length=1)]
    query: Query = {}


class TypesCheck(_Check):
    """Fields that every document has, and of which types; `optional` ones may be absent."""

    kind: Literal["types"]
    required: dict[str, BsonTypes] = {}
    optional: dict[str, BsonTypes] = {}
    query: Query = {}

    @model_validator(mode="after")
    def _expects(self) -> Self:
        if not self.required and not self.optional:
            raise ValueError('expects nothing; give `required = { field = "type" }`')
        return self


class RangeCheck(_Check):
    """Numbers or times between two bounds, where the field is there. Anything else in it is wrong too."""

    kind: Literal["range"]
    fields: Annotated[dict[str, Bounds], Field(min_length=1)]
    query: Query = {}


class ValuesCheck(_Check):
    """Fields that hold nothing but the listed values, where they are there."""

    kind: Literal["values"]
    fields: Annotated[dict[str, Annotated[list[Value], Field(min_length=1)]], Field(min_length=1)]
    query: Query = {}


class ReconcileCheck(_Check):
    """Two aggregations give the same rows by `_id`; numbers may differ by `tolerance`."""

    kind: Literal["reconcile"]
    pipeline: Pipeline
    other_collection: Name
    other_pipeline: Pipeline
    tolerance: Annotated[float, Field(ge=0)] = 0


class AggregationCheck(_Check):
    """An aggregation answers with exactly these rows, in this order."""

    kind: Literal["aggregation"]
    pipeline: Pipeline
    expected: list[Row]


class SchemaCheck(_Check):
    """The collection refuses documents that break its schema."""

    kind: Literal["schema"]
    requires: list[Name] = []
    """Fields that its `$jsonSchema` must name as required."""


class Index(_Table):
    fields: Annotated[list[Name], Field(min_length=1)]
    """In order; a minus before a field means descending."""
    unique: bool = False


class IndexesCheck(_Check):
    """These indexes are there."""

    kind: Literal["indexes"]
    indexes: Annotated[list[Index], Field(min_length=1)]


Check = Annotated[
    CountCheck
    | GroupsCheck
    | CompletenessCheck
    | FreshnessCheck
    | UniqueCheck
    | TypesCheck
    | RangeCheck
    | ValuesCheck
    | ReconcileCheck
    | AggregationCheck
    | SchemaCheck
    | IndexesCheck,
    Field(discriminator="kind"),
]


class Drift(_Table):
    """`deployer verify` compares what the newest run left with the last good runs, once there are five."""

    collection: Name
    """Where the runs' documents are."""
    run_field: str = "run_id"
    """Of its documents: the RUN_ID of the run that loaded them."""
    group: str = ""
    """A field: the documents of each of its values are counted, such as those of each station."""
    fields: list[Name] = []
    """Of these the share of documents without them is compared, and the range of their numbers."""
    runs: int = Field(default=14, ge=5)
    """The number of good runs that are compared."""
    tolerance: Annotated[float, Field(strict=False)] = Field(default=6.0, gt=0)
    """How many times the usual spread a value may lie away from the median."""
