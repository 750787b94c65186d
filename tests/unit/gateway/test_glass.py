"""The cookie of a broken glass: for one viewer, session and person, for its time."""

from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from fastapi import Request, Response

from contracts.topic import DAY_MS
from plumbing.clock import ManualClock
from services.gateway.access import Viewer
from services.gateway.glass import REASONS, Glasses
from services.gateway.people import Person, Related, TokenState, person
from tests.support.gateway_world import NOON_MS, a_relation

KEY = bytes(range(32))
VIEWER = Viewer(
    "D7", "Somebody", frozenset({"clinician"}), frozenset({"W1"}), NOON_MS + DAY_MS, session="s1"
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(wall_ms=NOON_MS)


def someone(token: str) -> Person:
    return person(token, {}, {token: TokenState(related=Related(a_relation(token, "W9"), NOON_MS))})


def glasses(clock: ManualClock, key: bytes = KEY, *, secure: bool = False) -> Glasses:
    return Glasses(key, 60, clock, secure=secure)


def cookies_of(made: Glasses, viewer: Viewer, about: Person) -> SimpleCookie:
    response = Response()
    made.keep(response, viewer, made.broken(about, "emergency"))
    return SimpleCookie(response.headers["set-cookie"])


def asking(jar: SimpleCookie) -> Request:
    sent = "; ".join(f"{name}={one.value}" for name, one in jar.items())
    return Request({"type": "http", "headers": [(b"cookie", sent.encode())]})


def test_it_opens_that_patient_for_its_time(clock: ManualClock) -> None:
    made, about = glasses(clock), someone("t")
    request = asking(cookies_of(made, VIEWER, about))
    found = made.over(request, VIEWER, about)
    assert found is not None
    assert (found.token, found.reason, found.until_ms) == ("t", "emergency", NOON_MS + 3_600_000)
    clock.advance(3_599)
    assert made.over(request, VIEWER, about) == found
    clock.advance(1)
    assert made.over(request, VIEWER, about) is None


def test_it_opens_nothing_else(clock: ManualClock) -> None:
    made, about = glasses(clock), someone("t")
    jar = cookies_of(made, VIEWER, about)
    request = asking(jar)
    assert made.over(request, VIEWER, someone("other")) is None
    assert made.over(request, VIEWER, None) is None
    assert made.over(request, None, about) is None
    assert made.over(request, replace(VIEWER, session="s2"), about) is None
    assert made.over(request, replace(VIEWER, subject="D8"), about) is None
    assert glasses(clock, bytes(32)).over(request, VIEWER, about) is None
    (name,) = jar
    (theirs,) = cookies_of(made, VIEWER, someone("other"))
    renamed = SimpleCookie({theirs: jar[name].value})
    assert made.over(asking(renamed), VIEWER, someone("other")) is None
    jar[name] = jar[name].value[:-1] + ("A" if jar[name].value[-1] != "A" else "B")
    assert made.over(asking(jar), VIEWER, about) is None


def test_it_follows_the_person_through_a_merge(clock: ManualClock) -> None:
    made = glasses(clock)
    request = asking(cookies_of(made, VIEWER, someone("b")))
    merged = replace(someone("b"), id="a", aliases=("a", "b"))
    found = made.over(request, VIEWER, merged)
    assert found is not None


@pytest.mark.parametrize("secure", [True, False])
def test_the_cookie_is_for_the_patients_routes_alone(clock: ManualClock, *, secure: bool) -> None:
    ((name, one),) = cookies_of(glasses(clock, secure=secure), VIEWER, someone("t")).items()
    assert (one["path"], one["samesite"], one["max-age"]) == ("/v1/patients", "strict", "3600")
    assert one["httponly"]
    assert bool(one["secure"]) is secure is name.startswith("__Secure-")
    assert "t" not in name.removeprefix("__Secure-").removeprefix("auscult_glass_")


def test_reasons_are_those_of_the_contract() -> None:
    assert sorted(REASONS) == ["consultation", "covering", "emergency", "handover"]
