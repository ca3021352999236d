"""GET /docs: the interface's description as a page, without scripts and without any request."""

import re
from html.parser import HTMLParser

from api.pages.reference import reference
from office import Office


class _Seen(HTMLParser):
    """The anchors, links and outside references of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Notes what matters of one element."""
        given = dict(attrs)
        self.tags.add(tag)
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links |= {given[name] or "" for name in ("href", "src") if name in given}

    def handle_data(self, data: str) -> None:
        """Keeps the text."""
        self.text += data


def _read(html: str) -> _Seen:
    seen = _Seen()
    seen.feed(html)
    return seen


def test_the_page_tells_of_every_operation_and_every_schema(office: Office) -> None:
    """What the document has stands on the page, and every link leads somewhere on it."""
    answer = office.client.get("/docs")
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    seen = _read(answer.text)
    document = office.client.get("/openapi.json").json()
    for path, methods in document["paths"].items():
        for method, told in methods.items():
            assert f"{method.upper()} {path}" in seen.text
            assert told["operationId"] in seen.ids
    assert {f"schema-{name}" for name in document["components"]["schemas"]} <= set(seen.ids)
    assert len(seen.ids) == len(set(seen.ids))
    inside = {link.removeprefix("#") for link in seen.links if link.startswith("#")}
    assert inside <= set(seen.ids)
    assert {link for link in seen.links if not link.startswith("#")} == {"/openapi.json"}


def test_the_page_may_run_nothing_and_fetch_nothing(office: Office) -> None:
    """It has no script, and its policy allows its own style alone."""
    answer = office.client.get("/docs")
    assert not _read(answer.text).tags & {"script", "img", "link", "iframe", "form"}
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; ")
    assert re.search(r"style-src 'sha256-[A-Za-z0-9+/]{43}='; ", policy)


def test_what_a_description_says_is_text_on_the_page() -> None:
    """A description that looks like HTML is shown, not obeyed."""
    hostile = "<script>alert(1)</script>"
    told = {
        "info": {"title": hostile, "version": "1"},
        "tags": [{"name": "loops"}],
        "paths": {
            "/x": {
                "get": {
                    "operationId": "get_x",
                    "summary": hostile,
                    "tags": ["loops"],
                    "responses": {"200": {"description": hostile}},
                }
            }
        },
        "components": {"schemas": {"One": {"type": "string", "description": hostile}}},
    }
    seen = _read(reference(told).html)
    assert "script" not in seen.tags
    assert seen.text.count(hostile) == 5
