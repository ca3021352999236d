"""The season's HTTP client: one connection, one request a call, a batch for calls made together."""

import ssl
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Final, Self, cast

import httpx
import msgspec

from api.demo.calls import Answer, Call
from api.demo.candidacy import stamp
from api.failed import Failed

SECONDS_MAX: Final = 60.0
NDJSON: Final = "application/x-ndjson"
_FINDINGS_SHOWN: Final = 3
_OK: Final = 200
_REFUSED: Final = 409


class StoryBroken(Failed):
    """The ledger answered otherwise than the story needs; says where, and what it said."""


class Client:
    """Sends calls to a ledger and checks that each is answered as its story expects.

    Every request has a key that is the same on every run, so that a season that was interrupted
    goes on where it stopped: what was recorded is answered again, what was not is recorded.
    """

    def __init__(self, address: str, keys: Mapping[str, str]) -> None:
        self.keys = dict(keys)
        # Loading the machine's certificates takes longer than a hundred calls, and none is needed.
        trusting_none = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._http = httpx.Client(
            base_url=address, timeout=SECONDS_MAX, trust_env=False, verify=trusting_none
        )
        self._replaying = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._http.close()

    def send(self, name: str, calls: tuple[Call, ...]) -> list[Answer]:
        """The answers to the calls, in their order; `name` is what their keys are made of.

        Raises `StoryBroken` where a status is not the one expected.
        """
        first, *others = calls
        if self._replaying and _leaves_nothing(first):
            # An earlier run has looked, or was refused, already; by now the answer may be another.
            return [Answer(status=first.expect)]
        if others:
            answers = self._batch(name, calls)
        elif first.method == "GET":
            answers = [self._get(first)]
        else:
            answers = [self._post(name, first)]
        for call, answer in zip(calls, answers, strict=True):
            if answer.status != call.expect:
                raise _broken(call, answer)
        return answers

    def knows(self, name: str, call: Call) -> bool:
        """Whether the call of this name was recorded already."""
        headers = self._headers(call.key, call.by)
        return self._http.get(f"/v1/requests/{name}", headers=headers).status_code == _OK

    def _post(self, name: str, call: Call) -> Answer:
        headers = self._headers(call.key, call.by)
        headers |= {"Idempotency-Key": name, "Content-Type": "application/json"}
        body = msgspec.json.encode(_dated(call))
        response = self._http.post(call.path, content=body, headers=headers)
        self._replaying = response.headers.get("Idempotent-Replay") == "true"
        return _answer(response.status_code, response.content)

    def _get(self, call: Call) -> Answer:
        response = self._http.get(call.path, headers=self._headers(call.key, call.by))
        return Answer(status=response.status_code, body=_document(response.content))

    def _batch(self, name: str, calls: Sequence[Call]) -> list[Answer]:
        lines: list[bytes] = []
        for number, call in enumerate(calls):
            line: dict[str, object] = {"key": f"{name}-{number:02}", "path": call.path}
            if call.by is not None:
                line["actor"] = call.by
            lines.append(msgspec.json.encode({**line, "body": _dated(call)}) + b"\n")
        headers = self._headers(calls[0].key, None) | {"Content-Type": NDJSON}
        response = self._http.post("/v1/batch", content=b"".join(lines), headers=headers)
        if response.status_code != _OK:
            return [_answer(response.status_code, response.content)] * len(calls)
        results = [msgspec.json.decode(line) for line in response.content.splitlines()]
        return [_result(result) for result in results]

    def _headers(self, key: str, by: str | None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.keys[key]}"}
        return headers if by is None else headers | {"Hireledger-Actor": by}


def _leaves_nothing(call: Call) -> bool:
    """Whether sending the call again says nothing of the first time: a look, or a refusal that is
    not recorded, unlike those of gates and decisions.
    """
    refused = call.expect == _REFUSED and not call.path.endswith(("/gates/evidence", "/decision"))
    return call.method == "GET" or refused


def _dated(call: Call) -> dict[str, object]:
    return {**call.body, "at": stamp(call.at)}


def _answer(status: int, content: bytes) -> Answer:
    body = _document(content)
    recorded = body.get("position")
    positions = tuple(body.get("positions") or ([recorded] if recorded else []))
    return Answer(status=status, positions=positions, body=body)


def _result(line: Mapping[str, Any]) -> Answer:
    body: dict[str, Any] = line.get("answer") or line.get("problem") or _document(b"")
    positions = tuple(line.get("positions") or ())
    return Answer(status=line["status"], positions=positions, body=body)


def _document(content: bytes) -> dict[str, Any]:
    try:
        document: object = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def _broken(call: Call, answer: Answer) -> StoryBroken:
    """What went wrong, in the ledger's own words, which repeat nothing that was sent."""
    said = [f"{answer.body.get('title', 'no problem document')}: {answer.body.get('detail', '')}"]
    said += [f"{e['pointer']}: {e['message']}" for e in answer.body.get("errors", ())]
    findings = answer.body.get("findings", ())[:_FINDINGS_SHOWN]
    said += [f"{one['policy']}: {one['message']}" for one in findings]
    where = "/".join(part for part in call.path.split("/") if not any(map(str.isdigit, part)))
    return StoryBroken(
        f"{call.method} {where} was answered {answer.status} instead of {call.expect}. "
        + " ".join(said)
    )
