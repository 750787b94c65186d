"""ingest: MLLP and HTTP in, clinical.identified.v1 out."""

from services.ingest.compiled import folder

# A folder that is not there is no harm: Python then finds the sources.
__path__.insert(0, str(folder()))
