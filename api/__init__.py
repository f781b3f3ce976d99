"""The Python interface: compile functions named as in py-solc-x, and chains and contracts as objects.

``smartvm`` itself exports what is public; ``docs/python.md`` shows it in use.
"""
