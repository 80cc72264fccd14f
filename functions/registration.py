"""The app that refuses to start with wrong settings, or with an HTTP function that does not say what it is."""

from __future__ import annotations

from collections.abc import Iterable
from types import ModuleType

import azure.functions as func

from functions.declarations import DeclarationError, routes
from functions.invocation import mark_log_records
from shared_code.foundation.settings import check_settings


class BillingApp(func.FunctionApp):
    """A Functions app made of doors: modules with a `blueprint`."""

    def __init__(self, doors: Iterable[ModuleType]) -> None:
        super().__init__()
        mark_log_records()
        for door in doors:
            self.register_functions(door.blueprint)

    def get_functions(self) -> list[func.Function]:
        """All functions, as the platform indexes them.

        Raises SETTINGS_INVALID with everything that is wrong with the app settings, and DeclarationError for an HTTP
        function that no route declares: the app does not start, and the platform's log has the text.
        """
        check_settings()
        found: list[func.Function] = super().get_functions()
        named = {str(function.get_function_name()) for function in found if function.is_http_function()}
        undeclared = ", ".join(sorted(named - routes().keys()))
        if undeclared:
            raise DeclarationError(f"HTTP functions that no `route` declares (functions/http.py): {undeclared}")
        return found
