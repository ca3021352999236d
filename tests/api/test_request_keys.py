"""Request keys: sent twice, recorded once, answered the same."""

import json
from concurrent.futures import ThreadPoolExecutor

from office import Office, decision


def test_the_same_request_twice_gives_one_set_of_facts_and_one_answer(office: Office) -> None:
    """A repeated write answers as before, marked as a replay."""
    office.open("one", plan=False)
    body = {"rounds": 2, "attendees": ["ivan"], "decide_by": "2027-01-01T00:00:00Z"}
    first = office.did("hana", "/loops/one/process-notice", body, key="same")
    head = office.ledger_head()
    again = office.did("hana", "/loops/one/process-notice", body, key="same")
    assert (again.body, office.ledger_head()) == (first.body, head)
    assert again.headers["idempotent-replay"] == "true"
    assert "idempotent-replay" not in first.headers
    assert again.headers["location"] == first.headers["location"]
    assert again.headers["etag"] == first.headers["etag"]


def test_bodies_are_compared_as_parsed(office: Office) -> None:
    """Order and white space make no difference; another value does."""
    office.open("one", plan=False)
    path, headers = "/v1/loops/one/process-notice", {"Hireledger-Actor": "hana"}
    body = {"rounds": 2, "attendees": ["ivan"], "decide_by": "2027-01-01T00:00:00Z"}
    office.call("POST", path, body, actor="hana", key="same")
    turned = json.dumps(dict(reversed(body.items())), indent=3).encode()
    again = office.call("POST", path, key="same", headers=headers, content=turned)
    assert (again.status, again.headers.get("idempotent-replay")) == (201, "true")
    other = office.call("POST", path, body | {"rounds": 3}, actor="hana", key="same")
    assert (other.status, other["type"]) == (422, "urn:hireledger:problem:idempotency-key-reused")


def test_a_key_belongs_to_one_route_and_one_person(office: Office) -> None:
    """The same key on another route is another body; by another person it is another key."""
    office.open("one")
    office.did("ivan", "/loops/one/relationships", {"relationship": "none"}, key="same")
    elsewhere = office.post("ivan", "/loops/one/debrief/dissents", {"text": "No."}, key="same")
    assert elsewhere.status == 422
    theirs = office.did("inga", "/loops/one/relationships", {"relationship": "none"}, key="same")
    assert "idempotent-replay" not in theirs.headers


def test_a_recorded_refusal_spends_its_key_and_an_unrecorded_one_does_not(office: Office) -> None:
    """A refused decision answers the same again; what was only refused can be sent again."""
    office.open("one")
    refused = office.post("dora", "/loops/one/decision", decision(), key="try")
    again = office.post("dora", "/loops/one/decision", decision(), key="try")
    assert (refused.status, again.status) == (409, 409)
    assert again["position"] == refused["position"]
    assert again["findings"] == refused["findings"]
    assert again.headers["idempotent-replay"] == "true"
    early = office.post("hana", "/loops/one/closing", {"disposition": "withdrawn"}, key="close")
    assert early.status == 409
    office.did("hana", "/loops/one/withdrawal", {"code": "other-offer"})
    office.did("hana", "/loops/one/closing", {"disposition": "withdrawn"}, key="close")


def test_a_secret_is_shown_once(office: Office) -> None:
    """The answer that issues an API key is repeated without the key."""
    body = {"service": "reports", "roles": ["auditor"]}
    first = office.call("POST", "/v1/keys", body, token=office.admin, key="issue")
    again = office.call("POST", "/v1/keys", body, token=office.admin, key="issue")
    assert first["key"].startswith(first["id"])
    assert again["id"] == first["id"]
    assert "key" not in again.body


def test_a_lost_answer_can_be_asked_for(office: Office) -> None:
    """`GET /v1/requests/{key}` tells its own caller what the key recorded, and nobody else."""
    office.open("one")
    made = office.did("ivan", "/loops/one/relationships", {"relationship": "none"}, key="lost")
    told = office.get("ivan", "/requests/lost")
    assert (told["status"], told["answer"]) == (201, made.body)
    assert office.get("inga", "/requests/lost").status == 404
    refused = office.post("dora", "/loops/one/decision", decision(), key="lost-too")
    told = office.get("dora", "/requests/lost-too")
    assert (told["status"], told["problem"]["position"]) == (409, refused["position"])


def test_two_people_deciding_at_once_make_one_decision(office: Office) -> None:
    """Of simultaneous decisions exactly one is made; each other attempt is recorded as refused."""
    roles = {"roles": ["hiring_manager", "interviewer", "approver", "decision_maker"]}
    office.call("POST", "/v1/people/hana/roles", roles, token=office.admin)
    cites = office.ready("one")

    def decide(number: int) -> int:
        person = ("dora", "hana")[number % 2]
        made = office.post(person, "/loops/one/decision", decision(cites), key=f"race-{number}")
        return made.status

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(decide, range(16)))
    assert statuses == [201] + [409] * 15
    facts = office.get("udo", "/facts?loop=one&limit=1000")["items"]
    assert [f["type"] for f in facts].count("decision-made.v1") == 1


def test_a_batch_records_each_line_for_itself_and_in_order(office: Office) -> None:
    """Lines see those before them, a bad line spoils no other, and sent again nothing is new."""
    loop = {
        "id": "of-a-batch",
        "requisition": "llm-engineer",
        "candidate": {"id": "someone"},
        "scorecard": {"id": "llm", "version": 1},
        "posting": {"id": "llm-engineer", "version": 1},
    }
    person = {"id": "nora", "roles": ["interviewer"]}
    at = "/v1/loops/of-a-batch"
    none = {"relationship": "none"}
    lines: list[object] = [
        {"key": "1", "actor": "hana", "path": "/v1/loops", "body": loop},
        {"key": "2", "actor": "hana", "path": f"{at}/debrief", "body": {}},
        {"key": "3", "actor": "hana", "path": f"{at}/offer", "body": {"status": "lost"}},
        {"key": "4", "actor": "hana", "path": f"{at}/withdrawal", "body": {"code": "no-time"}},
        {"key": "5", "actor": "adam", "path": "/v1/people", "body": person},
        {
            "key": "6",
            "actor": "nora",
            "path": f"{at}/relationships",
            "body": none,
        },
        {"key": "7", "path": "/v1/nowhere"},
    ]
    texts = [json.dumps(line) for line in lines]
    texts.insert(2, "{not json")
    sent = "\n".join(texts).encode()

    def send() -> list[dict[str, object]]:
        answer = office.call(
            "POST", "/v1/batch", headers={"Content-Type": "application/x-ndjson"}, content=sent
        )
        assert answer.status == 200
        return [json.loads(line) for line in answer.text.splitlines()]

    first = send()
    head = office.ledger_head()
    assert [one["status"] for one in first] == [201, 201, 400, 400, 201, 201, 201, 404]
    again = send()
    assert office.ledger_head() == head
    assert [one["status"] for one in again] == [one["status"] for one in first]
    assert [o.get("positions") for o in again] == [o.get("positions") for o in first]


def test_a_lost_answer_to_a_key_with_a_slash_can_be_asked_for(office: Office) -> None:
    """A key that does not fit into a path is asked for as a parameter."""
    office.open("one")
    none = {"relationship": "none"}
    made = office.did("ivan", "/loops/one/relationships", none, key="nightly/117")
    told = office.get("ivan", "/requests?key=nightly/117")
    assert (told["status"], told["answer"]) == (201, made.body)
    assert office.get("inga", "/requests?key=nightly/117").status == 404
