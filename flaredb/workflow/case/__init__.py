"""What people say of cases: whose they are, and what becomes of them."""
