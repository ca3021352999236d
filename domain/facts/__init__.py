"""The vocabulary: every fact the ledger can hold, in the order a loop lives through them.

One module per group, the union last. `domain/codec.py` turns facts into stored bytes and back.
"""

# ruff: noqa: F403  (this page is the one import path of the vocabulary)
from domain.facts.afterwards import *
from domain.facts.afterwards import AfterwardsFact
from domain.facts.base import *
from domain.facts.decision import *
from domain.facts.decision import DecisionFact
from domain.facts.evidence import *
from domain.facts.evidence import EvidenceFact
from domain.facts.opening import *
from domain.facts.opening import OpeningFact
from domain.facts.outside import *
from domain.facts.outside import OutsideFact
from domain.facts.people import *
from domain.facts.people import PeopleFact
from domain.facts.rubric import *
from domain.facts.rubric import RubricFact

LoopFact = OpeningFact | EvidenceFact | DecisionFact
AnyFact = RubricFact | LoopFact | AfterwardsFact | PeopleFact | OutsideFact
