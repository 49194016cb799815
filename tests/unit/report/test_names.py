import pytest

from pytest_tokenbudget.report.names import below_shared_folder, listed, of_test


@pytest.mark.parametrize(
    ("ids", "names"),
    [
        ([], []),
        (["tests/test_a.py::test_a"], ["test_a.py::test_a"]),
        (["tests/a/test_a.py::t", "tests/b/test_a.py::t"], ["a/test_a.py::t", "b/test_a.py::t"]),
        (["tests/a/test_a.py::t", "tests/test_a.py::t"], ["a/test_a.py::t", "test_a.py::t"]),
        (["tests/test_a.py::t", "test_a.py::t"], ["tests/test_a.py::t", "test_a.py::t"]),
        (["tests/test_a.py::t", "(outside of any test)"], ["test_a.py::t", "(outside of any test)"]),
        (["tests/test_a.py::t[a/b::c]", "tests/test_a.py::u"], ["test_a.py::t[a/b::c]", "test_a.py::u"]),
        (["tests/x\n/test_a.py::t", "tests/y/test_a.py::t"], [r"x\n/test_a.py::t", "y/test_a.py::t"]),
    ],
)
def test_a_folder_that_all_share_is_left_out(ids: list[str], names: list[str]) -> None:
    assert below_shared_folder(ids) == names


@pytest.mark.parametrize(
    ("node_id", "name"),
    [
        ("tests/test_a.py::test_a", "test_a"),
        ("tests/test_a.py::TestA::test_a[x]", "test_a[x]"),
        ("tests/test_a.py::test_a[x::y]", "test_a[x::y]"),
        ("(outside of any test)", "(outside of any test)"),
    ],
)
def test_a_test_has_a_name_of_its_own(node_id: str, name: str) -> None:
    assert of_test(node_id) == name


def test_a_list_of_names_stays_short() -> None:
    assert listed(["a", "b", "c"]) == "a, b, c"
    assert listed(["a", "b", "c", "d"]) == "a, b and 2 more"
