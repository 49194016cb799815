"""What workers hand over arrives as it was."""

from decimal import Decimal

from builders import make_call, make_estimate, make_segment, make_task

from pytest_tokenbudget.model.drift import Change
from pytest_tokenbudget.model.task import Opened, Stray
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.plugin.gathering import Gathering
from pytest_tokenbudget.plugin.stock import Stock

ESTIMATE = make_estimate(
    "0.28",
    "0.27",
    "0.30",
    usage=Usage(input=900, fees={"web_search": 2}, other={"moon": 1}),
    cold=Usage(input=900),
    cost_cold=Decimal("0.31"),
    first=Change(kind="system", name="", position=0, byte=214, before=4, after=5),
    reasons=("a reason",),
    volatile=("system (a date)",),
    prompt=(make_segment("system", 4),),
)
STRAY = Stray(kind="escaped", request="POST https://api.openai.com/v1/responses", how="httpcore")


def test_an_estimate_strays_and_opened_recordings_survive_the_way_to_the_controller() -> None:
    opened = (Opened(source="a.yaml", interactions=3, own=True),)
    task = make_task("a", ESTIMATE, make_call(), strays=(STRAY,), opened=opened)
    gathered = Gathering()
    gathered.collect(Gathering().pack("gw0", [task], for_itself=False))
    (found,) = gathered.tasks()
    assert found == task
    assert found.totals == task.totals


def test_of_attempts_in_several_workers_all_strays_and_recordings_are_kept() -> None:
    gathered = Gathering()
    for worker, source in (("gw0", "a.yaml"), ("gw1", "b.yaml")):
        opened = (Opened(source=source, interactions=1),)
        gathered.collect(Gathering().pack(worker, [make_task("a", strays=(STRAY,), opened=opened)], for_itself=False))
    (found,) = gathered.tasks()
    assert found.strays == (STRAY, STRAY)
    assert [recording.source for recording in found.opened] == ["a.yaml", "b.yaml"]


def stock(*unproven: str) -> Stock:
    return Stock(files=(("one.yaml", "test_one.py"), ("two.yaml", "test_two.py"), ("gone.yaml", "")), unproven=unproven)


def orphans(*stocks: Stock | None, opened: str = "") -> tuple[str, ...]:
    gathered = Gathering()
    recordings = (Opened(source=opened, interactions=1),) if opened else ()
    gathered.collect(Gathering().pack("gw0", [make_task("a", opened=recordings)], for_itself=False))
    for each in stocks:
        gathered.take_stock(each)
    return gathered.orphans()


def test_a_recording_is_an_orphan_only_where_every_process_agrees() -> None:
    assert orphans(stock(), stock()) == ("gone.yaml", "one.yaml", "two.yaml")
    assert orphans(stock("test_one.py"), stock()) == ("gone.yaml", "two.yaml")
    assert orphans(stock("test_one.py"), stock("test_two.py")) == ("gone.yaml",)
    assert orphans(stock(), opened="two.yaml") == ("gone.yaml", "one.yaml")
    assert orphans(stock(), None) == ()
    assert orphans() == ()


def test_what_a_process_packs_for_itself_is_what_it_collects_and_no_other_reads_it_otherwise() -> None:
    gathered, task = Gathering(), make_task("a", ESTIMATE, make_call(), strays=(STRAY,))
    parcel = gathered.pack("main", [task], for_itself=True)
    assert parcel == Gathering().pack("main", [task], for_itself=False)
    gathered.collect(parcel)
    (own,) = gathered.tasks()
    assert own is task
    gathered.collect(parcel)  # once more, as a text that came from elsewhere
    assert gathered.tasks() == (task,)
    assert gathered.entries("main") == 3
    assert gathered.entries("gw0") == 0
