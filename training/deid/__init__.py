"""The tagger of names, places and numbers in notes: its texts, its training, its scores."""
