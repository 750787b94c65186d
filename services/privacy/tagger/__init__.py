"""The fourth layer of the scrub: a network that reads characters, one for both languages."""
