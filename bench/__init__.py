"""One benchmark per file, ours and its peers in one run."""
