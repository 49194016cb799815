"""What a call costs: rate cards by model and context, and exact arithmetic over disjoint token counts."""

from pytest_tokenbudget.pricing.as_of import DEFAULT_AS_OF
from pytest_tokenbudget.pricing.explanation import Explanation, Row
from pytest_tokenbudget.pricing.rates import LongPrompt, RateCard, Rates, cost_of, unpriced_in
from pytest_tokenbudget.pricing.table import PriceTable

__all__ = [
    "DEFAULT_AS_OF",
    "Explanation",
    "LongPrompt",
    "PriceTable",
    "RateCard",
    "Rates",
    "Row",
    "cost_of",
    "unpriced_in",
]
