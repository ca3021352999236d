"""Default deny: every route with every role, and without any."""

import re
from typing import get_args

import pytest

from api.app import routes
from api.openapi import Route
from domain.facts import ROLES, Role
from office import Office

PATH_VALUES = {
    "position": "1",
    "version": "1",
    "key": "k_" + "a" * 26,
    "person": "nobody",
    "loop": "nowhere",
}


def _filled(route: Route) -> str:
    """The route's path with values that name nothing."""
    return re.sub(r"\{(\w+)(?::\w+)?\}", lambda m: PATH_VALUES.get(m[1], "nothing"), route.path)


def _status(office: Office, route: Route, token: str) -> int:
    """What a caller with this key meets; the body is empty, so that nothing is ever recorded."""
    headers = {"Authorization": f"Bearer {token}"}
    content = None
    if route.method == "POST":
        headers |= {"Content-Type": route.takes}
        content = b"{}" if route.takes == "application/json" else b""
    return office.call(
        route.method, _filled(route), token=token, headers=headers, content=content
    ).status


@pytest.fixture
def role_keys(office: Office) -> dict[Role, str]:
    """For each role the own key of somebody who has this role and no other."""
    keys: dict[Role, str] = {}
    for role in ROLES:
        person = {"id": f"only-{role}", "roles": [role]}
        office.call("POST", "/v1/people", person, token=office.admin)
        body = {"person": f"only-{role}", "roles": [role]}
        keys[role] = office.call("POST", "/v1/keys", body, token=office.admin)["key"]
    return keys


@pytest.mark.parametrize("role", ROLES)
def test_a_service_acts_as_itself_only_where_no_person_is_needed(
    office: Office, role: Role
) -> None:
    """What is done in a loop or its rubric is done by somebody, whatever roles a key has."""
    body = {"service": "on-its-own", "roles": [role]}
    token = office.call("POST", "/v1/keys", body, token=office.admin)["key"]
    alone = {"administrator", "auditor", "fairness_analyst", "privacy_officer"}
    assert office.call("GET", "/v1/policies", token=token).status == (200 if role in alone else 403)
    retired = {"reason": "Nobody said so."}
    path = "/v1/scorecards/llm/versions/1/retirement"
    assert office.call("POST", path, retired, token=token).status == 403


def test_every_route_names_its_roles_or_is_public(office: Office) -> None:
    """A route is public on purpose or has roles, and the public ones are few and known."""
    public = {r.path for r in routes(office.ledger) if r.public}
    assert public == {
        "/docs",
        "/health/live",
        "/health/ready",
        "/openapi.json",
        "/checkpoint",
        "/tile/{level}/{tile:path}",
        "/v1/log/vkey",
        "/v1/log/inclusion",
        "/v1/log/consistency",
    }
    for route in routes(office.ledger):
        assert route.public != bool(route.roles), route.path
        assert set(route.roles) <= set(get_args(Role)), route.path


def test_no_role_opens_a_route_that_does_not_name_it(
    office: Office, role_keys: dict[Role, str]
) -> None:
    """Each route with each role: 403 exactly where the route does not name the role."""
    head = office.ledger_head()
    wrong: list[str] = []
    for route in routes(office.ledger):
        if route.public or route.path == "/v1/batch":
            continue
        for role, token in role_keys.items():
            named = role in route.roles
            status = _status(office, route, token)
            if (status == 403) == named or status >= 500:
                wrong.append(f"{role} on {route.method} {route.path}: {status}")
    assert not wrong, "\n".join(wrong)
    only_reads = office.get("udo", "/facts?after=" + str(head) + "&limit=1000")["items"]
    assert {one["type"] for one in only_reads} <= {"record-viewed.v1"}


def test_nothing_but_the_public_routes_opens_without_a_valid_key(office: Office) -> None:
    """A made-up key, one of the right form and one with a character changed are all 401."""
    bent = office.service[:-1] + ("A" if office.service[-1] != "A" else "B")
    for route in routes(office.ledger):
        for token in ("nonsense", "k_" + "a" * 26 + "." + "A" * 43, bent):
            status = _status(office, route, token)
            # Of a public route 400 and 404 say that the path or the query names nothing.
            expected = {200, 400, 404} if route.public else {401}
            assert status in expected, (route.path, token, status)


def test_a_revoked_and_an_expired_key_open_nothing(office: Office) -> None:
    """From the moment of its revocation a key is as good as none."""
    body = {"service": "short-lived", "roles": ["auditor"]}
    made = office.call("POST", "/v1/keys", body, token=office.admin)
    assert office.call("GET", "/v1/policies", token=made["key"]).status == 200
    assert office.call("DELETE", f"/v1/keys/{made['id']}", token=office.admin).status == 201
    assert office.call("GET", "/v1/policies", token=made["key"]).status == 401


def test_a_person_acts_only_with_the_roles_that_key_and_person_both_have(office: Office) -> None:
    """A person's own key for a role they lack does not give it to them, nor the other way."""
    body = {"person": "ivan", "roles": ["auditor", "interviewer"]}
    made = office.call("POST", "/v1/keys", body, token=office.admin)
    assert office.call("GET", "/v1/facts", token=made["key"]).status == 403
    assert office.call("GET", "/v1/policies", token=made["key"]).status == 200
    other = office.call("GET", "/v1/policies", token=made["key"], actor="udo")
    assert other.status == 403


def test_a_service_names_only_registered_people_and_only_as_a_recorder(office: Office) -> None:
    """An unknown acting person is 403, and so is naming one without the role `recorder`."""
    assert office.get("nobody-known", "/policies").status == 403
    assert office.post("nobody-known", "/loops", {}).status == 403
    assert office.call("GET", "/v1/policies", token=office.admin, actor="udo").status == 403


def test_a_loop_does_not_exist_for_people_who_have_nothing_to_do_with_it(office: Office) -> None:
    """Someone outside team and panel gets the same 404 as for a loop that is not there."""
    office.open("one")
    for path in ("/loops/one", "/loops/one/timeline", "/loops/one/readiness", "/loops/one/replay"):
        stranger, nothing = office.get("olga", path), office.get("olga", path.replace("one", "no"))
        assert (stranger.status, nothing.status) == (404, 404)
        assert stranger["detail"] == nothing["detail"]
    assert office.post("olga", "/loops/one/debrief/statements", {"text": "x"}).status == 403
