"""The system tables: their rows, their schemas, and any table in their words. Both `query` and `store` stand on it.

(spec: event-tables 2)
"""
