import subprocess
import sys

PROGRAM = """
import sys
from pytest_tokenbudget.config.prices import PriceOverride
from pytest_tokenbudget.model.call import Call
from pytest_tokenbudget.model.money import dollars
from pytest_tokenbudget.model.usage import Usage
from pytest_tokenbudget.pricing import PriceTable

mine = PriceOverride(model="m", rates={"input": dollars("1")}, place="here")
table = PriceTable(overrides=(mine,))
call = Call(provider="p", api="a", host="h", model_asked="m", status="exact", usage=Usage(input=1), obtained="live")
assert table.charge(call).cost is not None
assert table.identity
print(*sorted({"genai_prices", "httpx2", "pydantic", "vcr", "yaml"} & sys.modules.keys()))
"""


def test_price_data_is_not_loaded_where_the_users_own_prices_suffice() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)

    assert done.stdout == "\n"
