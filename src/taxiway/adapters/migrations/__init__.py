"""The record's schema and its history; `upgrade` brings a database to the newest revision."""
