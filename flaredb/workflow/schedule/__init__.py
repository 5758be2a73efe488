"""What runs when: the entries of flaredb.toml, what is due, what was missed."""
