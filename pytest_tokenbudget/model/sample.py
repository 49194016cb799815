"""One task of a benchmark, as far as its statistics need it."""

from decimal import Decimal

from msgspec import Struct

from pytest_tokenbudget.model.usage import NO_USAGE, Usage

__all__ = ["Sample"]


class Sample(Struct, frozen=True, kw_only=True, gc=False):
    """What one sampled task cost and whether it succeeded.

    Attributes:
        id: Its node id.
        cost: US dollars of the whole task; `None` where unknown, which is never $0.
        success: Whether the task did what it was for.
        usage: Its tokens; of calls whose usage is known.
        steps: Its billed generating calls.
        failed_output: Output tokens of its calls that failed or were retried: they are in `usage`, and no use.
        workflow: A label to group by.
        team: A label to group by.
        models: The models it called, with the US dollars of each; what they leave of `cost` is nobody's model.
        cluster: Samples that share one are not independent, such as tickets of one customer.
    """

    id: str
    cost: Decimal | None
    success: bool
    usage: Usage = NO_USAGE
    steps: int = 0
    failed_output: int = 0
    workflow: str | None = None
    team: str | None = None
    models: tuple[tuple[str, Decimal | None], ...] = ()
    cluster: str | None = None
