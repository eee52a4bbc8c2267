"""The Beam jobs that turn web archives, caption tables and text into shards."""

import logging

# Beam says on import that BigQuery's libraries are missing, which nothing here needs.
logging.getLogger().addFilter(lambda record: "apitools not found" not in record.getMessage())
