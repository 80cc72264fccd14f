"""The same request sent twice has one effect and the same answer (http-api, idempotency).

`errors` imports nothing heavy, so that the way in can name them; `service` does the work.
"""
