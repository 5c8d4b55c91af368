"""Transactions: rows and tables as one transaction sees them, until it commits. (spec: event-tables 1.3)"""
