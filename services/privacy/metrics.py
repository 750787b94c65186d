"""What privacy tells about itself. Labels are closed sets; none names a patient."""

from plumbing.metrics import counter, gauge, histogram

EVENTS = counter("privacy_events_total", "Events de-identified.", labels=("event_type",))
ERASED_EVENTS = counter(
    "privacy_events_erased_total",
    "Events of erased persons, received before their erasure: dropped when they come again.",
)
NON_CLINICAL = counter(
    "privacy_events_non_clinical_total", "Events that stop here because they are not clinical."
)
REFUSED = counter(
    "privacy_events_refused_total",
    "Events sent to the rejected topic: seal_broken, key_expired, body_undecodable, no_identifier "
    "or identity_guard.",
    labels=("code",),
)
NOTES = counter(
    "privacy_notes_total",
    "Notes and text results by what became of them: passed or the code why one was held back.",
    labels=("result",),
)
IMAGES = counter(
    "privacy_images_total",
    "Images by what became of them: passed or the code why one was held back.",
    labels=("result",),
)
IMAGE_SECONDS = histogram(
    "privacy_image_seconds",
    "Time to clean an image, the wait for the decoding process included.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20),
)
NOTE_SPANS = counter(
    "privacy_note_spans_total",
    "Spans found in free text by the layer that found them (known, near, form, listed, tagger,"
    " site, repeat) and kind;"
    " several layers may find the same.",
    labels=("layer", "kind"),
)
SITE_RECOGNIZER_FAILURES = counter(
    "privacy_site_recognizer_failures_total",
    "Notes held back because of one of the site's recognisers, by its name and code:"
    " site_recognizer_time (out of time) or site_recognizer_failed.",
    labels=("recognizer", "code"),
)
BATCH_SECONDS = histogram(
    "privacy_batch_seconds",
    "From a batch to its outputs, the vault included.",
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
KEYS_MINTED = counter("privacy_keys_minted_total", "Patient keys made for new identifiers.")
REWRAPPED = counter(
    "privacy_vault_entries_rewrapped_total",
    "Vault entries wrapped anew under another key-encryption key.",
)
ERASURES = counter(
    "privacy_erasures_total",
    "Erasures by what became of them: done, refused or withdrawn.",
    labels=("state",),
)
ERASURES_WAITING = gauge(
    "privacy_erasures_waiting",
    "Erasures that are confirmed and not finished; for minutes only.",
)
ROTATION_FAILURES = counter(
    "privacy_key_rotation_failures_total",
    "Times the sealing keys that were due could not be made or destroyed; tried again.",
)
SEALING_KEYS_UNTIL = gauge(
    "privacy_sealing_keys_until_timestamp_seconds",
    "When the last day ends that has a public sealing key, in Unix time; 0: there is none.",
)
MIRROR_APPLIED = counter(
    "privacy_mirror_records_total",
    "Records read back from a compacted topic into Redis: at the start, after a loss, after "
    "another replica's write.",
    labels=("topic",),
)
MIRROR_LOSSES = counter(
    "privacy_mirror_losses_total",
    "Times Redis was found emptied or older than what was known, and rebuilt.",
    labels=("topic",),
)
VAULT_UNREADABLE = counter(
    "privacy_vault_unreadable_total",
    "Times an entry of the vault did not open: altered, or of a key that is not here.",
)
GLASS_BROKEN = counter(
    "privacy_glass_broken_total",
    "Openings of patients without a care relation, for emergency treatment.",
    labels=("reason",),
)
ANONYMITY_SMALLEST = gauge(
    "privacy_anonymity_smallest_class",
    "Patients in the smallest class of those seen in a day: age band and sex with a place, an "
    "area, a condition, or the last two. 0: no class.",
    labels=("kind",),
)
ANONYMITY_CLASSES = gauge(
    "privacy_anonymity_classes",
    "Classes with fewer than 5 patients (below) and the others (at_least).",
    labels=("kind", "size"),
)
ANONYMITY_PATIENTS = gauge(
    "privacy_anonymity_patients_below",
    "Patients in classes of fewer than 5.",
    labels=("kind",),
)
GUARD_HITS = counter(
    "privacy_guard_hits_total",
    "Records that the guard held back, by whether the hit counts against its source.",
    labels=("counted",),
)
REFUSED_LOOKS = counter(
    "privacy_looks_refused_total",
    "Questions refused, by the word that the resolve and the erasure API refuse them with.",
    labels=("why",),
)
RELATIONS = counter("privacy_relations_total", "Care relations written.")
LINKS = counter("privacy_links_total", "Changes of identity links.", labels=("change",))
RESOLVE_SECONDS = histogram(
    "privacy_resolve_seconds", "Time of a call of the resolve API.", labels=("route", "status")
)
