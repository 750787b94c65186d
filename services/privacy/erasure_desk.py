"""The erasure API: asked for by one person, confirmed by another, each with a secret of their own.

What is refused is said in a word. Everything is on the audit log before it is done.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec.structs import replace
from starlette.exceptions import HTTPException

from contracts.erasures import (
    Basis,
    ErasureAnswer,
    ErasureRequest,
    ErasureStep,
    HoldAnswer,
    HoldRequest,
    KeyChange,
    KeyChanged,
)
from plumbing.clock import Clock
from plumbing.key_files import Random
from services.privacy import metrics
from services.privacy.asking import Ambiguous
from services.privacy.audit import Answers
from services.privacy.erasing import Eraser
from services.privacy.erasure_book import About, Book, Erasure, ErasureBook, finished
from services.privacy.folding import term
from services.privacy.links import LinkBook
from services.privacy.patient_keys import staff_token
from services.privacy.people import Person
from services.privacy.resolve import Route
from services.privacy.rewrap import NotSettled
from services.privacy.vault import Vault

PURPOSE = "PATADMIN"


@dataclass(frozen=True)
class ErasureDesk:
    """What answers. Every call raises ``Unavailable`` when it cannot be answered."""

    book: ErasureBook
    vault: Vault
    links: LinkBook
    eraser: Eraser
    audit: Answers
    staff_key: bytes
    clock: Clock
    random_bytes: Random

    def routes(self, tokens: tuple[str, str] | None) -> Sequence[Route]:
        """Return the questions; without the two secrets nobody can ask any."""
        request, confirm = tokens or ("", "")
        either = [token for token in (request, confirm) if token]
        return [
            ("erasures/request", ErasureRequest, self.request, either[:1]),
            ("erasures/confirm", ErasureStep, self.confirm, either[1:]),
            ("erasures/withdraw", ErasureStep, self.withdraw, either),
            ("erasures/show", ErasureStep, self.show, either),
            ("erasures/hold", HoldRequest, self.hold, either),
            ("keys/rewrap", KeyChange, self.rewrap, either),
        ]

    async def request(self, asked: ErasureRequest) -> ErasureAnswer:
        """Ask for an erasure; it waits for a second person."""
        if not self.eraser.rewrap.can_change:
            raise HTTPException(409, "keys_are_read_only")
        people = await self._people(asked, asked.purpose)
        tokens = [person.key.token for person in people]
        await self._require_allowed(tokens)
        self._require_first(await self.book.read(), tokens)
        name = self.random_bytes(8).hex()
        await self._note(asked.viewer, "erasure_request", tokens, asked.purpose)
        about = About(tuple(tokens), tuple(person.link for person in people))
        erasure = Erasure(
            id=name,
            state="requested",
            basis=asked.purpose,
            requested_by=self._staff(asked.viewer),
            requested_at_ms=self.clock.now_ms(),
            sealed=self.book.seal_about(name, about),
            identifiers=len(tokens),
        )

        def make(book: Book) -> None:
            self._require_first(book, tokens)  # another may have asked meanwhile
            book[name] = erasure

        await self.book.change(make)
        return _answer(erasure)

    async def confirm(self, asked: ErasureStep) -> ErasureAnswer:
        """Confirm as the second person: from now on it is done, whatever happens."""
        erasure = await self._waiting(asked.erasure)
        viewer = self._staff(asked.viewer)
        if viewer == erasure.requested_by:
            raise HTTPException(403, "second_person")
        tokens = self.book.about(erasure).tokens
        await self._require_allowed(tokens)
        await self._note(asked.viewer, "erasure_confirm", tokens, erasure.basis)
        at_ms = self.clock.now_ms()
        changed = replace(erasure, state="confirmed", confirmed_by=viewer, confirmed_at_ms=at_ms)
        await self._change(erasure, changed)
        self.eraser.due.set()
        return _answer(changed)

    async def withdraw(self, asked: ErasureStep) -> ErasureAnswer:
        """Take a request back that nobody has confirmed."""
        erasure = await self._waiting(asked.erasure)
        tokens = self.book.about(erasure).tokens
        await self._note(asked.viewer, "erasure_withdraw", tokens, erasure.basis)
        changed = finished(erasure, "withdrawn")
        await self._change(erasure, changed)
        metrics.ERASURES.labels("withdrawn").inc()
        return _answer(changed)

    async def show(self, asked: ErasureStep) -> ErasureAnswer:
        """Tell how far it is, with the proof when it is done."""
        erasure = (await self.book.read()).get(asked.erasure)
        if erasure is None:
            raise HTTPException(404, "unknown")
        proof = await self.book.proof(erasure.id) if erasure.state == "done" else b""
        return replace(_answer(erasure), proof=proof)

    async def hold(self, asked: HoldRequest) -> HoldAnswer:
        """Put a person under legal hold, or end that."""
        people = await self._people(asked, "LEGAL")
        action = "legal_hold" if asked.hold else "legal_hold_end"
        await self._note(asked.viewer, action, [one.key.token for one in people], "LEGAL")
        await self.vault.hold([person.link for person in people], hold=asked.hold)
        return HoldAnswer(identifiers=len(people), hold=asked.hold)

    async def rewrap(self, asked: KeyChange) -> KeyChanged:
        """Change the key-encryption key; answers when the old one is destroyed."""
        await self.audit.acted(self._staff(asked.viewer), "key_change", "", PURPOSE)
        try:
            destroyed, verified = await self.eraser.change_key()
        except (OSError, NotSettled) as error:
            raise HTTPException(409, "keys_cannot_be_changed") from error
        kek_id = self.eraser.rewrap.current_id
        names = tuple(one.kek_id for one in destroyed)
        return KeyChanged(kek_id=kek_id, destroyed=names, rewrapped=verified)

    async def _people(self, asked: ErasureRequest | HoldRequest, purpose: Basis) -> list[Person]:
        """Return the person's identifiers, all that are linked to the one asked for."""
        if bool(asked.token) == bool(asked.number):
            raise HTTPException(422, "token_or_number")
        found = [asked.token] if asked.token else await self.vault.find_numbers(term(asked.number))
        others = set(found).difference(await self.links.one_person(found[:1]))
        if others:
            tokens = [token for token in found if token in others or token == found[0]]
            await self.audit.looked(self._staff(asked.viewer), "find", tokens, purpose)
            raise Ambiguous("several_persons", tokens)
        people = await self.vault.resolve(await self.links.one_person(found)) if found else []
        if not people:
            raise HTTPException(404, "unknown")
        return people

    async def _require_allowed(self, tokens: Sequence[str]) -> None:
        refusal = await self.eraser.refusal(tokens)
        if refusal:
            raise HTTPException(409, refusal)

    def _require_first(self, book: Book, tokens: Sequence[str]) -> None:
        # Whom one is about of which only the proof is due nobody can tell any more.
        open_ones = [one for one in book.values() if not self.eraser.is_proof_due(one)]
        if any(not set(self.book.about(one).tokens).isdisjoint(tokens) for one in open_ones):
            raise HTTPException(409, "asked_for_already")

    async def _waiting(self, name: str) -> Erasure:
        erasure = (await self.book.read()).get(name)
        if erasure is None:
            raise HTTPException(404, "unknown")
        if erasure.state != "requested":
            raise HTTPException(409, erasure.state)
        return erasure

    async def _change(self, before: Erasure, after: Erasure) -> None:
        def make(book: Book) -> None:
            held = book.get(before.id)
            if held is None or held.state != before.state:
                raise HTTPException(409, "changed_meanwhile")
            book[before.id] = replace(after, sealed=held.sealed if after.sealed else b"")

        await self.book.change(make)

    def _staff(self, viewer: str) -> str:
        """Return the token of a person however their number is written: they are one."""
        folded = term(viewer)
        if not folded:
            raise HTTPException(422, "viewer")
        return staff_token(self.staff_key, folded)

    async def _note(self, viewer: str, action: str, tokens: Sequence[str], purpose: str) -> None:
        for token in tokens:
            await self.audit.acted(self._staff(viewer), action, token, purpose)


def _answer(erasure: Erasure) -> ErasureAnswer:
    return ErasureAnswer(
        erasure=erasure.id,
        state=erasure.state,
        refusal=erasure.refusal,
        identifiers=erasure.identifiers,
    )
