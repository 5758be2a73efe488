"""Damaged inputs by the hundred: each is refused in words or taken in whole, and nothing else happens.

`python -m tests.mutation --count 400` makes and tries them; the suite tries a few.
"""
