"""What needs a processor on which products are of eight bits."""

import pytest

from services.privacy.tagger.products import rounds_here

in_bytes = pytest.mark.skipif(not rounds_here(), reason="no AVX2: products are of 32 bits here")
