"""gateway: topics in, the read model and the clinician's page out."""
