"""The whole interface under generated requests: its own document says what may come back."""

# The tool is generic over types that it leaves open.
# pyright: reportUnknownVariableType=false, reportUnknownMemberType=false
# pyright: reportUnknownArgumentType=false

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import booleans
from schemathesis import (
    APIOperation,
    Case,
    DeserializationContext,
    GenerationMode,
    Response,
    SerializationContext,
)
from schemathesis.checks import not_a_server_error
from schemathesis.core import NotSet
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from domain.facts import ROLES
from ledger.database import Database
from ledger.embedded.server import Embedded
from office import Office, open_office

CHECKS: list[Any] = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    negative_data_rejection,
]
Operation = APIOperation[Any, Any, Any, Any]
BATCH = "/v1/batch"
NDJSON = "application/x-ndjson"
EXAMPLES = 5
EVERY_ROLE = [role for role in ROLES if role != "recorder"]
# What exists, so that generated requests get past the look-up of what they name.
KNOWN = {
    "loop": "one",
    "session": "first",
    "requisition": "llm-engineer",
    "scorecard": "llm",
    "version": 1,
    "prompt": "evals-talk",
    "posting": "llm-engineer",
    "policy_set": "default",
    "policy": "two-independent-interviewers",
    "person": "olga",
    "stage": "onsite",
    "candidate": "candidate-of-two",
    "hold": "m-1",
}


@pytest.fixture(scope="module")
def furnished(server: Embedded, tmp_path_factory: pytest.TempPathFactory) -> Generator[Office]:
    """One served ledger for all generated requests, with a loop in it and every role."""
    database = Database.embedded(server, schema="t_schemathesis")
    database.prepare()
    directory: Path = tmp_path_factory.mktemp("schemathesis")
    with open_office(database, directory) as office:
        office.furnish()
        office.call("POST", "/v1/people/hana/roles", {"roles": EVERY_ROLE}, token=office.admin)
        office.ready("one")
        office.open("two")
        office.did("hana", "/holds", {"id": "m-1", "matter": "x", "requisitions": ["llm-engineer"]})
        yield office


@schemathesis.serializer(NDJSON)
def _one_line(_: SerializationContext, value: Any) -> bytes:
    """What the document gives as the body is one line of it."""
    return value if isinstance(value, bytes) else json.dumps(value).encode() + b"\n"


@schemathesis.deserializer(NDJSON)
def _first_line(_: DeserializationContext, response: Response) -> Any:
    """Likewise of what comes back."""
    return json.loads(response.content.partition(b"\n")[0])


def _operations(office: Office) -> list[Operation]:
    """Every operation of the document."""
    told: dict[str, Any] = json.loads(office.client.get("/openapi.json").text)
    loaded = schemathesis.openapi.from_dict(told)
    return [cast("Any", result).ok() for result in loaded.get_all_operations()]


def _spoilt(case: Case[Any], place: ParameterLocation) -> bool:
    """Whether this part of the request is what was made invalid, and so must stay as it is."""
    info = case.meta.components.get(place) if case.meta else None
    return info is not None and info.mode is GenerationMode.NEGATIVE


def _try(operation: Operation, mode: GenerationMode, office: Office) -> None:
    """Generated requests of one operation; half of them name what exists."""

    @given(case=operation.as_strategy(generation_mode=mode), known=booleans())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    def requests(case: Case[Any], known: bool) -> None:
        if known and not _spoilt(case, ParameterLocation.PATH):
            names = {n: v for n, v in KNOWN.items() if n in (case.path_parameters or {})}
            case.path_parameters = {**(case.path_parameters or {}), **names}
        headers = {"Authorization": f"Bearer {office.service}"}
        if operation.path != BATCH:  # whose lines say who acts, and under which key
            headers["Hireledger-Actor"] = "hana"
        if operation.path != BATCH and operation.method.upper() in {"POST", "DELETE"}:
            office.number += 1
            headers["Idempotency-Key"] = f"generated-{office.number}"
        if _spoilt(case, ParameterLocation.HEADER):
            headers = {}
        told = case.call(base_url=str(office.client.base_url), headers=headers)
        if operation.path == BATCH:
            # A bad line spoils no other, so the whole is never refused for it: the line is.
            lines = _lines(told.content)
            assert all(one["status"] < 500 for one in lines)
            spoilt = _spoilt(case, ParameterLocation.BODY)
            assert not spoilt or all(one["status"] >= 400 for one in lines)
            case.validate_response(told, checks=cast("Any", CHECKS[:-1]))
            return
        case.validate_response(told, checks=cast("Any", CHECKS))
        if operation.method.upper() == "POST":
            _try_as_line(case, office)

    requests()


def _lines(sent: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sent.splitlines()]


def _try_as_line(case: Case[Any], office: Office) -> None:
    """The same write as a line of a batch: what comes of it is documented for its own path."""
    body = {} if isinstance(case.body, NotSet) else case.body
    if isinstance(body, bytes) or _spoilt(case, ParameterLocation.HEADER):
        return
    office.number += 1
    key = f"generated-{office.number}"
    line = {"key": key, "actor": "hana", "path": case.formatted_path, "body": body}
    sent = json.dumps(line).encode()
    told = office.call("POST", BATCH, content=sent, headers={"Content-Type": NDJSON})
    (result,) = _lines(told.text.encode())
    assert str(result["status"]) in case.operation.definition.raw["responses"], result
    assert not _spoilt(case, ParameterLocation.BODY) or result["status"] >= 400, result


@pytest.mark.parametrize("mode", list(GenerationMode), ids=lambda mode: str(mode.value))
def test_no_request_meets_a_fault_or_an_undocumented_answer(
    furnished: Office, mode: GenerationMode
) -> None:
    """No 5xx, no status, type, header or schema beyond the document, no invalid body accepted."""
    operations = _operations(furnished)
    assert len(operations) > 60
    wrong: list[str] = []
    for operation in operations:
        try:
            _try(operation, mode, furnished)
        except BaseExceptionGroup as group:
            wrong += [f"{operation.label}: {error}" for error in group.exceptions]
        except AssertionError as error:
            wrong.append(f"{operation.label}: {error}")
        except Unsatisfiable:
            # An operation without parameters has nothing that could be invalid.
            assert mode is GenerationMode.NEGATIVE
    assert not wrong, "\n\n".join(wrong)
