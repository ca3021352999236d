"""What a rule says about itself, next to the function that judges."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from domain import commands as c
from domain import facts as f
from domain.case import Case, Found, Moment
from domain.findings import Enforcement, ParamValue

ARTICLE = "Evaluating ML and LLM candidates: a practical framework"
STRICTNESS: tuple[Enforcement, ...] = ("off", "warn", "block")

Params = Mapping[str, ParamValue]
Check = Callable[[Case, Params], Iterator[Found]]
Kind = Literal["accepted", "refused"]
D = TypeVar("D", bound=f.Fact)


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """A number or choice in a rule that an organisation may set.

    Whole numbers lie between `least` and `most`, both included. Words are one of `allowed`, or any
    number of them, each once, where the default is a tuple.
    """

    default: ParamValue
    meaning: str
    least: int = 0
    most: int = 0
    allowed: tuple[str, ...] = ()

    def accepts(self, value: ParamValue) -> bool:
        """Whether a setting may give this value: right type, in range, one of those allowed."""
        if type(value) is not type(self.default):
            return False
        match value:
            case bool():
                return True
            case int():
                return self.least <= value <= self.most
            case str():
                return value in self.allowed
            case tuple():
                return len(set(value)) == len(value) and set(value) <= set(self.allowed)
            case _:
                return False

    def wanted(self) -> str:
        """What a setting may give, in words."""
        match self.default:
            case bool():
                return "true or false"
            case int():
                return f"a whole number from {self.least} to {self.most}"
            case str():
                return "one of " + ", ".join(self.allowed)
            case _:
                return "a list, each at most once, of " + ", ".join(self.allowed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A case with the command that asked for it: examples and tests need both."""

    case: Case
    command: c.AnyCommand
    actor: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A story that the rule accepts, or in which it finds something; built only when wanted."""

    kind: Kind
    story: str
    build: Callable[[], Asked]

    def case(self) -> Case:
        """The case of the story, told anew."""
        return self.build().case


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One rule of decision hygiene.

    `id` is the file name with hyphens. `moments` says when it judges, `about` which drafts (empty:
    all of the moment). `core` means: no exception, and never less strict than `enforcement`. `uses`
    names parameters of other rules that the verdict also rests on, as `rule.parameter`. `check` is
    pure; what it yields is completed to findings by the engine.
    """

    id: str
    version: int
    title: str
    rationale: str
    source: str
    practices: tuple[str, ...]
    moments: frozenset[Moment]
    enforcement: Enforcement
    check: Check
    examples: tuple[Example, ...]
    core: bool = False
    about: tuple[type[f.Fact], ...] = ()
    params: Mapping[str, Param] = field(default_factory=dict[str, Param])
    uses: tuple[str, ...] = ()

    def judges(self, case: Case) -> bool:
        """Whether the rule has a say in this case."""
        return case.moment in self.moments and (
            not self.about or isinstance(case.draft, self.about)
        )

    def defaults(self) -> dict[str, ParamValue]:
        """The parameters as they are unless a policy set says otherwise."""
        return {name: param.default for name, param in sorted(self.params.items())}


def draft_of(case: Case, kind: type[D]) -> D:
    """The draft, known to be of this kind; a rule asked about another kind fails, and refuses."""
    if not isinstance(case.draft, kind):
        raise TypeError("this rule does not judge such a draft")
    return case.draft


def accepted(story: str, build: Callable[[], Asked]) -> Example:
    """A story in which the rule finds nothing to object to."""
    return Example(kind="accepted", story=story, build=build)


def refused(story: str, build: Callable[[], Asked]) -> Example:
    """A story to which the rule objects; whether it then blocks is the policy set's choice."""
    return Example(kind="refused", story=story, build=build)


def whole(params: Params, name: str) -> int:
    """A parameter that is a whole number; `TypeError` where it is not."""
    value = params[name]
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"the parameter {name} must be a whole number")
    return value


def word(params: Params, name: str) -> str:
    """A parameter that is one word; `TypeError` where it is not."""
    value = params[name]
    if not isinstance(value, str):
        raise TypeError(f"the parameter {name} must be a word")
    return value


def words(params: Params, name: str) -> tuple[str, ...]:
    """A parameter that is a list of words; `TypeError` where it is not."""
    value = params[name]
    if not isinstance(value, tuple):
        raise TypeError(f"the parameter {name} must be a list of words")
    return value
