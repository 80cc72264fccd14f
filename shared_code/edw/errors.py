"""What can be wrong with a drop, said so that the person who dropped it can put it right. Numbers 2200-2299."""

from shared_code.foundation.errors import ErrorKind

DATASET_UNKNOWN = ErrorKind(
    "DATASET_UNKNOWN",
    2200,
    422,
    "The first folder of the drop is not the name of a dataset.",
    "Drop the file as {dataset}/{period}/{name}.csv, with one of the names listed in the message.",
)
DATASET_NOT_SUPPORTED = ErrorKind(
    "DATASET_NOT_SUPPORTED",
    2201,
    422,
    "The dataset is known, but is not loaded yet.",
    "Keep the file and leave it out of the drop container until the dataset is announced.",
)
DROP_PERIOD_INVALID = ErrorKind(
    "DROP_PERIOD_INVALID",
    2202,
    422,
    "The second folder of the drop is not a month.",
    "Name the folder after the service period, YYYY-MM, and drop the file there.",
)
DROP_MISPLACED = ErrorKind(
    "DROP_MISPLACED",
    2203,
    422,
    "The drop is not at {dataset}/{period}/{name}.",
    "Drop the file again two folders deep: dataset, then period.",
)
DELTA_NOT_SUPPORTED = ErrorKind(
    "DELTA_NOT_SUPPORTED",
    2204,
    422,
    "Delta files are not loaded yet.",
    "Drop the complete rows of the sites concerned: a file replaces exactly the sites that it contains.",
)
FORMAT_UNKNOWN = ErrorKind(
    "FORMAT_UNKNOWN",
    2205,
    422,
    "The name of the file does not end in a format that is read.",
    "Save the file as .csv, .csv.gz, .parquet or .xlsx and drop it again.",
)
FILE_EMPTY = ErrorKind(
    "FILE_EMPTY",
    2206,
    422,
    "The file has no content.",
    "Export the file again and compare its size with the source before dropping it.",
)
FILE_UNREADABLE = ErrorKind(
    "FILE_UNREADABLE",
    2207,
    422,
    "The content is not what the name of the file says, or is damaged.",
    "Export the file again as UTF-8 text separated by commas, or as the format that its name ends in.",
)
FILE_TOO_LARGE = ErrorKind(
    "FILE_TOO_LARGE",
    2208,
    422,
    "The file is larger than its format or dataset allows.",
    "Export it as .csv; a .csv of facts may have any size.",
)
HEADER_INVALID = ErrorKind(
    "HEADER_INVALID",
    2209,
    422,
    "The first line is not a usable header.",
    "Start the file with one line of distinct column names, separated by commas.",
)
COLUMNS_MISSING = ErrorKind(
    "COLUMNS_MISSING",
    2210,
    422,
    "Columns that the dataset needs are not in the header.",
    "Add the columns that the message lists and drop the file again; their order is free.",
)
NO_ROWS = ErrorKind(
    "NO_ROWS",
    2211,
    422,
    "The file has a header and no rows, so it says nothing about any site.",
    "Export it again. A site without activity is stated by a row of zeros, or confirmed by a person.",
)
QUOTE_UNCLOSED = ErrorKind(
    "QUOTE_UNCLOSED",
    2212,
    422,
    "A quotation mark is opened and not closed, so the rows after it cannot be told apart.",
    "Correct the row that the message names; a quotation mark inside a quoted value is written twice.",
)
RECORD_TOO_LONG = ErrorKind(
    "RECORD_TOO_LONG",
    2213,
    422,
    "One row is longer than 128 KB, which no row of these datasets is.",
    "Look at the row that the message names: usually line ends or a closing quotation mark are missing.",
)
SOURCE_CHANGED = ErrorKind(
    "SOURCE_CHANGED",
    2214,
    409,
    "The file was replaced or removed while it was being read; nothing of it became current.",
    "Nothing, if it was replaced: the new content is a batch of its own. Otherwise drop the file again.",
)
REFERENCE_MISSING = ErrorKind(
    "REFERENCE_MISSING",
    2215,
    409,
    "No site master is loaded, so no row can be matched to a site.",
    "Drop a site_master file; this batch continues by itself when it is loaded.",
)
REJECTED_SHARE = ErrorKind(
    "REJECTED_SHARE",
    2216,
    422,
    "More rows are rejected than a batch may lose without a decision.",
    "Read the report of rejected rows, correct the source and drop the corrected file.",
)
IMPORT_NOT_FOUND = ErrorKind(
    "IMPORT_NOT_FOUND",
    2217,
    404,
    "There is no import batch with this id.",
    "Take the id from the list of imports.",
)
DROP_NOT_FOUND = ErrorKind(
    "DROP_NOT_FOUND",
    2218,
    404,
    "The dropped file is no longer there.",
    "Drop the file again.",
)

ALL = (
    DATASET_UNKNOWN,
    DATASET_NOT_SUPPORTED,
    DROP_PERIOD_INVALID,
    DROP_MISPLACED,
    DELTA_NOT_SUPPORTED,
    FORMAT_UNKNOWN,
    FILE_EMPTY,
    FILE_UNREADABLE,
    FILE_TOO_LARGE,
    HEADER_INVALID,
    COLUMNS_MISSING,
    NO_ROWS,
    QUOTE_UNCLOSED,
    RECORD_TOO_LONG,
    SOURCE_CHANGED,
    REFERENCE_MISSING,
    REJECTED_SHARE,
    IMPORT_NOT_FOUND,
    DROP_NOT_FOUND,
)


class ConservationError(Exception):
    """Rows or money of a batch do not add up. Never published, never caught: it means a fault of this program."""
