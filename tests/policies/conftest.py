"""What the tests of rules share: the installed rules, and a way to judge by one of them."""

from collections.abc import Callable

import pytest

from domain import facts as f
from domain.case import Case
from domain.findings import Enforcement, ParamValue, Receipt
from policies import Catalogue, load
from policies._examples import Story

By = Callable[[str, Case], Receipt]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """Every rule as it is installed."""
    return load()


@pytest.fixture(scope="session")
def by(catalogue: Catalogue) -> By:
    """Judges a case under the defaults and gives one rule's receipt."""

    def receipt_of(rule: str, case: Case) -> Receipt:
        receipts = catalogue.judge(case, None).receipts
        return next(receipt for receipt in receipts if receipt.policy == rule)

    return receipt_of


@pytest.fixture(scope="session")
def adopted() -> Callable[..., f.PolicySetAdopted]:
    """A policy set with one setting."""

    def adopt(
        id_: str,
        enforcement: Enforcement,
        version: int | None = None,
        **params: ParamValue,
    ) -> f.PolicySetAdopted:
        setting = f.PolicySetting(id=id_, version=version, enforcement=enforcement, params=params)
        return Story().rubric(setting).world.policy_sets[-1].fact

    return adopt
