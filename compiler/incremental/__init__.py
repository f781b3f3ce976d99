"""Compiles what changed, in several processes where that pays, and takes the rest from the cache on disk.

The unit of work is a source: what is reported about it, its syntax tree and the outputs of its contracts depend on it
and on what it imports, directly or not, and on nothing else. So a result is kept under the digest of these texts, of
the settings, of the outputs asked for and of the compiler itself; it does not matter with which other sources it was
made, and the whole is put together from the parts in an order that does not depend on who made them. Two things in
a result do depend on the other sources: the index of each source and the ids of its nodes (they are numbered through
the whole compilation). A result says which ones it was made with, and is moved to others when it is used.
"""
