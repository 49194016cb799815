"""Which model stands behind a name that requests use.

An Azure deployment, an application inference profile of Bedrock and a gateway's alias say nothing about their model,
and the model that such an answer names can be coarse: what the user states about the name wins over it.
"""

from collections.abc import Iterable

from pytest_tokenbudget.config.deployments import Deployment
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.pricing.overrides import host_matches, matches

__all__ = ["deployment_for"]


def deployment_for(deployments: Iterable[Deployment], call: Call) -> Deployment | None:
    """The deployment that a call was made to, if the user states it.

    An exact name counts before a pattern, one that names the host before one that does not, then the first.

    Args:
        deployments: In the order of their rank, the strongest source first.
        call: The name that it asked for is looked for before the one that its answer gives.
    """
    ranked = [
        (rank, deployment)
        for deployment in deployments
        if deployment.host is None or host_matches(call.host, deployment.host)
        for rank in _ranks(deployment, call)
    ]
    return min(ranked, key=lambda entry: entry[0])[1] if ranked else None


def _ranks(deployment: Deployment, call: Call) -> Iterable[tuple[int, bool, bool]]:
    names = (call.model_asked, call.model_served)
    for position, name in enumerate(names):
        if name and matches(name, deployment.name):
            yield position, name.lower() != deployment.name.lower(), deployment.host is None
