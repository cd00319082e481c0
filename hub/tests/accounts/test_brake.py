"""How long guesses have to wait, by name and address."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox_hub.accounts.brake import SignInBrake, TooMany

pytestmark = pytest.mark.attack(8)
STRANGER, HOME = "192.0.2.66", "192.0.2.1"


class Clock:
    """Time that passes only by sleeping."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def brake(clock: Clock) -> SignInBrake:
    return SignInBrake(clock=clock, sleep=clock.sleep)


async def guess(brake: SignInBrake, times: int, name: str = "ada", address: str = STRANGER) -> None:
    for _ in range(times):
        async with brake.attempt(name, address):
            pass
        brake.failed(name, address)


async def test_delay_doubles_to_half_a_minute(brake: SignInBrake) -> None:
    delays = []
    for _ in range(12):
        delays.append(brake.delay_s("ada", STRANGER))
        await guess(brake, 1)
    assert delays == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]


async def test_person_at_another_address_waits_for_nothing(brake: SignInBrake) -> None:
    await guess(brake, 20)
    assert brake.delay_s("ada", HOME) == 0
    assert brake.delay_s("bob", STRANGER) == 0


async def test_many_addresses_slow_each_other_but_not_one_the_person_signed_in_from(
    brake: SignInBrake,
) -> None:
    brake.succeeded("ada", HOME)
    for number in range(40):
        await guess(brake, 1, address=f"198.51.100.{number}")
    assert brake.delay_s("ada", "203.0.113.5") == brake.distributed_s
    assert brake.delay_s("ada", HOME) == 0


async def test_address_that_tries_many_names_is_slowed(brake: SignInBrake) -> None:
    for number in range(brake.address_after):
        brake.failed(f"name-{number}", STRANGER)
    assert brake.delay_s("never-tried", STRANGER) == brake.address_s
    assert brake.delay_s("never-tried", HOME) == 0


async def test_nobody_is_ever_refused_for_good(brake: SignInBrake, clock: Clock) -> None:
    await guess(brake, 200)
    begin = clock.now
    async with brake.attempt("ada", STRANGER):
        pass
    assert clock.now - begin <= brake.longest_s


async def test_success_ends_the_delay(brake: SignInBrake) -> None:
    await guess(brake, 9)
    brake.succeeded("ada", STRANGER)
    assert brake.delay_s("ada", STRANGER) == 0


async def test_delay_ends_with_the_window(brake: SignInBrake, clock: Clock) -> None:
    await guess(brake, 9)
    clock.now += brake.window_s
    assert brake.delay_s("ada", STRANGER) == 0


async def test_parallel_guesses_do_not_add_up(clock: Clock) -> None:
    go = asyncio.Event()

    async def wait(_: float) -> None:
        await go.wait()

    brake = SignInBrake(clock=clock, sleep=wait)
    for _ in range(8):
        brake.failed("ada", STRANGER)

    async def attempt() -> None:
        async with brake.attempt("ada", STRANGER):
            pass

    waiting = [asyncio.create_task(attempt()) for _ in range(brake.most_waiting)]
    await asyncio.sleep(0)
    with pytest.raises(TooMany):
        await attempt()
    go.set()
    await asyncio.gather(*waiting)
    await attempt()


async def test_one_address_has_a_share_of_the_processor(brake: SignInBrake) -> None:
    running = most = 0
    go = asyncio.Event()

    async def check(name: str) -> None:
        nonlocal running, most
        async with brake.attempt(name, STRANGER):
            running += 1
            most = max(most, running)
            await go.wait()
            running -= 1

    tasks = [asyncio.create_task(check(f"n{number}")) for number in range(20)]
    await asyncio.sleep(0.01)
    go.set()
    await asyncio.gather(*tasks)
    assert most == brake.most_checks_per_address


async def test_class_behind_one_address_may_sign_in_at_once(brake: SignInBrake) -> None:
    async def sign_in(name: str) -> None:
        async with brake.attempt(name, STRANGER):
            await asyncio.sleep(0)
        brake.succeeded(name, STRANGER)

    await asyncio.gather(*(sign_in(f"student-{number}") for number in range(60)))
