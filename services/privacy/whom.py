"""Whom an erasure is about: looked up when it is asked for, and again whenever it goes on.

Merges and unlinks come in between, and entries that share an identifier with the person: a message
gave two numbers, another message one of them alone. Whom the officer did not mean is not erased,
and who stays is told (docs/decisions/0026-erasure.md).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from contracts.erasures import Others, Refusal
from contracts.reidentify import TOKENS_PER_CALL_MAX
from services.privacy.erasure_book import About
from services.privacy.folding import term
from services.privacy.links import LinkBook
from services.privacy.people import Person
from services.privacy.vault import Vault

SHARING_MAX = TOKENS_PER_CALL_MAX  # of more, one has the number that senders give to nobody's


@dataclass(frozen=True)
class Whom:
    """``people`` are to be erased: all entries of the person, and of those to be erased together.
    ``others`` share an identifier with them, and stay.
    """

    people: tuple[Person, ...]
    others: tuple[Person, ...] = ()

    @property
    def tokens(self) -> tuple[str, ...]:
        """Return the tokens that are to be erased."""
        return tuple(person.key.token for person in self.people)


async def whom(vault: Vault, links: LinkBook, token: str, others: Others) -> Whom:
    """Return whom an erasure of ``token`` is about as things are now. Raises ``Unavailable``."""
    people = await vault.resolve(await links.one_person([token]))
    sharing = await _sharing(vault, links, people)
    if others == "erase" and len(sharing) <= SHARING_MAX:
        return Whom((*people, *sharing))
    return Whom(tuple(people), tuple(sharing))


async def whom_now(vault: Vault, links: LinkBook, about: About) -> Whom:
    """Return whom an erasure that was asked for would be about now. Raises ``Unavailable``."""
    token = about.asked or next(iter(about.tokens), "")
    return await whom(vault, links, token, about.others)


def is_changed(about: About, now: Whom) -> bool:
    """Say whether an erasure would be about others than were told to who asked for it."""
    if set(about.tokens) != set(now.tokens):
        return True
    # Of an erasure from before it was kept what was asked for, nobody was told who shares.
    return bool(about.asked and now.others and about.others != "keep")


async def changed(vault: Vault, links: LinkBook, about: About) -> Refusal:
    """Return why an erasure may not go on whose person is another now, or "". Raises
    ``Unavailable``.
    """
    return "changed_meanwhile" if is_changed(about, await whom_now(vault, links, about)) else ""


async def _sharing(vault: Vault, links: LinkBook, people: Sequence[Person]) -> list[Person]:
    """Return who shares an identifier with one of ``people``, who shares one with them, and so on;
    each with all that is linked to them. Beyond ``SHARING_MAX`` nobody looks any further.
    """
    known = {person.key.token: person for person in people}
    fresh = list(people)
    while fresh and len(known) - len(people) <= SHARING_MAX:
        ids = _identifiers(fresh)
        named = [t for _, value in sorted(ids) for t in await vault.find_tokens(term(value))]
        found = await vault.resolve([t for t in dict.fromkeys(named) if t not in known])
        tokens = [one.key.token for one in found if not ids.isdisjoint(_identifiers([one]))]
        linked = await vault.resolve(await links.one_person(tokens)) if tokens else []
        fresh = [one for one in linked if one.key.token not in known]
        known |= {one.key.token: one for one in fresh}
    return list(known.values())[len(people) :]


def _identifiers(people: Iterable[Person]) -> set[tuple[str, str]]:
    """Return the assigner and the number of each identifier: what tells two of them apart."""
    return {(one.assigner, one.value) for person in people for one in person.known.ids}
