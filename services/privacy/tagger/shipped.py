"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "aa1c53a68990eec2fb1b87e09374e3e9b17bb2a168251f068063e3288d8d37d7"
