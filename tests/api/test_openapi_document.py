"""The document says what the routes do, closed and bounded, and is valid OpenAPI 3.1."""

from datetime import datetime
from typing import Annotated, Any, Literal

import pytest
from msgspec import Meta, Struct
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.openapi import Route, check_routes, document


class Lead(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="lead", tag_field="as"
):
    """Who leads."""

    name: str


class Guest(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag="guest", tag_field="as"
):
    """Who visits."""

    minutes: int


class Plan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Say who comes."""

    loop: Annotated[str, Meta(pattern=r"^[a-z]+(?!\n)$", description="Which loop.")]
    who: Annotated[tuple[Lead | Guest, ...], Meta(min_length=1, max_length=9)]
    scores: dict[str, Annotated[int, Meta(ge=1, le=5)]] = {}
    at: Annotated[datetime, Meta(tz=True)] | None = None


class Note(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A body that may be left out."""

    text: str | None = None


class Paging(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which page."""

    after: Annotated[int, Meta(ge=0, description="The last position seen.")] | None = None
    kinds: tuple[Literal["a", "b"], ...] = ()
    q: str


class Page(Struct, frozen=True, kw_only=True):
    """One page."""

    items: tuple[str, ...]


ROUTES = [
    Route(
        method="POST",
        path="/loops/{loop}/plan",
        summary="Plan",
        tags=("loops",),
        roles=("auditor",),
        command=Plan,
        answer=Page,
        statuses=(201,),
    ),
    Route(
        method="POST",
        path="/notes",
        summary="Note",
        tags=("notes",),
        roles=("auditor", "approver"),
        command=Note,
        answer=Page,
        statuses=(201,),
    ),
    Route(
        method="GET",
        path="/facts/{n:int}",
        summary="Facts",
        tags=("facts",),
        roles=("auditor",),
        query=Paging,
        answer=Page,
        media=("application/json", "application/x-ndjson"),
        statuses=(200, 304),
        headers=("Link", "ETag"),
    ),
    Route(
        method="GET",
        path="/health",
        summary="Health",
        tags=("health",),
        public=True,
        operation="health",
    ),
]


@pytest.fixture(scope="module")
def made() -> Any:
    """The document of the small table above."""
    return document(ROUTES, title="tiny", version="1")


def test_the_document_is_valid(made: Any) -> None:
    """By an independent validator."""
    OpenAPIV31SpecValidator(made).validate()


def test_bodies_leave_out_what_the_path_gives_and_are_closed(made: Any) -> None:
    """Schemas are msgspec's own: docstring, closed object, bounds, discriminator."""
    plan = made["components"]["schemas"]["Plan"]
    assert set(plan["properties"]) == {"who", "scores", "at"}
    assert plan["description"] == "Say who comes."
    assert plan["additionalProperties"] is False
    assert plan["required"] == ["who"]
    who = plan["properties"]["who"]
    assert (who["minItems"], who["maxItems"]) == (1, 9)
    assert who["items"]["discriminator"]["propertyName"] == "as"
    assert set(who["items"]["discriminator"]["mapping"]) == {"lead", "guest"}
    assert plan["properties"]["scores"]["additionalProperties"]["maximum"] == 5


def test_what_holds_for_every_body_is_said(made: Any) -> None:
    """No NUL in text, and whole numbers that every client can count."""
    schemas = made["components"]["schemas"]
    assert schemas["Lead"]["properties"]["name"]["pattern"] == r"^[^\u0000]*$"
    minutes = schemas["Guest"]["properties"]["minutes"]
    assert (minutes["minimum"], minutes["maximum"]) == (-(2**53) + 1, 2**53 - 1)
    names = schemas["Plan"]["properties"]["scores"]["propertyNames"]
    assert names == {"pattern": r"^[^\u0000]*$"}


def test_parameters_are_of_the_types_that_are_read(made: Any) -> None:
    """From the path, the query and the headers; patterns are in JSON Schema's own dialect."""
    plan = made["paths"]["/loops/{loop}/plan"]["post"]["parameters"]
    assert plan[0] == {
        "name": "loop",
        "in": "path",
        "required": True,
        "description": "Which loop.",
        "schema": {"type": "string", "pattern": "^[a-z]+$"},
    }
    assert {p.get("$ref", "").rpartition("/")[2] for p in plan[1:]} == {"Actor", "IdempotencyKey"}
    facts = made["paths"]["/facts/{n}"]["get"]["parameters"]
    by_name = {p["name"]: p for p in facts if "name" in p}
    assert by_name["n"]["schema"]["type"] == "integer"
    assert by_name["after"]["required"] is False
    assert by_name["after"]["schema"] == {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
    assert by_name["kinds"]["explode"] is False
    assert by_name["q"]["required"] is True
    assert {p.get("$ref", "").rpartition("/")[2] for p in facts} == {"", "Actor"}


def test_a_body_is_required_only_when_a_field_of_it_is(made: Any) -> None:
    """An empty body is read as an empty object."""
    assert made["paths"]["/loops/{loop}/plan"]["post"]["requestBody"]["required"] is True
    assert made["paths"]["/notes"]["post"]["requestBody"]["required"] is False


def test_every_status_that_a_route_can_answer_is_there(made: Any) -> None:
    """The edge's and the conventions' own, and those that the route names."""
    paths = made["paths"]
    write = set(paths["/loops/{loop}/plan"]["post"]["responses"])
    assert write == {"201", "400", "401", "403", "404", "409", "413", "415", "422", "500", "503"}
    read = paths["/facts/{n}"]["get"]["responses"]
    assert set(read) == {"200", "304", "400", "401", "403", "404", "500", "503"}
    assert set(read["200"]["content"]) == {"application/json", "application/x-ndjson"}
    assert set(read["200"]["headers"]) == {"Request-Id", "Link", "ETag"}
    assert "content" not in read["304"]
    assert set(paths["/health"]["get"]["responses"]) == {"200", "400", "500", "503"}
    refused = made["components"]["responses"]["problem-409"]
    assert "application/problem+json" in refused["content"]


def test_roles_are_in_the_security_of_each_operation(made: Any) -> None:
    """And in its words; a public route needs nothing."""
    notes = made["paths"]["/notes"]["post"]
    assert notes["security"] == [{"bearer": ["auditor", "approver"]}]
    assert "Roles: auditor, approver." in notes["description"]
    assert made["paths"]["/health"]["get"]["security"] == []


def test_names_of_operations_come_from_method_and_path() -> None:
    """So that clients made from the document keep their names."""
    assert [route.operation_id for route in ROUTES] == [
        "post_loops_loop_plan",
        "post_notes",
        "get_facts_n",
        "health",
    ]
    assert [route.litestar_path for route in ROUTES][:3] == [
        "/loops/{loop:str}/plan",
        "/notes",
        "/facts/{n:int}",
    ]


class Lax(Struct):
    """Not strict: unknown fields pass."""

    text: str


def route(**changes: Any) -> Route:
    """A good route with some things changed."""
    good: dict[str, Any] = {
        "method": "POST", "path": "/x", "summary": "X", "tags": ("x",), "roles": ("auditor",)
    }  # fmt: skip
    return Route(**good | changes)


@pytest.mark.parametrize(
    "routes",
    [
        [route(roles=())],
        [route(public=True)],
        [route(), route()],
        [route(operation="a"), route(path="/y", operation="a")],
        [route(command=Lax)],
        [route(query=Lax)],
    ],
)
def test_a_bad_table_stops_the_start(routes: list[Route]) -> None:
    """No roles, roles on a public route, a name twice, a type that is not strict."""
    check_routes([route(command=Note)])
    with pytest.raises((ValueError, TypeError)):
        check_routes(routes)


def test_one_command_with_two_bodies_is_refused() -> None:
    """They would share a name in the document."""
    with pytest.raises(ValueError, match="two different bodies"):
        document([route(command=Plan), route(path="/{loop}", command=Plan)], title="t", version="1")
