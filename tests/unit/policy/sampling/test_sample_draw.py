"""Which samples are drawn: fixed by seed and key, whatever the order of the file."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_tokenbudget.policy.sampling.draw import draw

keys = st.lists(st.text(max_size=5), min_size=1, max_size=30, unique=True)
seeds = st.integers(0, 5)


def drawn(names: list[str], samples: int, seed: int, strata: dict[str, str] | None = None) -> list[str]:
    """The keys that are drawn."""
    given_strata = None if strata is None else [strata[name] for name in names]
    return [names[position] for position in draw(names, samples, seed=seed, strata=given_strata)]


def test_a_draw_stays_what_it_is_for_good() -> None:
    """Recordings were made of what was drawn: another draw in another version would leave them unused."""
    names = [f"t{number}" for number in range(10)]
    assert drawn(names, 5, 0) == ["t2", "t6", "t0", "t7", "t4"]
    strata = {name: "even" if index % 2 == 0 else "odd" for index, name in enumerate(names)}
    assert drawn(names, 6, 0, strata) == ["t2", "t7", "t6", "t9", "t0", "t5"]


@given(keys, st.integers(1, 40), seeds, st.randoms(use_true_random=False), st.sampled_from(["all", "strata"]))
def test_the_order_of_the_file_makes_no_difference(
    names: list[str], samples: int, seed: int, random: object, by: str
) -> None:
    strata = {name: name[:1] for name in names} if by == "strata" else None
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert drawn(shuffled, samples, seed, strata) == drawn(names, samples, seed, strata)


@given(keys, st.text(max_size=5), seeds)
def test_a_row_that_is_added_moves_no_other(names: list[str], more: str, seed: int) -> None:
    before = drawn(names, len(names), seed)
    after = drawn([*names, more] if more not in names else names, len(names) + 1, seed)
    assert [name for name in after if name in names] == before


@given(keys, st.integers(1, 40), seeds, st.sampled_from(["all", "strata"]))
def test_every_sample_is_drawn_once_and_fewer_are_the_beginning(
    names: list[str], samples: int, seed: int, by: str
) -> None:
    strata = {name: name[:1] for name in names} if by == "strata" else None
    every = drawn(names, len(names), seed, strata)
    assert sorted(every) == sorted(names)
    assert drawn(names, samples, seed, strata) == every[:samples]


@given(st.lists(st.sampled_from("aaaaabbcdefghi"), min_size=1, max_size=60), seeds)
def test_each_beginning_has_of_each_stratum_its_share_to_within_a_sample(strata: list[str], seed: int) -> None:
    order = draw([str(number) for number in range(len(strata))], len(strata), seed=seed, strata=strata)
    whole, so_far = Counter(strata), Counter[str]()
    for taken, position in enumerate(order, 1):
        so_far[strata[position]] += 1
        for name, count in whole.items():
            assert abs(so_far[name] * len(strata) - taken * count) < len(strata), (taken, name)


@pytest.mark.parametrize("samples", [1, 10, 100])
def test_seeds_draw_differently_and_evenly(samples: int) -> None:
    names = [str(number) for number in range(100)]
    counted = Counter(name for seed in range(300) for name in drawn(names, samples, seed))
    # 300 draws: each of a hundred comes up 3 × samples times, within five standard deviations
    spread = 5 * (300 * samples / 100 * (1 - samples / 100)) ** 0.5
    assert all(abs(counted[name] - 3 * samples) <= spread for name in names)
