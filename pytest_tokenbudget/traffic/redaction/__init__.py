"""What a recording may keep: messages without their secrets, at the same place, in the same shape.

Nothing here knows vcrpy or pytest; `tokenbudget doctor` reads old recordings with the same eyes.
"""

from pytest_tokenbudget.traffic.redaction.redactor import CleanRequest, CleanResponse, Finding, Redactor

__all__ = ["CleanRequest", "CleanResponse", "Finding", "Redactor"]
