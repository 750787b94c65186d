"""privacy: IdentifiedEvent -> DeidentifiedEvent; the only part that knows who a token is."""
