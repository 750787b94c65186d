"""The erasure API: asked for by one person, confirmed by another, each with a secret of their own.

What is refused is said in a word. Everything is on the audit log before it is done or refused: a
refusal tells who is a patient, and who is here now.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

from msgspec import structs
from starlette.exceptions import HTTPException

from contracts.erasures import (
    ErasureAnswer,
    ErasureRequest,
    ErasureStep,
    HoldAnswer,
    HoldRequest,
    KeyChange,
    KeyChanged,
    Refusal,
)
from contracts.reidentify import TOKENS_PER_CALL_MAX
from plumbing.clock import Clock
from plumbing.key_files import Random
from services.privacy import metrics
from services.privacy.asking import Ambiguous
from services.privacy.audit import Answers
from services.privacy.entitled import Allowance
from services.privacy.erasing import Eraser
from services.privacy.erasure_book import (
    NOBODY,
    TO_ERASE,
    About,
    Book,
    Erasure,
    ErasureBook,
    finished,
)
from services.privacy.folding import term
from services.privacy.links import LinkBook
from services.privacy.patient_keys import KeyUnreadable, staff_token
from services.privacy.people import Person
from services.privacy.proof import answer_of
from services.privacy.resolve import Route
from services.privacy.rewrap import NotSettled
from services.privacy.vault import Vault
from services.privacy.whom import Whom, is_changed, whom, whom_now

PURPOSE = "PATADMIN"


@dataclass(frozen=True)
class Act:
    """What a member of staff (their token) is about to do, as the audit log says it."""

    viewer: str
    action: str
    purpose: str


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
    allowance: Allowance

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
        act = Act(self._staff(asked.viewer), "erasure_request", asked.purpose)
        if not self.eraser.rewrap.can_change:
            await self._refuse(409, "keys_are_read_only", act)
        token = await self._token(asked, act)
        found = await whom(self.vault, self.links, token, asked.others)
        await self._require_known(found.people, act)
        tokens = found.tokens
        await self._require_allowed(tokens, act)
        if self._is_asked_for(await self.book.read(), tokens):
            await self._refuse(409, "asked_for_already", act, tokens)
        if found.others and asked.others != "keep":
            await self._tell_sharing(found, act)
        name = self.random_bytes(8).hex()
        await self._note(act, tokens)
        links = tuple(person.link for person in found.people)
        about = About(tokens, links, asked=token, others=asked.others)
        erasure = Erasure(
            id=name,
            state="requested",
            basis=asked.purpose,
            requested_by=act.viewer,
            requested_at_ms=self.clock.now_ms(),
            identifiers=len(tokens),
            others_kept=len(found.others),
        )

        def make(book: Book) -> None:
            if self._is_asked_for(book, tokens):  # another may have asked meanwhile
                raise HTTPException(409, "asked_for_already")
            # Not before: a change of the key seals anew what stands in the book.
            book[name] = structs.replace(erasure, sealed=self.book.seal_about(name, about))

        await self.book.change(make, TO_ERASE)
        return _answer(erasure)

    async def confirm(self, asked: ErasureStep) -> ErasureAnswer:
        """Confirm as the second person: from now on it is done, whatever happens."""
        act = Act(self._staff(asked.viewer), "erasure_confirm", PURPOSE)
        erasure = await self._waiting(asked.erasure, act)
        act = replace(act, purpose=erasure.basis)
        about = self.book.about(erasure)
        if act.viewer == erasure.requested_by:
            await self._refuse(403, "second_person", act, about.tokens)
        now = await whom_now(self.vault, self.links, about)
        if is_changed(about, now):
            await self._end_changed(erasure, act, about.tokens)
        await self._require_allowed(about.tokens, act)
        await self._note(act, about.tokens)
        changed = structs.replace(
            erasure,
            state="confirmed",
            confirmed_by=act.viewer,
            confirmed_at_ms=self.clock.now_ms(),
            others_kept=len(now.others),
        )
        await self._change(erasure, changed)
        self.eraser.due.set()
        return _answer(changed)

    async def withdraw(self, asked: ErasureStep) -> ErasureAnswer:
        """Take a request back that nobody has confirmed."""
        act = Act(self._staff(asked.viewer), "erasure_withdraw", PURPOSE)
        erasure = await self._waiting(asked.erasure, act)
        await self._note(replace(act, purpose=erasure.basis), self.book.about(erasure).tokens)
        changed = finished(erasure, "withdrawn")
        await self._change(erasure, changed)
        metrics.ERASURES.labels("withdrawn").inc()
        return _answer(changed)

    async def show(self, asked: ErasureStep) -> ErasureAnswer:
        """Tell how far it is, with the proof when it is done."""
        erasure = (await self.book.read()).get(asked.erasure)
        proof = await self.book.proof(asked.erasure)
        if erasure is None and proof:  # so long ago that only the proof is kept
            return answer_of(proof)
        if erasure is None:
            raise HTTPException(404, "unknown")
        proof = proof if erasure.state == "done" else b""
        return structs.replace(_answer(erasure), proof=proof)

    async def hold(self, asked: HoldRequest) -> HoldAnswer:
        """Put a person under legal hold, or end that."""
        action = "legal_hold" if asked.hold else "legal_hold_end"
        act = Act(self._staff(asked.viewer), action, "LEGAL")
        token = await self._token(asked, act)
        people = await self.vault.resolve(await self.links.one_person([token]))
        await self._require_known(people, act)
        await self._note(act, [one.key.token for one in people])
        await self.vault.hold([person.link for person in people], hold=asked.hold)
        return HoldAnswer(identifiers=len(people), hold=asked.hold)

    async def rewrap(self, asked: KeyChange) -> KeyChanged:
        """Change the key-encryption key; answers when the old one is destroyed."""
        await self.audit.acted(self._staff(asked.viewer), "key_change", "", PURPOSE)
        try:
            destroyed, verified = await self.eraser.change_key()
        except (OSError, NotSettled, KeyUnreadable) as error:
            raise HTTPException(409, "keys_cannot_be_changed") from error
        kek_id = self.eraser.rewrap.current_id
        names = tuple(one.kek_id for one in destroyed)
        return KeyChanged(kek_id=kek_id, destroyed=names, rewrapped=verified)

    async def _token(self, asked: ErasureRequest | HoldRequest, act: Act) -> str:
        """Return the token that is asked for, or the one of the number."""
        if bool(asked.token) == bool(asked.number):
            await self._refuse(422, "token_or_number", act)
        number = term(asked.number)
        # Whoever holds the secret can name any viewer: all of them together have one limit.
        if not self.allowance.takes("", [asked.token or number], self.clock.monotonic_s()):
            await self._refuse(429, "too_many", act)
        if asked.token:
            return asked.token
        found = await self.vault.find_numbers(number)
        if not found:
            await self._refuse(404, "unknown", act)
        others = set(found).difference(await self.links.one_person(found[:1]))
        if others:
            tokens = [token for token in found if token in others or token == found[0]]
            await self.audit.looked(act.viewer, "find", tokens, act.purpose)
            raise Ambiguous("several_persons", tokens)
        return found[0]

    async def _require_known(self, people: Sequence[Person], act: Act) -> None:
        if not people:
            await self._refuse(404, "unknown", act)

    async def _require_allowed(self, tokens: Sequence[str], act: Act) -> None:
        refusal = await self.eraser.refusal(tokens)
        if refusal:
            await self._refuse(409, refusal, act, tokens)

    async def _tell_sharing(self, found: Whom, act: Act) -> NoReturn:
        """Have it said what becomes of others who share an identifier with the person."""
        word, tokens = "shares_an_identifier", [one.key.token for one in found.others]
        tokens = tokens[:TOKENS_PER_CALL_MAX]
        await self.audit.looked(act.viewer, "find", tokens, act.purpose)
        await self._note(act, found.tokens, word)
        raise Ambiguous(word, tokens)

    async def _end_changed(self, erasure: Erasure, act: Act, tokens: Sequence[str]) -> NoReturn:
        """End an erasure whose person is another by now: it has to be asked for again."""
        word: Refusal = "changed_meanwhile"
        await self._note(act, tokens, word)
        await self._change(erasure, structs.replace(finished(erasure, "refused"), refusal=word))
        metrics.ERASURES.labels("refused").inc()
        raise HTTPException(409, word)

    def _is_asked_for(self, book: Book, tokens: Sequence[str]) -> bool:
        # Whom one is about of which only the proof is due nobody can tell any more.
        open_ones = [one for one in book.values() if not self.eraser.is_proof_due(one)]
        abouts = [self.book.readable(one) or NOBODY for one in open_ones]
        return any(not set(about.tokens).isdisjoint(tokens) for about in abouts)

    async def _waiting(self, name: str, act: Act) -> Erasure:
        erasure = (await self.book.read()).get(name)
        if erasure is None:
            await self._refuse(404, "unknown", act)
        if erasure.state != "requested":
            await self._refuse(409, erasure.state, act)
        if self.book.readable(erasure) is None:
            await self._refuse(409, "unreadable", act)
        return erasure

    async def _change(self, before: Erasure, after: Erasure) -> None:
        def make(book: Book) -> None:
            held = book.get(before.id)
            if held is None or held.state != before.state:
                raise HTTPException(409, "changed_meanwhile")
            book[before.id] = structs.replace(after, sealed=held.sealed if after.sealed else b"")

        await self.book.change(make)

    def _staff(self, viewer: str) -> str:
        """Return the token of a person however their number is written: they are one."""
        folded = term(viewer)
        if not folded:
            raise HTTPException(422, "viewer")
        return staff_token(self.staff_key, folded)

    async def _note(self, act: Act, tokens: Sequence[str], refused: str = "") -> None:
        """Write down what is done to ``tokens``, or in which word it is ``refused``."""
        outcome = f"refused_{refused}" if refused else "done"
        if refused:
            metrics.REFUSED_LOOKS.labels(refused).inc()
        for token in tokens or ("",):
            await self.audit.acted(act.viewer, act.action, token, act.purpose, outcome)

    async def _refuse(
        self, status: int, word: str, act: Act, tokens: Sequence[str] = ()
    ) -> NoReturn:
        """Refuse, and write that down."""
        await self._note(act, tokens, word)
        raise HTTPException(status, word)


def _answer(erasure: Erasure) -> ErasureAnswer:
    return ErasureAnswer(
        erasure=erasure.id,
        state=erasure.state,
        refusal=erasure.refusal,
        identifiers=erasure.identifiers,
        others_kept=erasure.others_kept,
    )
