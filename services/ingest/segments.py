"""The names of segments that a look at each line of a message asks for."""

from typing import Final

BATCH_SEGMENTS: Final = frozenset({"FHS", "BHS", "BTS", "FTS"})
# Most segments: the look at their names is over with one look-up, which finds the one string that
# all who look for it further on compare by identity.
_USUAL_SEGMENTS: Final = frozenset(
    {
        "AIG", "AIL", "AIP", "AIS", "AL1", "ARV", "DB1", "DG1", "EVN", "FT1", "GT1", "IAM", "IN1",
        "IN2", "IN3", "MRG", "NK1", "NTE", "OBR", "OBX", "ORC", "PD1", "PID", "PR1", "PRB", "PRT",
        "PV1", "PV2", "RGS", "ROL", "RXA", "RXC", "RXD", "RXE", "RXO", "RXR", "SCH", "SFT", "SPM",
        "TQ1", "TQ2", "TXA",
    }
)  # fmt: skip
USUAL_SEGMENTS: Final = {name: name for name in _USUAL_SEGMENTS}
