"""The shared nouns: events, topics and the one HTTP contract. Nothing here knows a service."""
