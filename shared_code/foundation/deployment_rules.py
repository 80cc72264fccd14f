"""What no deployment may start with: doors without a lock, secrets in plain text, addresses anybody can listen to.

Pure rules over app settings as texts. Each finding names the setting, the problem and the cure, and never a value.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping

from shared_code.foundation import database_url
from shared_code.foundation.errors import Detail

_SECRET = re.compile(r"(?i)\b(AccountKey|SharedAccessKey|SharedAccessSignature)\s*=")
_REFERENCE = re.compile(r"\s*@Microsoft\.KeyVault\s*\(", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s/?#]+(/[^\s?#]*)?", re.IGNORECASE)
_CONNECTIONS = {
    "BillingStorage": ("BillingStorage__blobServiceUri",),
    "BillingServiceBus": ("BillingServiceBus__fullyQualifiedNamespace",),
    "AzureWebJobsStorage": ("AzureWebJobsStorage__accountName", "AzureWebJobsStorage__blobServiceUri"),
}
_HTTPS = ("PUBLIC_URL", "IDENTITY_JWKS", "BillingStorage__blobServiceUri")
# Names of the platform's: near to ours, and right. A connection may carry further parts behind two underscores.
_PLATFORM = re.compile(
    r"(?i)(WEBSITE|FUNCTIONS|AZURE|MSI|PYTHON|SCM|APPSETTING)_|AzureWebJobs|Billing(Storage|ServiceBus)__"
    r"|IDENTITY_(HEADER|ENDPOINT|SERVER_THUMBPRINT|API_VERSION)$"
)
_ALIKE = 0.85

type Environment = Mapping[str, str]


def problems(environment: Environment, known: Collection[str]) -> list[Detail]:
    """Every finding, in the order of the rules. `known` are the names of all settings that the app reads."""
    in_azure = bool(environment.get("WEBSITE_SITE_NAME"))
    rules: tuple[Callable[[Environment], Iterator[Detail]], ...] = (_references, _audience, _public_url)
    if in_azure:
        rules = (*rules, _identity, _secrets, _addresses)
    found = [detail for rule in rules for detail in rule(environment)]
    url = environment.get("DATABASE_URL", "")
    if not _REFERENCE.match(url) and (url or in_azure):
        found += database_url.problems(url, in_azure=in_azure)
    return found + list(_misspelt(environment, known))


def _references(environment: Environment) -> Iterator[Detail]:
    """The platform replaces a reference before the app starts: one that is still there could not be resolved."""
    cure = "give the app's identity the role Key Vault Secrets User on the vault, and check the secret's address"
    for name, value in sorted(environment.items()):
        if _REFERENCE.match(value):
            yield Detail(name, f"is a Key Vault reference that was not resolved; {cure}")


def _audience(environment: Environment) -> Iterator[Detail]:
    if environment.get("IDENTITY_ISSUER") and not environment.get("IDENTITY_AUDIENCE"):
        cure = "set it to the application id of the API's registration"
        yield Detail("IDENTITY_AUDIENCE", f"is missing, so tokens for any other API of the issuer would do; {cure}")


def _public_url(environment: Environment) -> Iterator[Detail]:
    url = environment.get("PUBLIC_URL", "")
    if url and not _ADDRESS.fullmatch(url):
        yield Detail("PUBLIC_URL", "is not an address; write https://<host>, without query")


def _identity(environment: Environment) -> Iterator[Detail]:
    """Default deny: an app that can identify nobody does not start (azure-facts C.4)."""
    easy_auth = environment.get("WEBSITE_AUTH_ENABLED", "").strip().lower() in {"true", "1"}
    tokens = all(environment.get(name) for name in ("IDENTITY_ISSUER", "IDENTITY_AUDIENCE", "IDENTITY_JWKS"))
    if not easy_auth and not tokens:
        cure = "turn on the app's authentication, or set IDENTITY_ISSUER, IDENTITY_AUDIENCE and IDENTITY_JWKS"
        yield Detail("WEBSITE_AUTH_ENABLED", f"is not True, and no issuer of access tokens is configured; {cure}")
    if not environment.get("IDENTITY_TENANT"):
        cure = "set it to the id of your directory"
        yield Detail("IDENTITY_TENANT", f"is missing, so callers of any directory would be known; {cure}")


def _secrets(environment: Environment) -> Iterator[Detail]:
    for name, by_identity in _CONNECTIONS.items():
        cure = f"remove it, set {by_identity[0]} and give the app's identity its role there"
        if _SECRET.search(environment.get(name, "")):
            yield Detail(name, f"holds a key, and keys are not kept in settings; {cure}")
        elif name.startswith("Billing") and not any(environment.get(other) for other in (name, *by_identity)):
            yield Detail(by_identity[0], "is missing; set it to the address at which the app's identity signs in")


def _addresses(environment: Environment) -> Iterator[Detail]:
    if not environment.get("PUBLIC_URL"):
        cure = "set it to https://<app>, the address under which callers reach it"
        yield Detail("PUBLIC_URL", f"is missing, so Location would repeat whatever Host a caller sends; {cure}")
    for name in _HTTPS:
        value = environment.get(name, "")
        if value and not _REFERENCE.match(value) and not value.lower().startswith("https://"):
            yield Detail(name, "can be listened to or is no address; write one that begins with https://")


def _misspelt(environment: Environment, known: Collection[str]) -> Iterator[Detail]:
    upper = {name.upper(): name for name in known}
    for name in sorted(environment.keys() - set(known)):
        if not _PLATFORM.match(name) and (right := _nearest(name.upper(), upper)):
            yield Detail(name, f"is no setting, and would be ignored; rename it to {upper[right]}, or remove it")


def _nearest(name: str, known: Collection[str]) -> str | None:
    # Most of an environment has nothing to do with the app: a quick look spares those names the exact one.
    near = [other for other in known if abs(len(other) - len(name)) <= 3 and _shares_an_end(name, other)]
    if not near:
        return None
    from difflib import get_close_matches

    return next(iter(get_close_matches(name, near, 1, _ALIKE)), None)


def _shares_an_end(name: str, other: str) -> bool:
    return name[:3] == other[:3] or name[-3:] == other[-3:]
