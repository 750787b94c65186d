"""One network a file, the whole network in it; the registry's allow-list names them."""
