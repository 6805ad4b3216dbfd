"""The end of a run: table and report, made from what work directories hold."""

from input_iba.report.write import report_evaluation, report_folders, write_report

__all__ = ["report_evaluation", "report_folders", "write_report"]
