"""The OpenAPI 3.1 document, made from the table of routes: what is served and what is said are one.

Schemas are msgspec's own, so discriminators, closed objects, bounds of list items and docstrings
are in it; on top of them stand the rules that hold for every body (`api.rawjson`).
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct, structs

from api.problems import CODES, MEDIA_TYPE, ProblemBody
from api.rawjson import WHOLE_NUMBER_MAX
from api.strict import body_type, shape_of

Json = dict[str, Any]
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

_REFERENCE: Final = "#/components/schemas/{name}"
_TEMPLATE: Final = re.compile(r"\{(\w+)(?::(\w+))?\}")
_EXTERNAL_ID: Final = "^[!-.0-~]{1,128}$"
_NO_NUL: Final = r"^[^\u0000]*$"
_JSON: Final = "application/json"


class Route(Struct, frozen=True, kw_only=True):
    """One operation: how it is called, who may, what it takes, and what it answers with.

    `path` is a template (`/v1/loops/{loop}/plan`; `{n:int}` for whole numbers). `command` is the
    struct of the body; fields that the path names come from there. `query` is the struct of the
    query parameters. `answer` is the type of every 2xx answer (None: no body), `media` as what it
    is sent, `takes` as what the body comes. `statuses` starts with the usual; those with which any
    route of its kind can answer (400, 401, ...) are added. `headers` names answer headers beyond
    the usual ones. `keyed` says whether an Idempotency-Key is needed, where that is not by rule.
    A route is `public`, or names its `roles`.
    """

    method: Method
    path: str
    summary: str
    tags: tuple[str, ...]
    roles: tuple[str, ...] = ()
    public: bool = False
    description: str = ""
    command: type[Struct] | None = None
    query: type[Struct] | None = None
    answer: Any = None
    media: tuple[str, ...] = (_JSON,)
    takes: str = _JSON
    keyed: bool | None = None
    statuses: tuple[int, ...] = (200,)
    operation: str = ""
    headers: tuple[str, ...] = ()

    @property
    def template(self) -> str:
        """The path as OpenAPI writes it."""
        return _TEMPLATE.sub(r"{\1}", self.path)

    @property
    def path_names(self) -> tuple[str, ...]:
        """The parameters of the path, in order."""
        return tuple(name for name, _ in _TEMPLATE.findall(self.path))

    @property
    def operation_id(self) -> str:
        """The name that generated clients use."""
        words = re.sub(r"\W+", "_", f"{self.method.lower()}{self.template}")
        return self.operation or words.strip("_")

    @property
    def litestar_path(self) -> str:
        """The path as Litestar writes it."""
        return _TEMPLATE.sub(lambda found: f"{{{found[1]}:{found[2] or 'str'}}}", self.path)

    @property
    def needs_key(self) -> bool:
        """Whether the call needs an Idempotency-Key: by rule, every write that is not public."""
        return (self.method != "GET" and not self.public) if self.keyed is None else self.keyed

    @property
    def body(self) -> type[Struct] | None:
        """The struct of the body: the command without what the path gives."""
        if self.command is None:
            return None
        own = {field.name for field in structs.fields(self.command)}
        return body_type(self.command, frozenset(self.path_names) & frozenset(own))

    def every_status(self) -> tuple[int, ...]:
        """All statuses that the route can answer with, in order."""
        found = {*self.statuses, 400, 500, 503}
        found |= set() if self.public else {401, 403}
        found |= {404} if self.path_names else set()
        found |= {413, 415} if self.method != "GET" else set()
        found |= {404, 409, 422} if self.needs_key else set()
        return tuple(sorted(found))


def check_routes(routes: Iterable[Route]) -> None:
    """Fail at the start for a route without roles, a type that is not strict or a name used twice.

    Raises `ValueError` or `TypeError`.
    """
    seen: set[str] = set()
    for route in routes:
        name = f"{route.method} {route.path}"
        if route.public == bool(route.roles):
            raise ValueError(f"{name} must name its roles, or be public and name none")
        if route.operation_id in seen:
            raise ValueError(f"{name}: the operation {route.operation_id} exists twice")
        seen.add(route.operation_id)
        for type_ in filter(None, (route.body, route.command, route.query)):
            shape_of(type_)


def document(routes: Sequence[Route], *, title: str, version: str, description: str = "") -> Json:
    """The whole document, as plain JSON; raises as `check_routes` does."""
    check_routes(routes)
    schemas = _Schemas(routes)
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.template, {})[route.method.lower()] = _operation(route, schemas)
    tags = dict.fromkeys(tag for route in routes for tag in route.tags)
    made: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": description,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": tag} for tag in tags],
        "paths": paths,
        "components": {
            "schemas": schemas.components,
            "parameters": _PARAMETERS,
            "headers": _HEADERS,
            "responses": {f"problem-{status}": _problem(status) for status in _problem_statuses()},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }
    # Defaults are values of the structs (tuples, structs): as JSON they are what callers see.
    plain: Json = msgspec.json.decode(msgspec.json.encode(made))
    return plain


class _Schemas:
    """The schemas of every type in a table of routes, made in one go so that names agree."""

    def __init__(self, routes: Sequence[Route]) -> None:
        types: list[Any] = [ProblemBody]
        for route in routes:
            types += [type_ for type_ in (route.body, route.answer) if type_ is not None]
            types += [f.type for t in (route.command, route.query) if t for f in structs.fields(t)]
        unique = list(dict.fromkeys(types))
        _check_names(unique)
        made, self.components = msgspec.json.schema_components(unique, ref_template=_REFERENCE)
        self._made = dict(zip(unique, made, strict=True))
        for schema in (*made, *self.components.values()):
            _tighten(schema)

    def of(self, type_: Any) -> Json:
        """The schema of one type, as a reference where it has a name."""
        made: Json = self._made[type_]
        return made


def _check_names(types: Iterable[Any]) -> None:
    """Two bodies made from one command (by paths that give different fields) would share a name."""
    seen: dict[str, Any] = {}
    for type_ in types:
        if isinstance(type_, type) and issubclass(type_, Struct):
            name = f"{type_.__module__}.{type_.__qualname__}"
            if seen.setdefault(name, type_) is not type_:
                raise ValueError(
                    f"{name} stands for two different bodies: give one a struct of its own"
                )


def _tighten(schema: Json) -> None:
    """Say in the schema, in place, what holds for every body: see `api.rawjson`."""
    if "pattern" in schema:
        schema["pattern"] = schema["pattern"].replace(r"(?!\n)$", "$")
    if schema.get("type") == "integer":
        if not schema.keys() & {"minimum", "exclusiveMinimum"}:
            schema["minimum"] = -WHOLE_NUMBER_MAX
        if not schema.keys() & {"maximum", "exclusiveMaximum"}:
            schema["maximum"] = WHOLE_NUMBER_MAX
    if schema.get("type") == "string" and not schema.keys() & {"pattern", "format", "enum"}:
        schema["pattern"] = _NO_NUL
    if isinstance(schema.get("additionalProperties"), dict):
        schema.setdefault("propertyNames", {"pattern": _NO_NUL})
    for child in _children(schema):
        _tighten(child)


def _children(schema: Json) -> Iterator[Json]:
    yield from schema.get("properties", {}).values()
    yield from schema.get("anyOf", ())
    yield from schema.get("prefixItems", ())
    for name in ("items", "additionalProperties", "propertyNames"):
        if isinstance(schema.get(name), dict):
            yield schema[name]


def _operation(route: Route, schemas: _Schemas) -> Json:
    roles = f"Roles: {', '.join(route.roles)}." if route.roles else "Public."
    made: Json = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": f"{route.description}\n\n{roles}".strip(),
        "tags": list(route.tags),
        "security": [] if route.public else [{"bearer": list(route.roles)}],
        "parameters": [*_path_parameters(route, schemas), *_query_parameters(route, schemas)],
        "responses": {str(s): _response(route, s, schemas) for s in route.every_status()},
    }
    if not route.public:
        made["parameters"].append({"$ref": "#/components/parameters/Actor"})
    if route.needs_key:
        made["parameters"].append({"$ref": "#/components/parameters/IdempotencyKey"})
    if (body := route.body) is not None:
        made["requestBody"] = {
            "required": any(field.required for field in structs.fields(body)),
            "content": {route.takes: {"schema": schemas.of(body)}},
        }
    return made


def _path_parameters(route: Route, schemas: _Schemas) -> list[Json]:
    sources = [t for t in (route.command, route.query) if t is not None]
    types = {field.name: field.type for t in sources for field in structs.fields(t)}
    made: list[Json] = []
    for name, kind in _TEMPLATE.findall(route.path):
        if name in types:
            schema = dict(schemas.of(types[name]))
        elif kind == "int":
            schema = {"type": "integer", "minimum": 0, "maximum": WHOLE_NUMBER_MAX}
        else:
            schema = {"type": "string", "pattern": _EXTERNAL_ID}
        made.append(_parameter(name, "path", schema, required=True))
    return made


def _query_parameters(route: Route, schemas: _Schemas) -> list[Json]:
    if route.query is None:
        return []
    return [
        _parameter(f.encode_name, "query", _present(schemas.of(f.type)), required=f.required)
        for f in structs.fields(route.query)
        if f.name not in route.path_names
    ]


def _parameter(name: str, place: str, schema: Json, *, required: bool) -> Json:
    made: Json = {"name": name, "in": place, "required": required}
    if description := schema.pop("description", None):
        made["description"] = description
    if schema.get("type") == "array":
        # On the wire a list of nothing looks like a list of one empty text: leave the name out.
        made |= {"style": "form", "explode": False}
        schema = {"minItems": 1, **schema}
    return made | {"schema": schema}


def _present(schema: Json) -> Json:
    """The schema of a parameter that is there: `T | None` means that it may be left out."""
    kinds = [child for child in schema.get("anyOf", ()) if child.get("type") != "null"]
    return dict(kinds[0]) if len(kinds) == 1 else dict(schema)


def _response(route: Route, status: int, schemas: _Schemas) -> Json:
    if status >= 400:
        return {"$ref": f"#/components/responses/problem-{status}"}
    made: Json = {"description": _SUCCESS.get(status, "Done.")}
    names = ["Request-Id", *route.headers]
    if status == 201 and route.needs_key:
        names += ["Location", "ETag", "Idempotent-Replay"]
    made["headers"] = {n: {"$ref": f"#/components/headers/{n}"} for n in dict.fromkeys(names)}
    if route.answer is not None and status < 300 and status != 204:
        schema = schemas.of(route.answer)
        made["content"] = {media: {"schema": schema} for media in route.media}
    return made


def _problem_statuses() -> list[int]:
    return sorted({status for status, _ in CODES.values()})


def _problem(status: int) -> Json:
    codes = [(code, title) for code, (of, title) in CODES.items() if of == status]
    made: Json = {
        "description": " ".join(f"`{code}`: {title}." for code, title in codes),
        "headers": {"Request-Id": {"$ref": "#/components/headers/Request-Id"}},
        "content": {MEDIA_TYPE: {"schema": {"$ref": _REFERENCE.format(name="ProblemBody")}}},
    }
    if extra := {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}.get(status):
        made["headers"][extra] = {"$ref": f"#/components/headers/{extra}"}
    return made


def _header(description: str, **schema: Any) -> Json:
    return {"description": description, "schema": {"type": "string", **schema}}


_SUCCESS: Final[Mapping[int, str]] = {
    200: "The answer.",
    201: "Recorded.",
    204: "Done; there is nothing to say.",
    304: "The caller has it already (If-None-Match).",
}
_PARAMETERS: Final[Json] = {
    "IdempotencyKey": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": True,
        "description": "A new one for every write; the same one to send a write again.",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    },
    "Actor": {
        "name": "Hireledger-Actor",
        "in": "header",
        "required": False,
        "description": "For services with the role `recorder`: the registered person who acts.",
        "schema": {"type": "string", "pattern": _EXTERNAL_ID},
    },
}
_HEADERS: Final[Json] = {
    "Request-Id": _header("The id of this request.", pattern="^r_[a-z2-7]{26}$"),
    "Location": _header("The path of what was made."),
    "ETag": _header("Names this state of the answer, for If-None-Match."),
    "Link": _header('The next page, as `rel="next"` (RFC 8288).'),
    "Content-Disposition": _header("The name to save the file under; it names nobody."),
    "Idempotent-Replay": _header("The answer to an earlier call with the same key.", enum=["true"]),
    "WWW-Authenticate": _header("How to authenticate (RFC 9110)."),
    "Retry-After": _header("Seconds to wait before trying again.", pattern="^[0-9]+$"),
}
