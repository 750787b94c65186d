"""Images: what of one identifies nobody. ``cleaning.clean`` is the whole of it."""
