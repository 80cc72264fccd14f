"""The app as Azure Functions indexes it: every door is a blueprint, and nothing else stands here."""

import azure.functions as func

from functions import (
    blob_drops,
    http_contracts,
    http_health,
    http_imports,
    http_runs,
    http_statements,
    queue_imports,
    queue_statements,
    timer_billing,
)

app = func.FunctionApp()
for door in (
    http_contracts,
    http_health,
    http_imports,
    http_runs,
    http_statements,
    timer_billing,
    blob_drops,
    queue_imports,
    queue_statements,
):
    app.register_functions(door.blueprint)
