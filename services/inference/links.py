"""Which identifiers are one person: the alias sets, from all of ``identity.merged.v1``.

Every replica reads the whole topic without a group. A link counts when both of its ends say so, so
a half-read change joins nobody.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from hashlib import blake2b

from contracts.merged import IdentityMerged

Aliases = dict[str, int]  # token -> days that move its times into the asker's frame


class LinkTable:
    """The links as read so far. ``version`` only grows; it orders reports of one person."""

    def __init__(self, partition_of: Callable[[str], int]) -> None:
        """``partition_of`` tells the partition of a token in ``clinical.deidentified.v1``."""
        self._partition_of = partition_of
        self._records: dict[str, IdentityMerged] = {}
        self._ends: dict[int, int] = {}
        self._changed: dict[int, set[str]] = defaultdict(set)

    @property
    def version(self) -> int:
        """Return how far the topic has been read: the sum of the offsets over its partitions."""
        return sum(self._ends.values())

    def __len__(self) -> int:
        """Return how many tokens ever had a link."""
        return len(self._records)

    def read(self, record: IdentityMerged, partition: int, offset: int) -> None:
        """Take in one record; an older one of the same token changes nothing."""
        self._ends[partition] = max(self._ends.get(partition, 0), offset + 1)
        known = self._records.get(record.token)
        if known is not None and known.version >= record.version:
            return
        touched = set(self.aliases(record.token))
        self._records[record.token] = record
        touched |= set(self.aliases(record.token))
        for head in {self.head(token) for token in touched}:
            self._changed[self._partition_of(head)].add(head)

    def forget(self, token: str, partition: int, offset: int) -> None:
        """Take in a tombstone: the token has no links any more."""
        self._ends[partition] = max(self._ends.get(partition, 0), offset + 1)
        touched = set(self.aliases(token))
        if self._records.pop(token, None) is not None:
            for head in {self.head(one) for one in touched}:
                self._changed[self._partition_of(head)].add(head)

    def aliases(self, token: str) -> Aliases:
        """Return the tokens of the same person, itself among them with 0 days."""
        found: Aliases = {token: 0}
        waiting = [token]
        while waiting:
            here = waiting.pop()
            for other, days in self._links(here):
                if other not in found:
                    found[other] = found[here] + days
                    waiting.append(other)
        return found

    def head(self, token: str) -> str:
        """Return the token whose partition's owner reports the person: the smallest."""
        return min(self.aliases(token)) if token in self._records else token

    def linked(self, token: str) -> bool:
        """Return whether the person has other tokens."""
        return token in self._records and bool(self._links(token))

    def knows(self, token: str) -> bool:
        """Return whether the token has or ever had a link."""
        return token in self._records

    def fingerprint(self, token: str) -> bytes:
        """Return 8 bytes that tell one alias set from another, and newer records from older: what
        was written about a person's links is followed by a report, also when it changed nothing.
        """
        said = ",".join(
            f"{other}:{days}:{self._records[other].version if other in self._records else 0}"
            for other, days in sorted(self.aliases(token).items())
        )
        return blake2b(said.encode(), digest_size=8).digest()

    def heads(self, partition: int) -> set[str]:
        """Return the heads in ``partition`` of all persons who have or ever had a link."""
        found = {self.head(token) for token in self._records}
        return {head for head in found if self._partition_of(head) == partition}

    def linked_in(self, partition: int) -> set[str]:
        """Return the linked tokens whose facts are in ``partition``."""
        tokens = (token for token in self._records if self._partition_of(token) == partition)
        return {token for token in tokens if self._links(token)}

    def changed(self, partition: int) -> frozenset[str]:
        """Return the heads in ``partition`` whose person changed since they were ``settled``."""
        return frozenset(self._changed.get(partition, ()))

    def settled(self, partition: int, marks: Mapping[str, bytes]) -> None:
        """Say that the reports of heads are written, for the alias sets with these marks."""
        waiting = self._changed[partition]
        waiting.difference_update(h for h, mark in marks.items() if mark == self.fingerprint(h))

    def begin(self) -> None:
        """Forget what changed while the topic was read from its start: what was reported before
        is compared by fingerprint.
        """
        self._changed.clear()

    def _links(self, token: str) -> list[tuple[str, int]]:
        record = self._records.get(token)
        if record is None:
            return []
        return [
            (link.other, link.shift_delta_days)
            for link in record.links
            if self._says(link.other, token)
        ]

    def _says(self, token: str, other: str) -> bool:
        record = self._records.get(token)
        return record is not None and any(link.other == other for link in record.links)
