"""The work directory: files that appear whole or not at all, records, manifest, resume."""

from input_iba.core.arrays import write_arrays
from input_iba.core.files import written_whole
from input_iba.results.manifest import OWN_METHOD, Identity, Manifest, installed_versions
from input_iba.results.names import file_names, in_folders, safe_name, telling_names
from input_iba.results.resume import differences, may_continue, refuse_changes
from input_iba.results.sample_log import Entry, RecordLog, RowLog
from input_iba.results.sample_record import SampleRecord
from input_iba.results.stored import StoredFiles
from input_iba.results.work_dir import WorkDir
from input_iba.results.writing import (
    TextMask,
    read_text_mask,
    write_image,
    write_json,
    write_mask,
    write_text,
)

__all__ = [
    "OWN_METHOD",
    "Entry",
    "Identity",
    "Manifest",
    "RecordLog",
    "RowLog",
    "SampleRecord",
    "StoredFiles",
    "TextMask",
    "WorkDir",
    "differences",
    "file_names",
    "in_folders",
    "installed_versions",
    "may_continue",
    "read_text_mask",
    "refuse_changes",
    "safe_name",
    "telling_names",
    "write_arrays",
    "write_image",
    "write_json",
    "write_mask",
    "write_text",
    "written_whole",
]
