"""What billing people decide: typed settings with a history, stored values over app settings over defaults.

A room reads `repository.current(connection)` in the transaction it is in; `service` shows and changes them.
"""
