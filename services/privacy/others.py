"""What other persons' entries were told of somebody who is erased: finding it, taking it out.

They are found by the number, wherever it stands: told by a merge, by a message with both numbers,
at second hand, by an event that was refused, or by a merge whose link is not written yet.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from contracts.identified import PatientId
from services.privacy.erasure_book import Told
from services.privacy.folding import term
from services.privacy.identity import VALUE_CHARS_MAX, KnownIdentity, without
from services.privacy.people import Person
from services.privacy.vault import Vault
from services.privacy.vault_records import RECORDS, is_person

TURN = 100  # entries opened between which others have their turn: a few milliseconds


@dataclass(frozen=True)
class Others:
    """Reads and changes the vault. Every call raises ``Unavailable``."""

    vault: Vault

    async def told(
        self, people: Iterable[KnownIdentity], own: Collection[str], linked: Sequence[str] = ()
    ) -> list[Person]:
        """Return who was told of ``people``, and in any case whom they were ever ``linked``
        with (tokens); not those with the ``own`` links.
        """
        ids = [identifier for known in people for identifier in known.ids]
        found = await self.vault.resolve(linked)
        found += await self._with_numbers(ids) if ids else []
        by_link = {person.link: person for person in found if person.link not in own}
        return list(by_link.values())

    async def strip(self, told: Iterable[Told]) -> None:
        """Take out of entries what they were told, and again what is written meanwhile."""
        for one in told:
            await self.vault.change(one.links, partial(_stripped, of=one.people))

    async def _with_numbers(self, ids: Iterable[PatientId]) -> list[Person]:
        """Return all in whose entries one of these numbers stands, however written."""
        numbers = {term(one.value[:VALUE_CHARS_MAX]) for one in ids}
        found: list[Person] = []
        await self.vault.mirror.read(())  # a hash that was emptied is filled first
        async for items in self.vault.mirror.fields():
            raws = [raw[1:] for name, raw in items if is_person(raw) and name[:1] != RECORDS]
            for first in range(0, len(raws), TURN):
                people = self.vault.readable(raws[first : first + TURN])
                found += [person for person in people if _has(person.known, numbers)]
                await asyncio.sleep(0)
        return found


def _has(known: KnownIdentity, numbers: Collection[str]) -> bool:
    said = (*known.others.get("ID", ()), *(one.value for one in known.ids))
    return any(term(value) in numbers for value in said)


def _stripped(other: Person, of: Iterable[KnownIdentity]) -> Person:
    known = other.known
    for one in of:
        known = without(known, one)
    return other.knowing(known)
