"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "90ca0fa44e85f248bc84039b41a0c4610b457ac4e11f594faab923d72d7f4674"
