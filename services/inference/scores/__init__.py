"""Rule-based scores, pure: named inputs in, a ``contracts.assessed.Score`` out.

Inputs have the names of the ``auscult score`` contract (resp_rate, spo2, on_oxygen, ..); an absent
one is missing, and then the true total lies in ``total_min``..``total_max``.
"""
