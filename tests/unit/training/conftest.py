import pytest

from training.deid.corpus import Writer


@pytest.fixture(scope="session")
def writer() -> Writer:
    """Return a writer of texts; `begin_again` before what must come again."""
    return Writer(seed=3)
