"""Why an image does not pass: a closed set of codes, which travel on the event and in metrics."""

NOT_HERE = "not_here"  # its bytes are not where the event says: expired, or altered
UNDECODABLE = "undecodable"  # broken, cut off, or not what it says it is
TOO_LARGE = "too_large"  # in bytes, pixels or memory
TOO_SLOW = "too_slow"  # the time for one image ran out
NO_TIME = "no_time"  # the time for the images of its event, or of its sender, was used up
DECODER_FAILED = "decoder_failed"  # the process that decodes died of it
UNSUPPORTED = "unsupported"  # a kind, compression or number of frames that is not read
DOCUMENT = "document"  # an encapsulated document, report or presentation state
SHOWS_TEXT = "shows_text"  # letters in the pixels, by its own word or by what was found
SHOWS_FACE = "shows_face"  # a head: a face can be rebuilt from it
PHOTOGRAPH = "photograph"  # in colour, or by a camera
UNKNOWN_SUBJECT = "unknown_subject"  # nothing says which part of the body it shows
NO_ROOM = "no_room"  # the event has no room for it
OFF = "off"  # images are not read on this site

ALL = frozenset(
    {
        NOT_HERE, UNDECODABLE, TOO_LARGE, TOO_SLOW, NO_TIME, DECODER_FAILED, UNSUPPORTED,
        DOCUMENT, SHOWS_TEXT, SHOWS_FACE, PHOTOGRAPH, UNKNOWN_SUBJECT, NO_ROOM, OFF,
    }
)  # fmt: skip


class ImageRefused(Exception):
    """The image cannot pass; ``code`` is one of ``ALL``. Its event passes without it."""

    def __init__(self, code: str) -> None:
        """Keep the code."""
        super().__init__(code)
        self.code = code
