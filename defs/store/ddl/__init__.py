"""Definitions in a database: tables, their parts, views, rules and the module itself, as rows of system tables.

Each change writes the rows that the server writes, in its order, in a transaction. (spec: event-tables 1.2, 1.7)
"""
