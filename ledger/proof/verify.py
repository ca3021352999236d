"""Checks a dossier without us: ten steps in order, each named, and what came of each.

The verifier trusts what it was given (the log's key, a witness policy, roots of timestamp
authorities, its own rules) and nothing in the file. It ends at the first step that fails; no bytes
make it raise.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Final

from cryptography.x509 import Certificate
from msgspec.structs import replace

from ledger.proof import steps_of_the_log, steps_of_the_rules, steps_of_the_story
from ledger.proof.checked import Checked
from ledger.proof.note import Verifier
from ledger.proof.verdict import Verdict, verdict_of
from ledger.proof.witness_policy import WitnessPolicy
from policies import Catalogue

_STEPS: Final[tuple[Callable[[Checked], str], ...]] = (
    # 1. What the file is. From here it is a dossier, of which nothing is believed.
    steps_of_the_log.shape,
    # 2. From here the root and the size are what the log said to everyone.
    steps_of_the_log.checkpoint,
    # 3. From here every fact is one that the log holds, at its position, byte for byte.
    steps_of_the_log.inclusion,
    # 4. From here it is known which decision this is about, and every fact can be read.
    steps_of_the_story.decision,
    # 5. From here nothing that the decision rested on is missing, and nothing else is there.
    steps_of_the_story.basis,
    # 6. From here everything that is cited came before what cites it.
    steps_of_the_story.order,
    # 7. From here the words that are disclosed are those that were sealed in the facts.
    steps_of_the_story.disclosures,
    # 8. From here it is known by which rubric and which rules the loop was to be judged.
    steps_of_the_story.pinned_versions,
    # 9. From here the rules really said what the receipts say.
    steps_of_the_rules.replay,
    # 10. And the log cannot have been made up after this time.
    steps_of_the_rules.timestamps,
)


def verify(
    raw: bytes,
    vkeys: Sequence[str],
    policy: WitnessPolicy | None,
    rules: Catalogue,
    *,
    now: datetime,
    roots: Sequence[Certificate] | None = None,
) -> Verdict:
    """The verdict on a dossier's bytes, whatever they are.

    Args:
        raw: the file.
        vkeys: verifier keys of the log (FORMATS F1), from somewhere else than the file.
        policy: who must have cosigned the checkpoint; None: nobody is asked.
        rules: the verifier's own rules.
        now: with a zone; nothing in the file may be more than 5 minutes later.
        roots: of timestamp authorities; without them timestamps are not checked.

    Raises:
        NoteError: a verifier key is none; never anything because of `raw`.
    """
    checked = Checked(
        raw=raw,
        keys=[Verifier.from_vkey(text) for text in vkeys],
        policy=policy,
        rules=rules,
        now=now,
        roots=roots,
    )
    verdict = verdict_of([partial(step, checked) for step in _STEPS])
    return replace(verdict, as_recorded=checked.as_recorded)
