"""What charts say is no name; what somebody is called is one, whatever the lists of charts have."""

import pytest

from services.privacy.name_words import may_be_name
from services.privacy.tagger.doubts import is_doubtful


@pytest.mark.parametrize("name", ["Puja", "Rakhi", "Veena", "Anum"])
def test_what_somebody_is_called_is_no_word_of_charts(name: str) -> None:
    assert may_be_name(name)
    assert not is_doubtful(name, is_cased=True)


@pytest.mark.parametrize("word", ["Paracetamol", "Physio", "Lasix"])
def test_words_of_charts_are_no_names(word: str) -> None:
    assert not may_be_name(word)
    assert is_doubtful(word, is_cased=True)
