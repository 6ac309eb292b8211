"""Pages that open without a network, light or dark: one release, one run, and the report over all of them.

Templates are Jinja2 with autoescape; every value passes `format_value`, so that foreign text is harmless.
"""

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader
from markupsafe import Markup

from deployer.view.cells import format_time, format_value
from deployer.view.text import duration, listed


def page(template: str, **values: Any) -> str:
    """The HTML of a template in `templates/`; what is missing in the data is left out of the page."""
    return _environment().get_template(template).render(values) + "\n"


@cache
def _environment() -> Environment:
    found = Environment(
        loader=PackageLoader(__name__),
        autoescape=True,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.filters |= {"time": format_time, "duration": duration, "listed": listed}
    return found


def _shown(value: Any) -> Any:
    """Markup is our own; everything else may be anybody's."""
    return value if isinstance(value, Markup) else format_value(value)
