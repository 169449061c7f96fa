"""Audit: env file lines whose plain text may be a secret (commands.md 2.13). A finding never holds the value."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from envref.checks import secret_name
from envref.checks.publishable import is_built_in, is_publishable
from envref.checks.randomness import LEAST_ENTROPY, entropy, is_random
from envref.env import template
from envref.refs.reference import SCHEME

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from envref.env.file import Entry, EnvFile

MARK = "envref: not-a-secret"  # a comment behind a value: somebody looked, and decided

# What configuration holds under any name.
_HARMLESS = re.compile(
    r"true|false|yes|no|on|off|null|none|nil|undefined|enabled?|disabled?|optional|required|auto|localhost"
    r"|127(\.\d{1,3}){3}|::1|0\.0\.0\.0|https?://(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?(/.*)?",
    re.IGNORECASE | re.DOTALL,
)
# What stands where a secret will be put, says where it is, or is ciphertext already (dotenvx).
_PLACEHOLDER = re.compile(
    r"encrypted:.*|<[^<>]*>|\[[^\[\]]*\]|\{\{.*\}\}|your[_ -].*|(?=...)[x*._-]+"
    r"|(file:|~|\.{1,2}|[a-z]:\\|%[\w.]+%)?(/[\w.@%-]{1,40})+\.\w{2,6}|(~|\.{1,2})?(/[a-z][a-z0-9._-]{0,23}){2,}/?",
    re.IGNORECASE,
)
# Also with a unit, a period, or as a list; and the five or six fields of cron.
_NUMBER = re.compile(
    r"[+-]?\d+([.,:/]\d+)*\s?([a-z]{1,3}|%)?(/(second|minute|hour|day|s|min|h|d))?|[\d*/,-]+( [\d*/,-]+){4,5}",
    re.IGNORECASE,
)
_SHORTEST_NUMBER = 4  # digits of one that is a password
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s@]*")  # without a user
# How somebody proves who they are, under a name like SMTP_AUTH.
_MECHANISMS = re.compile(
    r"plain|login|(cram|digest)-md5|x?oauth2?|oauthbearer|ntlm|digest|basic|bearer|jwt|ldap|saml|oidc|md5"
    r"|scram-sha-(1|256|512)|trust|peer|gssapi|kerberos|local|internal|external|sso|token|session|cookie|starttls|ssl|tls"
    r"|x509|iam|password",
    re.IGNORECASE,
)

# What issuers document about their tokens: a prefix that names the kind, and how much follows.
_PATTERNS = {
    "private key": r"-----BEGIN ([A-Z0-9]+ )*PRIVATE KEY-----",
    "age identity": r"AGE-SECRET-KEY-1[0-9A-Z]{58}",
    "AWS access key": r"\b(AKIA|ASIA)[0-9A-Z]{16}\b",
    "GitHub token": r"\bgh[pousr]_[0-9A-Za-z]{36}|\bgithub_pat_[0-9A-Za-z_]{36}",
    "GitLab token": r"\bgl(pat|dt|rt|ptt|agent)-[0-9A-Za-z_-]{20}",
    "Stripe key": r"\b[rs]k_(live|test)_[0-9A-Za-z]{16}|\bwhsec_[0-9A-Za-z]{24}",
    "Slack token": r"\bxox[abeoprs]-[0-9A-Za-z-]{10}|\bxapp-\d-[0-9A-Za-z-]{10}",
    "Discord webhook": r"discord(app)?\.com/api/webhooks/[0-9]+/[0-9A-Za-z_-]{60}",
    "Slack webhook": r"hooks\.slack\.com/services/T[0-9A-Z]+/B[0-9A-Z]+/[0-9A-Za-z]+",
    "Google API key": r"\bAIza[0-9A-Za-z_-]{35}",
    "Google client secret": r"\bGOCSPX-[0-9A-Za-z_-]{28}",
    "Anthropic key": r"\bsk-ant-[0-9A-Za-z_-]{20}",
    "OpenAI key": r"\bsk-(proj-|svcacct-)?[0-9A-Za-z_-]{20}",
    "npm token": r"\bnpm_[0-9A-Za-z]{36}",
    "PyPI token": r"\bpypi-[0-9A-Za-z_-]{50}",
    "SendGrid key": r"\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}",
    "Twilio key": r"\bSK[0-9a-f]{32}\b",
    "DigitalOcean token": r"\bdo[opr]_v1_[0-9a-f]{64}",
    "Doppler token": r"\bdp\.(pt|st|sa|ct|scim|audit)\.[0-9A-Za-z._-]{20}",
    "Vault token": r"\bhv[bsr]\.[0-9A-Za-z_-]{20}",
    "JSON Web Token": r"\beyJ[0-9A-Za-z_-]{10,}\.eyJ[0-9A-Za-z_-]{10,}\.[0-9A-Za-z_-]+",
    "Supabase key": r"\bsb_secret_[0-9A-Za-z_-]{20}",
    "Hugging Face token": r"\bhf_[0-9A-Za-z]{30}",
    "Resend key": r"\bre_[0-9A-Za-z]{8,}_[0-9A-Za-z]{20}",
    "Linear key": r"\blin_api_[0-9A-Za-z]{40}",
    "Shopify token": r"\bshp(at|ca|pa|ss)_[0-9a-fA-F]{32}",
    "Square token": r"\bsq0(atp|csp)-[0-9A-Za-z_-]{22}",
    "Mailgun key": r"\bkey-[0-9a-f]{32}\b",
    "Mailchimp key": r"\b[0-9a-f]{32}-us[0-9]{1,2}\b",
    "Databricks token": r"\bdapi[0-9a-f]{32}",
    "PostHog key": r"\bphx_[0-9A-Za-z_]{30}",
    "Azure key": r"\b(AccountKey|SharedAccessKey)=[0-9A-Za-z+/]{40,}",
}
_PASSWORDS = {
    # A port is no password, and `<password>` says where one goes. A user's name may be a mail address.
    "password in a URL": r"\b[a-z][a-z0-9+.-]*://[^\s/:]*:(?!\d+([/?#]|$)|<[^<>]*>@)[^\s@]+@",
    "token in a URL": r"\b[a-z][a-z0-9+.-]*://(?=[^\s/:@]*\d)[0-9a-z_-]{20,}@",
    "secret in a URL": r"://\S*[?&](password|passwd|pwd|token|secret|api_?key|access_?key|sig)=(?!<)[^\s&#]+",
    "credential in a header": r"\b(authorization|(x-)?api-key)[\"']?\s*[:=]\s*[\"']?"
    r"((bearer|basic|token) (?!<)|(?=[^\s\"']*\d))[^\s\"']{8}",
    "password of a user": r"(^|\s)(-u|--user)[ =]?[^\s:<]+:(?![<0-9])[^\s:<]+(\s|$)",
    "password in an option": r"(^|\s)(?!--?no-)-{1,2}[\w.-]*"
    r"(pass|password|passwd|pwd|passphrase|secret|token|api-?key)[= ](?![<-])\S",
    "password in a connection string": r"\A(?=.*\w=.*\w=)(.*[;\s])?(password|pwd)\s*=\s*(?!<)[^\s;]+",
}
_OF_VISITORS = ("JSON Web Token", "Google API key", "token in a URL")  # what a page's own key may look like
_KNOWN = {what: re.compile(pattern) for what, pattern in _PATTERNS.items()} | {
    what: re.compile(pattern, re.IGNORECASE) for what, pattern in _PASSWORDS.items()
}


class PlainSecret(NamedTuple):
    """A variable whose value may be a secret; `line` counts from 1."""

    file: str
    line: int
    key: str
    reason: str


def findings(files: Iterable[EnvFile], least_entropy: float = LEAST_ENTROPY) -> list[PlainSecret]:
    """Every assignment that may hold a secret, in the order of the files; `least_entropy` in bits a character."""
    return [
        PlainSecret(entry.file, entry.line, entry.name, reason)
        for file in files
        for entry, reason in suspects(file, least_entropy)
    ]


def suspects(file: EnvFile, least_entropy: float = LEAST_ENTROPY) -> Iterator[tuple[Entry, str]]:
    """The assignments of a file that may hold a secret, each with the reason; those that are marked are left out.

    In an example, words and random text are what it is for: only a token that an issuer gave out counts there.
    """
    text = str(file)
    for entry in file.entries:
        reason = suspicion(entry, least_entropy) if not is_example(file.name) else _known(_own_text(entry), _PATTERNS)
        if reason and not _is_marked(text, entry):
            yield entry, reason


def suspicion(entry: Entry, least_entropy: float = LEAST_ENTROPY) -> str:
    """Why the value may be a secret: the first of three reasons that applies; empty if it looks harmless."""
    value = _own_text(entry)
    if not value or is_harmless(value) or _PLACEHOLDER.fullmatch(value):
        return ""
    if is_publishable(value) and not secret_name.is_confidential(entry.name):
        return ""
    for_all = is_built_in(entry.name)
    known = _known(value, [what for what in _KNOWN if not (for_all and what in _OF_VISITORS)])
    if known:
        return known
    is_named = secret_name.is_confidential(entry.name) if for_all else secret_name.is_secret(entry.name, value)
    if is_named and not _is_setting(entry.name, value):
        return f"key name suggests a secret and value is non-trivial ({len(value)} chars)"
    if not for_all and not secret_name.is_public(entry.name) and is_random(value, least_entropy):
        return f"high-entropy value ({entropy(value):.2f} bits/char) may be a secret"
    return ""


def is_harmless(value: str) -> bool:
    """Whether the value is an everyday word or a loopback address, which is no secret whatever its name says."""
    return bool(_HARMLESS.fullmatch(value))


def is_example(name: str) -> bool:
    """Whether a file of this name shows what to fill in."""
    file = name.rpartition("/")[2]
    return file.endswith((".example", ".sample", ".template", ".dist")) or file.startswith(
        ("example.", "sample.", "template.")
    )


def _known(value: str, patterns: Iterable[str]) -> str:
    what = next((what for what in patterns if _KNOWN[what].search(value)), None)
    return f"value matches known secret pattern ({what})" if what else ""


def _is_setting(name: str, value: str) -> bool:
    """Whether a value under a secret's name only says how, where or how much."""
    if _NUMBER.fullmatch(value):
        return not (secret_name.is_password(name) and value.isdigit() and len(value) >= _SHORTEST_NUMBER)
    return bool(_URL.fullmatch(value)) or (name.upper().endswith("AUTH") and _MECHANISMS.fullmatch(value) is not None)


def _own_text(entry: Entry) -> str:
    """What the value says by itself, its `${…}` taken out; a default within one stays."""
    if entry.text.startswith(SCHEME):
        return ""
    if not entry.interpolated or "$" not in entry.text:
        return entry.text
    try:
        return "".join(_texts(template.parse(entry.template, ())))
    except template.TemplateError:
        return entry.text  # not a template: it is meant as it stands, or it is a mistake with a value in it


def _texts(parts: Iterable[template.Part]) -> Iterator[str]:
    for part in parts:
        if isinstance(part, str):
            yield part
        elif isinstance(part, template.Interpolation) and not part.operator.endswith("?"):  # those are messages
            yield from _texts(part.alternative)


def _is_marked(text: str, entry: Entry) -> bool:
    """Whether the comment behind the value says that it is no secret."""
    end = text.find("\n", entry.end)
    _, found, comment = text[entry.end : len(text) if end < 0 else end].partition("#")
    return bool(found) and MARK in comment
