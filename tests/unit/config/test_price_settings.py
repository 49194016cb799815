"""`deployments`, `discounts` and `fees` as files state them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal

import pytest

from pytest_tokenbudget.config.deployments import Deployment
from pytest_tokenbudget.config.discounts import Discount
from pytest_tokenbudget.config.fees import Fee
from pytest_tokenbudget.config.settings import Settings

FEE = "{host: api.tavily.com, path: /search, usd: 0.008, name: tavily_search}"
DISCOUNT = "{provider: openai, percent: 12, from: 2026-01-01, until: 2026-12-31}"

Load = Callable[..., Settings]
Refusal = Callable[..., str]


def test_deployments_are_a_model_or_a_model_with_more(load: Load) -> None:
    settings = load(
        "deployments:\n  my-azure-prod: gpt-4o\n  eu-*: {model: gpt-5.4, host: '*.azure.com', factor: 1.1}\n"
    )

    assert settings.deployments == (
        Deployment(name="my-azure-prod", model="gpt-4o", place="tokenbudget.yml:2: deployments.my-azure-prod"),
        Deployment(
            name="eu-*",
            model="gpt-5.4",
            host="*.azure.com",
            factor=Decimal("1.1"),
            place="tokenbudget.yml:3: deployments.eu-*",
        ),
    )


def test_discounts_have_their_days(load: Load) -> None:
    settings = load(
        "discounts:\n"
        "  - {provider: openai, percent: 12, from: 2026-01-01, until: 2026-12-31}\n"
        "  - {provider: anthropic, model: 'claude-*', percent: 7.5%}\n"
    )

    assert settings.discounts == (
        Discount(
            provider="openai",
            percent=Decimal(12),
            since=date(2026, 1, 1),
            until=date(2026, 12, 31),
            place="tokenbudget.yml:1: discounts[0]",
        ),
        Discount(
            provider="anthropic",
            model="claude-*",
            percent=Decimal("7.5"),
            place="tokenbudget.yml:1: discounts[1]",
        ),
    )


def test_fees_are_for_a_host_a_tool_or_a_count(load: Load) -> None:
    settings = load(
        "fees:\n"
        "- {host: api.tavily.com, path: /search, usd: 0.008, name: tavily_search}\n"
        "- {tool: lookup_*, usd: 0.002}\n"
        "- {fee: web_search_preview, provider: openai, usd: 0.025}\n"
    )

    assert settings.fees == (
        Fee(
            host="api.tavily.com",
            path="/search",
            name="tavily_search",
            usd=Decimal("0.008"),
            place="tokenbudget.yml:1: fees[0]",
        ),
        Fee(tool="lookup_*", usd=Decimal("0.002"), place="tokenbudget.yml:1: fees[1]"),
        Fee(fee="web_search_preview", provider="openai", usd=Decimal("0.025"), place="tokenbudget.yml:1: fees[2]"),
    )
    assert [fee.label for fee in settings.fees] == ["tavily_search", "lookup_*", "web_search_preview"]


def test_both_files_count_the_stronger_one_first(load: Load) -> None:
    settings = load(
        "fees: [{tool: a, usd: 1}]\ndeployments: {d: m}\ndiscounts: [{provider: openai, percent: 1}]\n",
        pyproject="[tool.tokenbudget]\nfees = [{tool = 'a', usd = 2}]\ndeployments = {d = 'n'}\n"
        "discounts = [{provider = 'openai', percent = 2, from = 2026-01-01}]\n",
    )

    assert [fee.usd for fee in settings.fees] == [1, 2]
    assert [deployment.model for deployment in settings.deployments] == ["m", "n"]
    assert [(found.percent, found.since) for found in settings.discounts] == [(1, None), (2, date(2026, 1, 1))]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("deployments: gpt-4o", "deployments: 'gpt-4o' is not a mapping such as {my-azure-prod: gpt-4o}."),
        (
            "deployments: {d: 3}",
            "deployments.d: 3 is neither a model nor a mapping such as {model: gpt-4o, factor: 1.1}.",
        ),
        ("deployments: {d: {factor: 1.1}}", "deployments.d: names no model. Say which one it is: `model: gpt-4o`."),
        ("deployments: {d: {model: m, factor: 0}}", "deployments.d: `factor`: 0 is not a factor above 0, such as 1.1."),
        (
            "deployments: {d: {modle: m}}",
            "deployments.d: unknown key `modle` (did you mean `model`?). Allowed: factor, host, model.",
        ),
        (
            "discounts: {provider: openai}",
            f"discounts: {{'provider': 'openai'}} is not a list such as [{DISCOUNT}].",
        ),
        (
            "discounts: [{provider: openai}]",
            f"discounts[0]: states no `percent`. A discount is written like {DISCOUNT}.",
        ),
        (
            "discounts: [{provider: openai, percent: 120}]",
            "discounts[0]: `percent`: 120 is not a percentage above 0 and up to 100, such as 12.",
        ),
        (
            "discounts: [{provider: openai, percent: 0}]",
            "discounts[0]: `percent`: 0 is not a percentage above 0 and up to 100, such as 12.",
        ),
        (
            "discounts: [{provider: openai, percent: 1, from: soon}]",
            "discounts[0]: `from`: 'soon' is not a date such as 2026-11-01.",
        ),
        (
            "discounts: [{provider: openai, percent: 1, from: 2026-02-02, until: 2026-02-01}]",
            "discounts[0]: ends on 2026-02-01 before it begins on 2026-02-02.",
        ),
        (
            "fees: [3]",
            f"fees[0]: 3 is not a mapping such as {FEE}.",
        ),
        (
            "fees: [{usd: 1}]",
            f"fees[0]: is for nothing. State one of `host`, `tool` and `fee`, such as {FEE}.",
        ),
        (
            "fees: [{host: a, tool: b, usd: 1}]",
            f"fees[0]: is for `host` and `tool`. State one of `host`, `tool` and `fee`, such as {FEE}.",
        ),
        ("fees: [{tool: a}]", "fees[0]: states no `usd`: US dollars each."),
        ("fees: [{tool: a, path: /b, usd: 1}]", "fees[0]: `path` goes with `host`."),
        ("fees: [{host: a, provider: b, usd: 1}]", "fees[0]: `provider` goes with `fee`."),
        ("fees: [{tool: a, usd: -1}]", "fees[0]: `usd`: -1 is not an amount of US dollars of zero or more."),
        (
            "fees: [{host: a, usd: 1}, {host: a, path: /b, usd: 2}]",
            "fees[1]: `a` costs 2 here and 1 at tokenbudget.yml:2: fees[0]: name them differently.",
        ),
    ],
)
def test_what_they_may_not_be(refusal: Refusal, line: str, message: str) -> None:
    assert refusal(f"# settings\n{line}\n") == f"tokenbudget.yml:2: {message}"
