"""Tags: the words by which facts are found again. They stand in leaves: handles and slugs only."""

from collections.abc import Sequence


def loop(handle: str) -> str:
    """Every fact of one loop."""
    return f"loop:{handle}"


def candidate(handle: str) -> str:
    """Openings of a candidate's loops, and facts that judge them; the openings lead to the rest."""
    return f"candidate:{handle}"


def self_identification(handle: str) -> str:
    """A candidate's self-identification: a tag of its own, outside every loop's boundary."""
    return f"self-identification:{handle}"


def person(handle: str) -> str:
    """A member of staff: registration and roles."""
    return f"person:{handle}"


def people() -> str:
    """Everyone registered: what an administrator lists."""
    return "people"


def keys() -> str:
    """Every API key: what an administrator lists."""
    return "keys"


def viewer(handle: str) -> str:
    """What one person has read."""
    return f"viewer:{handle}"


def key(key_id: str) -> str:
    """One API key, from issue to revocation."""
    return f"key:{key_id}"


def requisition(slug: str) -> str:
    """One requisition, its standard and the approvals and exceptions given for it."""
    return f"requisition:{slug}"


def scorecard(slug: str) -> str:
    """All versions of one scorecard, with approvals."""
    return f"scorecard:{slug}"


def prompt(slug: str) -> str:
    """All versions of one prompt, and of the prompts that are equivalent to it."""
    return f"prompt:{slug}"


def posting(slug: str) -> str:
    """All versions of one posting."""
    return f"posting:{slug}"


def policy_set(slug: str) -> str:
    """All versions of one policy set."""
    return f"policy-set:{slug}"


def policy_sets() -> str:
    """Every policy set adopted: the latest is the one that loops pin."""
    return "policy-sets"


def retro(slug: str) -> str:
    """One retrospective."""
    return f"retro:{slug}"


def change(handle: str) -> str:
    """One proposed rubric change."""
    return f"change:{handle}"


def hold(slug: str) -> str:
    """One legal hold, from its placing to its release."""
    return f"hold:{slug}"


def holds() -> str:
    """Every legal hold: what a privacy officer lists."""
    return "holds"


def imported(system: str) -> str:
    """Everything imported from one source system."""
    return f"imported:{system}"


def fact(position: int) -> str:
    """What was said later about one fact."""
    return f"fact:{position}"


def source(mac: str) -> str:
    """What was recorded from one object elsewhere, by the keyed digest of its id."""
    return f"source:{mac}"


def only_candidate(words: Sequence[str]) -> str | None:
    """The candidate, where these tags name exactly one and no requisition; else None."""
    about = [word.partition(":") for word in words]
    handles = {handle for kind, _, handle in about if kind == "candidate"}
    if len(handles) != 1 or any(kind == "requisition" for kind, _, _ in about):
        return None
    return handles.pop()
