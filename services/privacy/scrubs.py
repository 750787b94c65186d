"""The scrubs of the patients seen last, each ready for the next event of its visit."""

from collections import OrderedDict
from collections.abc import Iterable

from contracts.identified import IdentifiedBody
from services.privacy.identity import NOBODY
from services.privacy.people import Person
from services.privacy.primed import NO_VISIT, Primed, beyond, primed_for
from services.privacy.spans import Finder

KEPT_MAX = 2_000


class Scrubs:
    """At most ``KEPT_MAX`` of them, none of a person who was erased."""

    def __init__(self, tagger: Finder | None, site: Finder | None) -> None:
        """Keep what they look with."""
        self._tagger, self._site = tagger, site
        self._kept: OrderedDict[str, Primed] = OrderedDict()
        self._erased: set[str] = set()

    def forget(self, links: Iterable[str], tokens: Iterable[str]) -> None:
        """Forget the scrub of patients who were erased, and that these tokens were theirs."""
        for link in links:
            self._kept.pop(link, None)
        self._erased.update(tokens)

    def is_erased(self, token: str) -> bool:
        """Return whether the person of a token was erased here: it may have been read before."""
        return token in self._erased

    def of(self, person: Person, body: IdentifiedBody) -> Primed:
        """Return the scrub of an event of a person, who is not erased."""
        visit = body.encounter or NO_VISIT
        kept = self._kept.get(person.link)
        more = beyond(person.known, body)
        if (
            kept is not None
            and more is NOBODY
            and (kept.staff, kept.visit_number) == (visit.staff, visit.number)
            and kept.identity == person.known
        ):
            self._kept.move_to_end(person.link)
            return kept
        primed = primed_for(person.known, body, more, self._tagger, self._site)
        if not primed.is_whole:
            return primed
        self._kept[person.link] = primed
        if len(self._kept) > KEPT_MAX:
            self._kept.popitem(last=False)
        return primed
