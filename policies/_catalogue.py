"""The rules that are installed: judging with them, checking settings, describing them."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct
from msgspec.structs import replace

from domain import commands as c
from domain import facts as f
from domain.case import Case, Found, Moment
from domain.codec import Recorded
from domain.decide import Context
from domain.decide.decision import pass_evidence_gate
from domain.decide.intent import MOMENT_OF, RecordedIntent, intent_of
from domain.findings import Enforcement, Finding, Judged, ParamValue, Receipt
from domain.refusals import LOOP_STATE, Meaningless, RefusedByRule
from domain.state import World
from policies._independence import USES
from policies._independence import witnesses as count_witnesses
from policies._judge import Applied, OnError, judge, visible
from policies._policy import STRICTNESS, Kind, Policy


class ParamEntry(Struct, frozen=True, kw_only=True):
    """A parameter as the catalogue shows it."""

    default: ParamValue
    meaning: str
    wanted: str


class ExampleEntry(Struct, frozen=True, kw_only=True):
    """An example as the catalogue shows it: the story, and whether the rule objects."""

    verdict: Kind
    story: str


class Entry(Struct, frozen=True, kw_only=True):
    """A rule as the catalogue shows it; `source_digest` is that of the newest version."""

    id: str
    version: int
    title: str
    rationale: str
    source: str
    practices: tuple[str, ...]
    moments: Annotated[
        tuple[Moment, ...],
        Meta(description="When it judges; what blocks at the gate judges the decision again."),
    ]
    enforcement: Enforcement
    core: bool
    params: dict[str, ParamEntry]
    versions: tuple[int, ...]
    source_digest: str
    examples: tuple[ExampleEntry, ...]


class Catalogue:
    """Every rule that is installed: those in force unless a set says otherwise, and older ones.

    `digests` holds the SHA-256 (hex) of each version's source.
    """

    def __init__(
        self,
        rules: Iterable[Policy],
        old: Iterable[Policy],
        digests: Mapping[tuple[str, int], str],
    ) -> None:
        self.current = {rule.id: rule for rule in sorted(rules, key=lambda r: r.id)}
        every = (*old, *self.current.values())
        self.rules = {(rule.id, rule.version): rule for rule in every}
        self.digests = dict(digests)

    # ------------------------------------------------------------ judging

    def judge(
        self,
        case: Case,
        pinned: f.PolicySetAdopted | None,
        state_findings: tuple[Found, ...] = (),
        on_error: OnError | None = None,
    ) -> Judged:
        """What every rule that has a say finds, under the policy set that the loop pinned.

        `state_findings` become a receipt of the rule `loop-state`. A rule that raises refuses, and
        `on_error` is told its id and the name of the error.
        """
        return judge(case, self._applied(pinned), state_findings, on_error)

    def witnesses(self, case: Case) -> tuple[f.Witness, ...]:
        """Who wrote feedback in the loop, and whether they count, under the set that it pinned."""
        pinned = case.world.policy_set(case.loop.opened.fact.policy_set)
        rules = self._applied(pinned.fact if pinned else None)
        seen = visible(USES, {rule.id: rule.params for rule in rules})
        return count_witnesses(replace(case, params=seen))

    def replay(
        self,
        fact: RecordedIntent,
        world: World,
        facts: tuple[Recorded, ...],
        policy_set: f.PolicySetAdopted | Literal["recorded"] | None = "recorded",
    ) -> Judged:
        """Judges a recorded intent again; `world` is the state just before it.

        With `recorded`, the versions, strictness and parameters of its own receipts are taken, and
        the result must be byte-equal to what was recorded. With a policy set (None: the defaults)
        it says what those rules would have said.
        """
        case = Case(
            moment=MOMENT_OF[type(fact)],
            draft=intent_of(fact, world),
            world=world,
            now=fact.judged.now,
            facts=facts,
        )
        if policy_set == "recorded":
            rules = self._as_recorded(fact.judged.receipts)
        else:
            rules = self._applied(policy_set)
        return judge(case, rules, _state_findings(fact, world))

    def _applied(self, pinned: f.PolicySetAdopted | None) -> list[Applied]:
        """How each rule applies under a set; one that the set does not list keeps its default."""
        settings = {one.id: one for one in pinned.policies} if pinned else {}
        rules: list[Applied] = []
        for id_ in sorted({*self.current, *settings}):
            current, setting = self.current.get(id_), settings.get(id_)
            version = (setting.version if setting else None) or (current.version if current else 1)
            policy = self.rules.get((id_, version))
            enforcement = setting.enforcement if setting else "block"
            if policy is not None:
                asked = setting.enforcement if setting else policy.enforcement
                enforcement = _enforced(policy, asked)
            params = {
                **(policy.defaults() if policy else {}),
                **(setting.params if setting else {}),
            }
            rules.append(
                Applied(
                    id=id_, version=version, policy=policy, enforcement=enforcement, params=params
                )
            )
        return rules

    def _as_recorded(self, receipts: Iterable[Receipt]) -> list[Applied]:
        """The rules as their receipts say they were applied, those they used included."""
        own: dict[str, dict[str, ParamValue]] = {}
        judged = [receipt for receipt in receipts if receipt.policy != LOOP_STATE]
        for receipt in judged:
            for name, value in receipt.params.items():
                other, dot, param = name.partition(".")
                place = own.setdefault(other if dot else receipt.policy, {})
                place[param if dot else name] = value
        rules = [
            Applied(
                id=receipt.policy,
                version=receipt.version,
                policy=self.rules.get((receipt.policy, receipt.version)),
                enforcement=receipt.enforcement,
                params={n: v for n, v in receipt.params.items() if "." not in n},
            )
            for receipt in judged
        ]
        only_used = sorted(set(own) - {rule.id for rule in rules})
        return rules + [
            Applied(id=id_, version=1, policy=None, enforcement="off", params=own[id_])
            for id_ in only_used
        ]

    # ------------------------------------------------------------ settings

    def default_set(self) -> tuple[f.PolicySetting, ...]:
        """Every rule as it comes, its version and parameters spelt out."""
        return tuple(
            f.PolicySetting(
                id=rule.id,
                version=rule.version,
                enforcement=rule.enforcement,
                params=rule.defaults(),
            )
            for rule in self.current.values()
        )

    def check_settings(self, settings: Iterable[f.PolicySetting]) -> None:
        """Raises `Meaningless` with a pointer for a setting that no rule here can follow."""
        for number, setting in enumerate(settings):
            where = f"/policies/{number}"
            if setting.id not in self.current:
                raise Meaningless("no such rule; the catalogue lists them", pointer=f"{where}/id")
            version = setting.version or self.current[setting.id].version
            rule = self.rules.get((setting.id, version))
            if rule is None:
                raise Meaningless("the rule has no such version", pointer=f"{where}/version")
            if _enforced(rule, setting.enforcement) != setting.enforcement:
                raise Meaningless(
                    f"a core rule cannot be turned down below {rule.enforcement}",
                    pointer=f"{where}/enforcement",
                )
            _check_params(rule, setting, where)

    def check_exception(self, policy_id: str) -> None:
        """Raises where nobody can grant an exception to this rule."""
        rule = self.current.get(policy_id)
        if rule is None:
            raise Meaningless("no such rule; the catalogue lists them", pointer="/policy")
        if rule.core:
            finding = Finding(
                policy=rule.id,
                version=rule.version,
                enforcement="block",
                message="this rule is core: no exception can be granted to it",
                cure="meet the rule; the catalogue says what it asks for, and why",
            )
            raise RefusedByRule("a core rule takes no exception", (finding,))

    # ------------------------------------------------------------ describing

    def entries(self) -> tuple[Entry, ...]:
        """The catalogue, by id."""
        return tuple(self._entry(rule) for rule in self.current.values())

    def _entry(self, rule: Policy) -> Entry:
        return Entry(
            id=rule.id,
            version=rule.version,
            title=rule.title,
            rationale=rule.rationale,
            source=rule.source,
            practices=rule.practices,
            moments=tuple(sorted(rule.moments)),
            enforcement=rule.enforcement,
            core=rule.core,
            params={
                name: ParamEntry(default=p.default, meaning=p.meaning, wanted=p.wanted())
                for name, p in sorted(rule.params.items())
            },
            versions=tuple(sorted(version for id_, version in self.rules if id_ == rule.id)),
            source_digest=self.digests[(rule.id, rule.version)],
            examples=tuple(ExampleEntry(verdict=e.kind, story=e.story) for e in rule.examples),
        )


def _enforced(rule: Policy, wanted: Enforcement) -> Enforcement:
    """A core rule is never less strict than it comes."""
    turned_down = STRICTNESS.index(wanted) < STRICTNESS.index(rule.enforcement)
    return rule.enforcement if rule.core and turned_down else wanted


def _check_params(rule: Policy, setting: f.PolicySetting, where: str) -> None:
    for name, value in setting.params.items():
        param = rule.params.get(name)
        if param is None:
            known = ", ".join(sorted(rule.params)) or "none"
            raise Meaningless(
                f"the rule has no such parameter; it has: {known}", pointer=f"{where}/params"
            )
        if not param.accepts(value):
            raise Meaningless(f"give {param.wanted()}", pointer=f"{where}/params/{name}")


def _state_findings(fact: RecordedIntent, world: World) -> tuple[Found, ...]:
    """What the state itself said against a recorded gate, stage decision or decision.

    The domain says it while drafting; a gate's command holds nothing but the loop, so its draft can
    be made again from the record. The other intents are recorded only when the state allowed them.
    """
    if not isinstance(fact, f.EvidenceGateRefused | f.StageDecisionRefused | f.DecisionRefused):
        return ()
    context = Context(
        now=fact.judged.now,
        at=fact.stamp.at,
        actor=fact.stamp.by,
        via=fact.stamp.via,
        assurance=fact.stamp.assurance,
        cause=fact.stamp.cause,
        roles=frozenset(f.ROLES),
    )
    return pass_evidence_gate(c.PassEvidenceGate(loop=fact.loop), world, context).state_findings
