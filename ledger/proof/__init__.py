"""What anyone can check without us: tree, notes, proofs and dossiers, without any database.

Bytes and vectors are those of public specifications (C2SP, RFC 6962, RFC 9901). Nothing here reads
a store, a clock or a key that it was not given.
"""
