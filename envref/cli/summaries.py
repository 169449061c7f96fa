"""What `envref --help` says of each command, so that it imports none: the first sentence of each command's own help."""

from __future__ import annotations

# Heading -> command -> summary, in the order of the help page.
SECTIONS: dict[str, dict[str, str]] = {
    "Start here": {
        "init": "Make a directory an envref project.",
        "secret": "Store, read and manage the project's secrets.",
        "import": "Store the secrets of an env file, and write references in their place.",
        "run": "Run a command with the project's variables.",
        "onboard": "Take in the secrets that the team pushed, and ask for each that no store has yet.",
        "status": "Show what the project has, what is missing, and what to do next.",
        "doctor": "Find what is wrong with the env files and around them, with a cure for each.",
    },
    "Variables": {
        "list": "List the project's variables, interpolated; no store is asked.",
        "get": "Print a variable, interpolated; references stay as they are without --resolve.",
        "set": "Set a variable in an env file; every other byte stays.",
        "unset": "Take a variable out of an env file; every other byte stays, and so does a secret in its store.",
        "edit": "Open an env file, or the config, in your editor, and check it afterwards.",
        "resolve": "Print the project's variables, references resolved.",
        "validate": ("Check that the environment has the names of .env.example and the values that a schema asks for."),
        "profile": "Switch, make and compare the project's profiles.",
    },
    "Secrets": {
        "audit": "Find secrets that stand in env files as plain text, or, with --values, in any file.",
        "audit-log": "Show who changed which secret, the last change at the end; the log holds no values.",
        "vault": "Manage the local encrypted vault.",
        "backend": "See and change where the project's secrets are kept.",
        "bare": "Run a command without the secrets that an activation put into this shell.",
        "stale": "Show which of this shell's variables are old.",
        "shim": "Give each tool under tools: its variables, and no shell.",
        "credential": "Answer a tool that asks for a credential, in the tool's own protocol.",
        "refresh": "Print code that gives this shell the new values of old variables.",
        "lock": "Pin the project's secrets to the versions that their stores have, in envref.lock.",
        "agent": "Keep what stores gave in memory, as long as a shell uses it.",
    },
    "Team": {
        "team": "See and change whom the project's secrets can be shared with.",
        "sync": "Share the project's secrets with its team, encrypted.",
    },
    "Shells and this program": {
        "flox-hook": "Load the project's secrets in a Flox environment.",
        "trust": "Show what the project's config asks for, and allow it.",
        "config": "See what the project is configured to do.",
        "completion": "Print a script that lets a shell complete envref's commands, options and names.",
        "version": "Print the version; with -v those of Python and the libraries too.",
    },
}
