"""`report.html`: all that a run and its evaluations know, on one page that opens from disk."""

from input_iba.visualization.report.model import Evaluation, Report, Source
from input_iba.visualization.report.page import report_page

__all__ = ["Evaluation", "Report", "Source", "report_page"]
