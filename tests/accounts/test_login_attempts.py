"""Wrong passwords: a few cost nothing, then a name is closed to an address for longer and longer."""

import pytest

from deftx.accounts.login_attempts import (
    FIRST_WAIT,
    FORGOTTEN,
    FREE,
    FREE_OF_ALL,
    FREE_OF_NAME,
    LONGEST_WAIT,
    NAME_WAIT,
    LoginAttempts,
)


class Clock:
    """A clock that is moved by hand."""

    now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def tries(clock):
    return LoginAttempts(clock)


def fail(tries, times, name="ana", address="192.0.2.7"):
    for _ in range(times):
        tries.note(name, address, right=False)


def test_a_few_wrong_passwords_cost_nothing(tries):
    assert tries.wait("ana", "192.0.2.7") == 0
    fail(tries, FREE - 1)
    assert tries.wait("ana", "192.0.2.7") == 0


def test_each_further_one_closes_the_name_for_twice_as_long_up_to_an_hour(tries, clock):
    fail(tries, FREE)
    for wait in (60, 120, 240, 480, 960, 1920, 3600, 3600):
        assert tries.wait("ana", "192.0.2.7") == wait
        clock.now += wait
        assert tries.wait("ana", "192.0.2.7") == 0
        fail(tries, 1)
    assert (FIRST_WAIT, LONGEST_WAIT) == (60, 3600)


def test_a_name_is_closed_to_one_address_and_no_other(tries):
    fail(tries, FREE)
    assert tries.wait("ana", "192.0.2.8") == 0  # whoever knows a name cannot keep its owner out
    assert tries.wait("bob", "192.0.2.7") == 0


def test_an_address_that_tries_every_name_is_closed_to_all_of_them(tries):
    for number in range(FREE_OF_ALL):
        assert tries.wait("bob", "192.0.2.7") == 0
        fail(tries, 1, f"name{number}")
    assert tries.wait("bob", "192.0.2.7") == FIRST_WAIT


def test_a_right_password_makes_the_wrong_ones_of_that_name_forgotten_and_no_others(tries):
    fail(tries, FREE - 1)
    fail(tries, FREE_OF_ALL - FREE, "bob", "192.0.2.7")
    tries.note("ana", "192.0.2.7", right=True)
    fail(tries, 1)  # the twentieth from there
    assert tries.wait("ana", "192.0.2.7") == FIRST_WAIT
    assert not any(key == ("ana", "192.0.2.7") and count.wrong > 1 for key, count in tries._counts.items())


def test_a_name_that_is_tried_from_many_addresses_is_closed_to_new_ones_for_a_minute_each(tries, clock):
    tries.note("ana", "192.0.2.7", right=True)
    for number in range(FREE_OF_NAME):
        fail(tries, 1, address=f"198.51.100.{number}")
    for _ in range(3):
        assert tries.wait("ana", "203.0.113.1") == NAME_WAIT
        assert tries.wait("bob", "203.0.113.1") == 0
        assert tries.wait("ana", "192.0.2.7") == 0  # where she has logged in before
        clock.now += NAME_WAIT
        assert tries.wait("ana", "203.0.113.1") == 0
        fail(tries, 1, address="203.0.113.2")
    fail(tries, FREE, address="192.0.2.7")  # nor is that address free of the limits of every other
    assert tries.wait("ana", "192.0.2.7") == FIRST_WAIT


def test_wrong_passwords_are_forgotten_after_an_hour(tries, clock):
    fail(tries, FREE)
    clock.now += FIRST_WAIT + FORGOTTEN
    fail(tries, FREE - 1)
    assert tries.wait("ana", "192.0.2.7") == 0
    assert len(tries._counts) == 3


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [("2001:db8::1", "2001:db8::ffff:2", True), ("2001:db8::1", "2001:db8:0:1::1", False),
     ("::ffff:192.0.2.7", "192.0.2.7", True), ("testclient", "testclient", True), ("192.0.2.7", "192.0.2.8", False)],
)  # fmt: skip
def test_addresses_that_one_household_can_choose_from_are_one(tries, one, other, same):
    fail(tries, FREE, address=one)
    assert (tries.wait("ana", other) > 0) == same
