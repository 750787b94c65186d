"""Whom each entry of a bundle speaks of: one draft for each patient, in order of appearance."""

from collections.abc import Callable

from services.ingest.fhir_bundle import Bundle, Entry
from services.ingest.fhir_draft import FhirDraft
from services.ingest.fhir_json import Node, node
from services.ingest.fhir_people import ids_of_reference, link_logical, patient

SUBJECT_FIELDS = ("subject", "patient", "beneficiary")
VISITS = frozenset({"Encounter", "EpisodeOfCare"})
VISIT_FIELDS = ("encounter", "context")


class Subjects:
    """The drafts of a bundle by patient."""

    def __init__(self, bundle: Bundle, make: Callable[[], FhirDraft]) -> None:
        """Start without patients; ``make`` returns an empty draft."""
        self._bundle, self._make = bundle, make
        self._drafts: dict[object, FhirDraft] = {}
        self._patients = [entry for entry in bundle.entries if entry.kind == "Patient"]

    @property
    def drafts(self) -> list[FhirDraft]:
        """Return the drafts so far."""
        return list(self._drafts.values())

    def of(self, entry: Entry) -> FhirDraft | str:
        """Return the draft of the patient an entry speaks of, or why there is none (a code)."""
        if entry.kind == "Patient":
            return self._of_patient(entry)
        reference = self._reference(entry)
        if reference is None:
            visit = self._visit(entry)
            if visit is not None:
                return self.of(visit)
            if len(self._patients) != 1:
                return "no_subject"
            draft = self._of_patient(self._patients[0])
            draft.find(entry.path, "subject_assumed", "names no patient; the bundle has one")
            return draft
        return self._of_reference(reference, entry)

    def named(self, entry: Entry) -> FhirDraft | None:
        """Return the draft of the patient that an entry names itself, None where it names none."""
        reference = self._reference(entry)
        found = self._of_reference(reference, entry) if reference else None
        return None if isinstance(found, str) else found

    def _reference(self, entry: Entry) -> Node | None:
        references = (node(entry.resource.get(name)) for name in SUBJECT_FIELDS)
        return next((one for one in references if one), None)

    def _of_reference(self, reference: Node, entry: Entry) -> FhirDraft | str:
        found = self._bundle.resolve(reference, entry)
        if found is not None:
            return self._of_patient(found) if found.kind == "Patient" else "subject_not_patient"
        draft = self._make()
        draft.ids = ids_of_reference(draft, reference, entry)
        if not draft.ids:
            return "reference_unresolved"
        first = draft.ids[0]
        key = (first.assigner, first.value)
        if key not in self._drafts:
            link_logical(draft)
            self._drafts[key] = draft
        return self._drafts[key]

    def _of_patient(self, entry: Entry) -> FhirDraft:
        key = (entry.place, entry.path)
        draft = self._drafts.get(key)
        if draft is None:
            draft = self._drafts[key] = self._make()
            patient(draft, entry)
            draft.entries[entry.place] = None
            draft.kinds.add("Patient")
        return draft

    def _visit(self, entry: Entry) -> Entry | None:
        for name in VISIT_FIELDS:
            reference = node(entry.resource.get(name))
            # DocumentReference.context is an element that holds the encounter.
            reference = node(reference.get("encounter")) or reference
            found = self._bundle.resolve(reference, entry) if reference else None
            if found is not None and found.kind in VISITS and self._reference(found):
                return found
        return None
