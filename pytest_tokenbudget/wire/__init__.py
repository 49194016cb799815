"""From an exchange to a call: which endpoint it was, and what the provider says it used.

`read` is the way in, and `prompt_of` for a request alone; `Background` joins what belongs to one call and came in two
exchanges. One module per wire format; `formats.py` lists them and takes in those that users register under the
entry-point group `tokenbudget.formats`.
"""

from pytest_tokenbudget.wire.formats import format_problems
from pytest_tokenbudget.wire.polls import Background
from pytest_tokenbudget.wire.prompts import prompt_of
from pytest_tokenbudget.wire.read import read
from pytest_tokenbudget.wire.routing import is_model_request

__all__ = ["Background", "format_problems", "is_model_request", "prompt_of", "read"]
