"""One file per technology behind the ports of `core.ports`: stores, keys, file formats.

Nothing comes before the adapters but the core; `taxiway.bootstrap` chooses among them and hands
them to the steps, which never import them.
"""
