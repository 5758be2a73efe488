"""Rounds: trained, predicted, evaluated, decided."""
