"""A shop that takes orders: typed endpoints, a database, transactions and a page of documentation."""
