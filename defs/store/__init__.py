"""What a database stores: system tables, transactions, committed state, the commit log and its replay."""
