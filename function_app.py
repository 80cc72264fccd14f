"""The app as Azure Functions indexes it: every door is a blueprint, and nothing else stands here."""

from functions import (
    blob_drops,
    http_audit,
    http_contracts,
    http_dead_letters,
    http_documents,
    http_health,
    http_imports,
    http_index_values,
    http_lines,
    http_openings,
    http_periods,
    http_proposals,
    http_runs,
    http_settings,
    http_statements,
    http_users,
    queue_dead_letters,
    queue_imports,
    queue_statements,
    timer_billing,
    timer_operations,
)
from functions.registration import BillingApp

app = BillingApp(
    (
        http_runs,
        http_statements,
        http_lines,
        http_contracts,
        http_proposals,
        http_index_values,
        http_openings,
        http_periods,
        http_imports,
        http_users,
        http_settings,
        http_dead_letters,
        http_audit,
        http_health,
        http_documents,
        timer_billing,
        timer_operations,
        blob_drops,
        queue_imports,
        queue_statements,
        queue_dead_letters,
    )
)
