"""The room's errors: what it raises on purpose, it raises as one of these or of their heirs."""


class LedgerError(Exception):
    """Something the record refuses or cannot do; the message says what, why and what to do next."""


class VaultError(LedgerError):
    """An encrypted value, its key or its alias is not what was stored; never raised for erasure."""


class SubjectKeyError(VaultError):
    """A subject's wrapped key was changed, or the key-encryption key is another ledger's."""


class SealedValueError(VaultError):
    """A ciphertext, or the digest or handle it belongs to, was changed after it was stored."""


class RingClosedError(VaultError):
    """Self-identification was asked for through the usual door, or the reverse."""


class LogDamaged(LedgerError):
    """A position is missing although a later one is there, or the tree is not that of the facts."""
