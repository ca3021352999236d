"""How a template becomes a page: escaped, complete or an error, and with a policy of its own."""

import base64
import hashlib
import re
from functools import cache
from typing import Final, NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.pages.visible import visible

_STYLE: Final = re.compile(r"<style>(.*?)</style>", re.DOTALL)


class Page(NamedTuple):
    """A page's HTML, and the content security policy that allows its own style and nothing else."""

    html: str
    policy: str


def page(template: str, **view: object) -> Page:
    """A template of this room, filled; a name that the view lacks is an error."""
    html = templates().get_template(template).render(view)
    hashes = (
        base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        for style in _STYLE.findall(html)
    )
    allowed = " ".join(f"'sha256-{one}'" for one in hashes) or "'none'"
    policy = (
        f"default-src 'none'; style-src {allowed}; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return Page(html, policy)


@cache
def templates() -> Environment:
    """The templates of this room; whatever they show is escaped."""
    return Environment(
        loader=PackageLoader("api.pages"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
