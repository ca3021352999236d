"""Who appears in the season. All of them are invented, and so are their addresses."""

from random import Random
from typing import Final, NamedTuple


class Member(NamedTuple):
    """A member of staff: the caller's id, the name, the roles."""

    id: str
    name: str
    roles: tuple[str, ...]


class Candidate(NamedTuple):
    """Someone who applies."""

    id: str
    name: str
    email: str


class Team(NamedTuple):
    """Who hires for a requisition, by id."""

    manager: str
    tech_lead: str
    partner: str
    function: str
    decider: str


_MANAGER: Final = ("hiring_manager", "approver", "interviewer")
_LEAD: Final = ("approver", "interviewer")

OPERATOR: Final = "staff-okonjo-vale"
AUDITOR: Final = "staff-brandvold"
STAFF: Final = (
    Member(OPERATOR, "Ines Okonjo-Vale", ("administrator",)),
    Member(AUDITOR, "Torvald Brandvold-Reyes", ("auditor",)),
    # The assistant team hires for language models, the risk team for classical models.
    Member("staff-quennell", "Maren Quennell-Osei", _MANAGER),
    Member("staff-abelard", "Tomas Abelard-Nkemelu", _LEAD),
    Member("staff-ziegelhof", "Rukmini Ziegelhof", ("approver",)),
    Member("staff-parvathi", "Leonor Parvathi-Dunne", ("decision_maker",)),
    Member("staff-hjortland", "Sigve Hjortland-Amadi", _MANAGER),
    Member("staff-castellanos", "Yuki Castellanos-Brandt", _LEAD),
    Member("staff-mbeki-roth", "Anselm Mbeki-Roth", ("approver",)),
    # He decides, and interviews now and then.
    Member("staff-vantongeren", "Piet Vantongeren-Sule", ("decision_maker", "interviewer")),
    Member("staff-eriksdotter", "Alma Eriksdotter-Haile", ("interviewer",)),
    Member("staff-narayan", "Devika Narayan-Stroud", ("interviewer",)),
    Member("staff-oyelaran", "Babatunde Oyelaran-Fitz", ("interviewer",)),
    Member("staff-wachowiak", "Zofia Wachowiak-Imani", ("interviewer",)),
    Member("staff-delacruz", "Renato Delacruz-Voss", ("interviewer",)),
    Member("staff-thibodeau", "Colette Thibodeau-Aziz", ("interviewer",)),
    Member("staff-kealoha", "Nalani Kealoha-Petrov", ("interviewer",)),
    Member("staff-jorgensen", "Emil Jorgensen-Castro", ("interviewer",)),
)
ASSISTANT_TEAM: Final = Team(
    "staff-quennell", "staff-abelard", "staff-ziegelhof", "security", "staff-parvathi"
)
RISK_TEAM: Final = Team(
    "staff-hjortland", "staff-castellanos", "staff-mbeki-roth", "product", "staff-vantongeren"
)
INTERVIEWERS: Final = tuple(m.id for m in STAFF if m.roles == ("interviewer",))
OWN_KEY: Final = INTERVIEWERS[0]
"""She sends her feedback herself, with a key of her own."""

_FIRST: Final = (
    "Adaeze", "Bjarne", "Chiara", "Dmitri", "Eleni", "Farrukh", "Gwenllian", "Hamid", "Isolde",
    "Joaquim", "Katarzyna", "Lwazi", "Mirembe", "Noor", "Oluwaseun", "Paloma", "Qingyi", "Rasmus",
    "Saoirse", "Tariq", "Ulrike", "Valentin", "Wairimu", "Xiomara", "Yevgenia", "Zoltan",
)  # fmt: skip
_LAST: Final = (
    "Achterberg", "Bhattacharjee", "Czernik", "Dlamini", "Ekwueme", "Falkenrath", "Gunnarsdottir",
    "Hashemipour", "Iwasaki", "Jankowiak", "Kvaratskhelia", "Lindqvist", "Mahlangu", "Ntagungira",
    "Ogunleye", "Papadakis", "Quispe", "Rautavaara", "Szymborski", "Tsiranana", "Uchtenhagen",
    "Vaitkus", "Wolstenholme", "Xhaferi", "Yildirim", "Zelenski",
)  # fmt: skip


def candidates(number: int, seed: int) -> list[Candidate]:
    """So many different candidates; the same seed invents the same."""
    random = Random(seed)  # noqa: S311 (a story, not a secret)
    names = [(first, last) for first in _FIRST for last in _LAST]
    numbers = random.sample(range(10_000, 100_000), number)
    return [
        Candidate(
            id=f"cand-{digits}",
            name=f"{first} {last}",
            email=f"{first}.{last}{digits % 100}@mail.example".lower(),
        )
        for (first, last), digits in zip(random.sample(names, number), numbers, strict=True)
    ]
