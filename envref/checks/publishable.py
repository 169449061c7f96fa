"""What is meant for everybody's eyes: keys that their issuers call so, and variables that go into a web page.

Sources: what Stripe, Clerk, Mapbox, PostHog, Supabase and age say of their keys, AWS of resource names, and Next.js,
Vite, Create React App, Nuxt, Expo, Gatsby, SvelteKit, Astro and Vue CLI of their prefixes.
"""

from __future__ import annotations

import base64
import json
import re

_PREFIXES = (
    *("NEXT_PUBLIC_", "VITE_", "REACT_APP_", "NUXT_PUBLIC_", "EXPO_PUBLIC_", "GATSBY_", "PUBLIC_", "VUE_APP_"),
    *("NG_APP_", "STORYBOOK_", "PREACT_APP_"),
)
_KEYS = re.compile(
    r"pk_(live|test)_[\w=]+|pk\.eyJ[\w.-]+|phc_\w+|sb_publishable_\w+|age1[0-9a-z]{50,}"
    # ids of objects: Stripe's, and those that begin with a region; resource names of AWS
    r"|(prod|price|plan|cus|sub|acct)_[A-Za-z0-9]{14,}|[a-z]{2}(-[a-z]+)+-\d_\w+|arn:aws[a-z-]*:.+"
)
_JWT = re.compile(r"eyJ[\w-]+\.([\w-]+)\.[\w-]*")


def is_built_in(name: str) -> bool:
    """Whether a framework puts the variable of this name into what every visitor loads."""
    return name.startswith(_PREFIXES)


def is_publishable(value: str) -> bool:
    """Whether the value is such a key, or is a token for visitors without a login, as Supabase's is."""
    return bool(_KEYS.fullmatch(value)) or _role(value) == "anon"


def _role(value: str) -> object:
    """The role that a JSON Web Token claims."""
    token = _JWT.fullmatch(value)
    if not token:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(token[1] + "=="))
    except ValueError:
        return None
    return claims.get("role") if isinstance(claims, dict) else None
