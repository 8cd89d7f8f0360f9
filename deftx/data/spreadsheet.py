"""Cells that a spreadsheet cannot take for a formula: every CSV that the app writes goes through here.

A formula in a file from somebody else can send other cells away as soon as the file is opened (OWASP, "CSV Injection").
"""

# The full-width signs are formulas too where a spreadsheet is set to Chinese, Japanese or Korean.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def harmless(cell: str) -> str:
    """Put an apostrophe before a cell that would be a formula; a number stays one, be it below 0."""
    return f"'{cell}" if cell.startswith(FORMULA) and not _is_number(cell) else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return cell.isascii() and cell.isprintable()
