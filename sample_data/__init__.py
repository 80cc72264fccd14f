"""The invented operator: sites, legacy contracts and months of warehouse files, for development and tests only.

`python -m sample_data --help`, or `generate(SampleOptions(…))` from `sample_data.generate`.

What is faithful to the corpus: the component sets (exactly their frequencies in every 637 sites, close to them
in any prefix), the document's form, and the enumerations, account charts and job codes. What is approximate:
tiers, validation, overtime, payment terms, increments, groups, reports and account selections follow the
corpus's counts but are drawn independently of each other; amounts are drawn between its rounded quantiles.
Left out on purpose, because every contract must be valid: agreements without numbers, shares of 0 %, hourly
management fees without jobs, and repeated or missing account rows.

How figures hang together, by site and month: gross = net + tax of the state; ledger 4785 = −gross of flag Y;
payroll follows the time sheets, expenses the revenue; forecast and budget follow what happened; unit statistics
follow revenue and rooms.
"""
