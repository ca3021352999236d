"""What a privacy officer asks for: a hold, an erasure, a person's record."""

from typing import Any

from office import Answer, Office

BASIS = {"legal_basis": "Asked for it, Art. 17 (1) (b)"}


def hold(office: Office, slug: str, **over: list[str]) -> Answer:
    """A hold over candidates or requisitions."""
    return office.did("paul", "/holds", {"id": slug, "matter": "Quuxová against us", **over})


def erase(office: Office, candidate: str) -> Answer:
    """An erasure, refused or not."""
    return office.post("paul", f"/candidates/{candidate}/erasure", BASIS)


def record(office: Office, candidate: str) -> dict[str, Any]:
    """A candidate's record."""
    answer = office.get("paul", f"/candidates/{candidate}/record")
    assert answer.status == 200, answer.text
    told: dict[str, Any] = answer.body
    return told
