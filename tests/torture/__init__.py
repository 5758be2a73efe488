"""The catalogue under torture: many processes write and read at once, and processes are killed while they write.

`actions` is what a writer does, `processes` what runs beside this one, `audit` what must hold afterwards; `crowd`,
`kills` and `upgrades` are the tortures, `places` the databases. `python -m tests.torture --help` runs them.
"""
