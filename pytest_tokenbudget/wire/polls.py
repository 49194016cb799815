"""Background responses: the request that starts one is billed, and a later poll alone tells its usage."""

from msgspec.structs import replace

from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.exchange import Exchange
from pytest_tokenbudget.wire.read import response_of
from pytest_tokenbudget.wire.routing import route_of

__all__ = ["settled"]


def settled(started: Call, poll: Exchange) -> Call:
    """The call that started a background response, with the usage that a poll tells; unchanged where it tells none.

    Args:
        started: A call without usage.
        poll: A later exchange, read by itself as an unbilled call.
    """
    route = route_of(poll.method, poll.url)
    if started.status != "missing" or route.kind != "unbilled" or route.format is None:
        return started
    reading, _ = response_of(route.format, poll)
    if reading.response_id != started.response_id or reading.status not in {"exact", "partial"}:
        return started
    return replace(
        started,
        status=reading.status,
        usage=reading.usage,
        model_served=reading.model,
        tier=reading.tier,
        reported_cost=reading.reported_cost,
        tools=reading.tools,
        finish=reading.finish,
        notes=(*reading.notes, "ran in the background: its usage is told by a poll"),
    )
