"""The only room that calls addresses which a brand typed; addresses.py says which it may."""
