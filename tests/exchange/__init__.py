"""Tests of `flaredb.exchange`: real small files, written here and read back."""
