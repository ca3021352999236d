"""Writes a dossier's page: what `hireledger export dossier --html FILE --pdf FILE` does.

The page is made from the file alone, and the file is verified here first: what the page tells is
what the file proves.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cryptography.x509 import Certificate

from api.pages.dossier_file import html_of, pdf_of, printer
from api.pages.dossier_page import page_of
from api.pages.visible import as_text
from api.settings import SettingWrong
from domain.codec import decode
from ledger.durable import replace_durably
from ledger.proof.disclosure import places
from ledger.proof.dossier import DOSSIER_BYTES_MAX, Dossier, decode_dossier
from ledger.proof.timestamp import read_roots
from ledger.proof.verdict import Verdict
from ledger.proof.verify import verify
from ledger.proof.witness_policy import WitnessPolicy, parse_policy
from policies import Catalogue

if TYPE_CHECKING:  # printing a file needs no store, and no driver of one
    from ledger.ledger import Ledger


class Wanted(NamedTuple):
    """Which pages to write, and the time that they say they were made at; None: when they are."""

    html: Path | None
    pdf: Path | None
    printed: datetime | None

    @property
    def files(self) -> list[str]:
        """The names of the files."""
        return [as_text(path) for path in (self.html, self.pdf) if path is not None]


def wanted(html: Path | None, pdf: Path | None, printed: str | None) -> Wanted:
    """What was asked for.

    Raises:
        SettingWrong: the time is none, or has no zone.
        CannotPrint: a PDF is wanted, and what prints it is not installed.
    """
    if pdf is not None:
        printer()
    return Wanted(html, pdf, _time(printed))


class Trusted(NamedTuple):
    """What a dossier is verified with, none of it from the dossier; as `verify` takes it."""

    vkeys: Sequence[str]
    policy: WitnessPolicy | None = None
    roots: Sequence[Certificate] | None = None


def trusted(vkeys: Sequence[str], policy: Path | None, roots: Path | None) -> Trusted:
    """The verifier keys, and what stands in the files of a witness policy and of roots.

    Raises:
        LedgerError: a file is not what it should be.
    """
    return Trusted(
        vkeys,
        parse_policy(policy.read_bytes()) if policy else None,
        read_roots(roots.read_bytes()) if roots else None,
    )


def write_pages(
    raw: bytes, trust: Trusted, rules: Catalogue, files: Wanted, erased: Collection[str] = ()
) -> Verdict:
    """Verify a dossier, and write its page; of one that fails, only that it does.

    Raises:
        NoteError: a verifier key is none.
        SettingWrong: the page would say that it is older than what it tells; nothing is written.
        OSError: a file cannot be written.
    """
    now = datetime.now(UTC)
    verdict = verify(raw, trust.vkeys, trust.policy, rules, now=now, roots=trust.roots)
    if verdict.accepted:
        check_printed(files, decode_dossier(raw))
    html = html_of(page_of(raw, verdict, rules, files.printed or now, erased))
    if files.html is not None:
        replace_durably(files.html, html.encode())
    if files.pdf is not None:
        replace_durably(files.pdf, pdf_of(html))
    return verdict


def check_printed(files: Wanted, dossier: Dossier) -> None:
    """That the time given is none before the newest fact: no page is older than what it tells.

    Raises:
        SettingWrong: it is.
    """
    newest = max(decode(one.leaf.encode()).stamp.recorded for one in dossier.facts)
    newest = newest.astimezone(UTC).replace(microsecond=0)  # as it is told, and so may be given
    if files.printed is not None and files.printed < newest:
        raise SettingWrong(
            "--printed is before the newest fact of the file was recorded, at "
            f"{newest:%Y-%m-%dT%H:%M:%S}Z: no page can be older than what it tells. Give a later "
            "time, or leave --printed away: then it is now."
        )


def read_source(source: Path) -> bytes:
    """A dossier's file; one byte more than any dossier has where it is larger."""
    with source.open("rb") as opened:
        return opened.read(DOSSIER_BYTES_MAX + 1)


def erased_of(ledger: "Ledger", dossier: Dossier) -> frozenset[str]:
    """Digests in a dossier whose words the ledger no longer has: withheld ones it still has."""
    digests = {place.digest for one in dossier.facts for place in places(one.leaf.encode())}
    with ledger.reading() as group:
        return frozenset(digests - group.store.vault.disclosures(group.cur, digests).keys())


def _time(text: str | None) -> datetime | None:
    if text is None:
        return None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
        if moment.tzinfo is not None:
            return moment
    raise SettingWrong("--printed must be a time with a zone, as 2027-01-31T12:00:00Z.")
