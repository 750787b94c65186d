"""An error's type is its fate: reject the record, retry, or (any other type) crash."""


class MalformedEvent(Exception):
    """One record that can never be handled: it goes to the rejected topic with ``code``.

    ``code`` is a short fixed word; the message of the exception never holds content.
    """

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code


class Unavailable(Exception):
    """Something outside is away for now (Kafka, Redis): the same work is tried again."""


class Superseded(Exception):
    """Another process has taken this one's place (its transactional name): it must end."""
