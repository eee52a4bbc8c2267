"""The report of a run: where every page and image went, as one HTML file and as JSON."""

from openm3w.pipeline.report.page import read_report, write_report

__all__ = ["read_report", "write_report"]
