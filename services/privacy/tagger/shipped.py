"""Which tagger this release was tested with."""

SHIPPED_DIGEST = "befdb630068850209d46f969edb1cb3d2099bcc4793bc9b0dd9235a64d858514"
