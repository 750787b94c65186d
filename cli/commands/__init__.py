"""One module per command; `cli.main` wires them."""
