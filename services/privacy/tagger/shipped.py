"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "ff07b0175557d2de9e8c473023b9b48385222641f6a63f96fb379b3be94096d4"
