"""From an exchange to a call: which endpoint it was, and what the provider says it used.

`read` is the way in. One module per wire format; `formats.py` lists them and takes in those that users register under
the entry-point group `tokenbudget.formats`.
"""

from pytest_tokenbudget.wire.endpoint import is_model_request
from pytest_tokenbudget.wire.read import read

__all__ = ["is_model_request", "read"]
