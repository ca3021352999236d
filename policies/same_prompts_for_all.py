"""At each stage the candidate got the prompts that all candidates of the requisition get."""

from collections.abc import Iterator

from domain import facts as f
from domain.case import Case, Found
from domain.state import World
from policies._examples import evidenced, planned
from policies._policy import ARTICLE, Params, Policy, accepted, refused
from policies._sample import TECH_LEAD, prompt, ref
from policies._sessions import held


def check(case: Case, _params: Params) -> Iterator[Found]:
    """Compares with the requisition's standard, never with another candidate's loop."""
    standard = case.requisition.standard
    if standard is None:
        return
    sessions = [session for session in held(case.loop) if session.kind != "reference"]
    due = [session for session in standard.fact.sessions if session.kind != "reference"]
    for stage in dict.fromkeys([s.stage for s in due] + [s.stage for s in sessions]):
        given = [prompt for s in sessions if s.stage == stage for prompt in s.prompts]
        wanted = [prompt for s in due if s.stage == stage for prompt in s.prompts]
        where = (standard.position, *(s.position for s in sessions if s.stage == stage))
        missing = [w for w in wanted if not any(_same(case.world, w, g) for g in given)]
        other = [g for g in given if not any(_same(case.world, w, g) for w in wanted)]
        if missing:
            yield Found(
                message=f"at the stage {stage} the candidate was not given {_named(missing)} of the"
                " requisition's standard",
                cure="give it, or a version that is declared equivalent, or grant an exception",
                positions=where,
            )
        if other:
            yield Found(
                message=f"at the stage {stage} the candidate was given {_named(other)}, which the"
                " requisition's standard does not have",
                cure="declare the prompt equivalent if it is, or grant an exception",
                positions=where,
            )


def _same(world: World, wanted: f.Ref, given: f.Ref) -> bool:
    """Whether these are one version, or one of them is declared equivalent to the other."""
    return given in (wanted, _equivalent(world, wanted)) or wanted == _equivalent(world, given)


def _equivalent(world: World, ref: f.Ref) -> f.Ref | None:
    found = world.prompt(ref)
    return found.fact.content.equivalent_to if found else None


def _named(prompts: list[f.Ref]) -> str:
    return ", ".join(f"{prompt.id} version {prompt.version}" for prompt in prompts)


POLICY = Policy(
    id="same-prompts-for-all",
    version=1,
    title="All candidates of a requisition get the same prompts",
    rationale="Answers can be compared only if the questions were the same.",
    source=f"{ARTICLE}, section B2 (comparable signal across candidates); Campion, Palmer and"
    " Campion 1997, A review of structure in the selection interview, Personnel Psychology 50",
    practices=("P24",),
    moments=frozenset({"gate"}),
    enforcement="warn",
    check=check,
    examples=(
        accepted("the standard's prompts were given", lambda: evidenced().asks_gate()),
        accepted(
            "a reworded version was given that is declared equivalent",
            lambda: (
                planned()
                .does(
                    TECH_LEAD,
                    prompt("metric-change", "framing", equivalent_to=ref("metric-change")),
                )
                .held("screen", prompts=(ref("metric-change", 2),))
                .held("design")
                .held("panel")
                .asks_gate()
            ),
        ),
        accepted(
            "a prompt of another name was given that is declared equivalent",
            lambda: (
                planned()
                .does(
                    TECH_LEAD,
                    prompt("metric-shift", "framing", equivalent_to=ref("metric-change")),
                )
                .held("screen", prompts=(ref("metric-shift"),))
                .held("design")
                .held("panel")
                .asks_gate()
            ),
        ),
        refused(
            "another prompt was given at the screen",
            lambda: (
                planned()
                .held("screen", prompts=(ref("prompt-injection"),))
                .held("design")
                .held("panel")
                .asks_gate()
            ),
        ),
    ),
)
