"""A local Functions host: HTTP, timer, blob and Service Bus triggers for one app directory.

It stands where the platform's host stands, for development and tests only. Microsoft's own worker
library (`azure-functions-runtime`) indexes the app, converts bindings and runs the functions; this
package brings the events. It behaves as the platform does where an app can tell the difference:
at-least-once delivery, settlement only after success, locks that are renewed and lost, sessions, one run per
timer occurrence, receipts and a poison queue for blobs, the function timeout, drain on SIGTERM. It refuses at
start what it does not offer (topics, message batches, output bindings other than HTTP, route constraints), so
nothing half works. `faults` makes bad days on request.
"""
