"""qSOFA: the quick Sepsis-related Organ Failure Assessment (Sepsis-3, 2016)."""

from contracts.assessed import Score
from services.inference.scores.news2 import Inputs, altered
from services.inference.scores.tables import Criterion, QsofaTable


def score_qsofa(inputs: Inputs, table: QsofaTable) -> Score:
    """Return the score of ``inputs``: resp_rate, sbp, gcs (else acvpu or confusion), and age.

    ``positive`` is None while the missing parts decide.
    """
    met = {criterion.input: _met(criterion, inputs) for criterion in table.criteria}
    parts = {name: int(value) for name, value in met.items() if value is not None}
    missing = tuple("gcs" if name == "mentation" else name for name in met if name not in parts)
    total = sum(parts.values())
    most = total + len(missing)
    decided = total >= table.positive_from or most < table.positive_from
    reason = out_of_scope(inputs, table)
    return Score(
        name=table.name,
        covered=not reason,
        reason=reason,
        total=total,
        total_min=total,
        total_max=most,
        complete=not missing,
        parts=parts,
        missing=missing,
        positive=total >= table.positive_from if decided else None,
    )


def out_of_scope(inputs: Inputs, table: QsofaTable) -> str:
    """Return why the score is not for this patient, or "". An absent age says nothing here."""
    age = inputs.get("age")
    return "adult_only" if age is not None and float(age) < table.scope.age_years_min else ""


def _met(criterion: Criterion, inputs: Inputs) -> bool | None:
    if criterion.gcs_below is not None:
        gcs = inputs.get("gcs")
        return altered(inputs) if gcs is None else float(gcs) < criterion.gcs_below
    value = inputs.get(criterion.input)
    if value is None:
        return None
    if criterion.at_least is not None:
        return float(value) >= criterion.at_least
    return criterion.at_most is not None and float(value) <= criterion.at_most
