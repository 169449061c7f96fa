"""The words of every command line, for completion. Made by `make reference` from the commands; edit those.

A command has its options, then its arguments: the words, the kind of the value, the help. A flag's kind is empty, an
argument has no words, a hidden option no help. A kind that ends in … may be given again.
"""
# fmt: off
# ruff: noqa: E501

from __future__ import annotations

Entry = tuple[str, str, str]

EVERYWHERE: tuple[Entry, ...] = (
    ("-C --project", "directory", "Act as if started in DIR."),
    ("-q --quiet", "", "No informational lines and no warnings."),
    ("-v --verbose", "", "More detail on stderr."),
    ("--debug", "", "As -v, with a trace for internal errors."),
    ("--no-color", "", "No colour on any stream."),
    ("--help", "", "Show this message and exit."),
)

COMMANDS: dict[str, tuple[Entry, ...]] = {
    "": (("--version", "", "Show the version and exit."),),
    "agent": (),
    "agent forget": (),
    "agent start": (),
    "agent status": (("--format", "one of plain json", "One of plain, json."),),
    "agent stop": (),
    "audit": (("-P --profile", "profiles", "Use this profile."),("-f --file", "file…", "The base file, also a pipe; several are layers, the last on top."),("--local-file", "file", "The personal overrides."),("--min-entropy", "text", "Bits a character of a random value."),("--all-profiles", "", "Also every profile's file."),("--staged", "", "All env files of the next git commit, in every folder."),("--baseline", "file", "Leave out what this report (--format json) has."),("--values", "", "Search the PATHs for the project's real secret values."),("--closure", "", "With --values: also all store paths that the PATHs refer to."),("--format", "one of plain json", "One of plain, json."),("", "file…", ""),),
    "audit-log": (("-n --last", "text", "Only the last N entries."),("-k --key", "keys", "Only the entries of this key."),("--json", "", "The lines of the log as they are."),),
    "backend": (),
    "backend add": (("--first", "", "Ask it before the others; without it, after them."),("--name", "text", "The backend's name; by default its type."),("", "types", ""),),
    "backend list": (("--all", "", "Also the types that a backend can have."),("--check", "", "Ask each store whether it is ready."),("--format", "one of plain json", "One of plain, json."),),
    "completion": (("--install", "", "Put the script where the shell finds it; by default that of SHELL."),("--prompt", "one of bash zsh fish", "Print a segment of the prompt instead: how many variables of the shell are old."),("--every", "text", "With --prompt: also ask the stores again after this long, e.g. 10m."),("", "one of bash zsh fish powershell", ""),),
    "config": (),
    "config show": (("--format", "one of plain json table", "One of plain, json, table."),),
    "doctor": (("-P --profile", "profiles", "Use this profile."),("-f --file", "file", "The base file."),("--local-file", "file", "The personal overrides."),("--flox", "", "Also look at the Flox environment and at what Flox keeps."),("--format", "one of plain json", "One of plain, json."),),
    "edit": (("-l --local", "", "The personal file."),("-c --config", "", ".envref.yaml."),("-P --profile", "profiles", "Use this profile."),("", "file", ""),),
    "flox-hook": (("--write", "file", "Insert or update the block."),("--check", "file", "Exit 3 if --write would change it."),("--diff", "file", "Show what --write would change."),("--remove", "file", "Take the block out again."),("--placement", "one of hook profile", "hook, or profile: once per shell, never in a file of Flox."),("--native", "", "Call the stores' own programs, without envref."),("--plugin", "", "Write the table [plugins.envref]."),("--import", "", "With --plugin: also the tables of Flox's own plugins."),("--services", "", "Start the services that .envref.yaml names through envref run."),("--install", "", "Also add the stores' programs to [install]."),("--strict", "", "A missing secret stops the activation."),("-P --profile", "profiles", "Use this profile."),),
    "get": (("-P --profile", "profiles", "Use this profile."),("-f --file", "file…", "The base file, also a pipe; several are layers, the last on top."),("--local-file", "file", "The personal overrides."),("--profile-file", "file", "The profile's overrides."),("--format", "one of plain json shell table", "One of plain, json, shell, table."),("--resolve", "", "Ask the stores: print the value that a program gets."),("", "variables", ""),),
    "import": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--only", "list variables…", "Only these variables."),("--except", "list variables…", "Not these variables."),("-y --yes", "", "Ask nothing."),("--dry-run", "", "Say what would be stored; ask no store and change nothing."),("", "file", ""),),
    "init": (("-p --project", "text", "The project's name; by default the directory's."),("--backend", "types", "Keep secrets in this type of store; a vault is created too."),("--direnv", "", "Also write .envrc."),("--flox", "", "Also write the hook block into the Flox environment's manifest."),("--force", "", "Overwrite existing files."),("--dir", "directory", "The project's directory."),("-C", "directory", "Act as if started in DIR."),),
    "list": (("-P --profile", "profiles", "Use this profile."),("-f --file", "file…", "The base file, also a pipe; several are layers, the last on top."),("--local-file", "file", "The personal overrides."),("--profile-file", "file", "The profile's overrides."),("--format", "one of plain json shell table", "One of plain, json, shell, table."),("--show-references --show-secrets", "", "Show the references themselves; never a value."),),
    "onboard": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("-i --identity", "file", "Your private key, of age or SSH, for the team's file."),("--dry-run", "", "Only say what is missing."),),
    "profile": (),
    "profile create": (("--from", "file", "Start with a copy of this file of the project."),("--env-file", "file", "The profile's file, where it is not to be .env.NAME."),("--register", "", "Also list the profile in .envref.yaml."),("--force", "", "Overwrite an existing file."),("", "text", ""),),
    "profile diff": (("--format", "one of plain json table", "One of plain, json, table."),("", "profiles", ""),("", "profiles", ""),),
    "profile export": (("--format", "one of plain json shell dotenv fish tcsh nu powershell docker systemd", "One of plain, json, shell, dotenv, fish, tcsh, nu, powershell, docker, systemd."),("--resolve", "", "Ask the stores for what is referred to."),("", "profiles", ""),),
    "profile list": (("--format", "one of plain json", "One of plain, json."),),
    "profile use": (("--clear", "", "No profile, unless one is asked for."),("", "profiles", ""),),
    "refresh": (("--shell", "one of sh bash zsh ksh dash fish tcsh csh nu powershell pwsh auto", "The shell: sh, bash, zsh, ksh, dash, fish, tcsh, csh, nu, powershell, pwsh, auto."),("--timeout", "text", "Seconds each store may take in total, 0.1 to 600."),("", "variables…", ""),),
    "resolve": (("-P --profile", "profiles", "Use this profile."),("--format", "one of plain json shell table dotenv fish tcsh nu powershell github docker systemd", "One of plain, json, shell, table, dotenv, fish, tcsh, nu, powershell, github, docker, systemd."),("--export", "", "Code that a shell evaluates."),("--shell", "one of sh bash zsh ksh dash fish tcsh csh nu powershell pwsh auto", "The shell of --export: sh, bash, zsh, ksh, dash, fish, tcsh, csh, nu, powershell, pwsh, auto."),("--direnv", "", "As --export --shell bash."),("--strict", "", "All or nothing."),("--only", "list variables…", "Only these variables."),("-f --file", "file…", "The base file, also a pipe; several are layers, the last on top."),("--unset", "", "Code that unsets the project's variables; asks no store."),("--explain", "", "Where each variable comes from; no values."),("--reveal", "", "Show secret values in the table."),("-w --watch", "", "Resolve again whenever a file changes."),("--timeout", "text", "Seconds each store may take in total, 0.1 to 600."),("--from-flox-plugin", "file", "References from a JSON object; - is stdin."),),
    "run": (("-P --profile", "profiles", "Use this profile."),("--strict", "", "Start nothing if anything is unresolved (the default)."),("--partial", "", "Start it without what is unresolved."),("--only", "list variables…", "Only these variables."),("-f --file", "file…", "The base file, also a pipe; several are layers, the last on top."),("--keep-env", "", "Variables that are set already keep their value."),("--pristine", "", "Of the caller's environment, only PATH, HOME and the like."),("--timeout", "text", "Seconds each store may take in total, 0.1 to 600."),("", "program…", ""),),
    "secret": (),
    "secret copy": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--no-env", "", ""),("--from", "text", "The project that has the secret."),("--from-profile", "text", "That project's profile; without it the project's own scope."),("--to-key", "keys", "Store it under this key."),("", "keys", ""),),
    "secret delete": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--no-env", "", ""),("-f --force", "", "Ask nothing."),("--history", "", "Also the values that rotation keeps."),("", "keys", ""),),
    "secret generate": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--no-env", "", ""),("-l --length", "text", "Characters, 1 to 1024."),("-c --charset", "one of alphanumeric ascii hex base64", "One of alphanumeric, ascii, hex, base64."),("-p --print", "", "Print the value."),("--if-missing", "", "Keep a value that is there."),("--env", "variables", "Let this variable refer to the secret."),("", "keys", ""),),
    "secret get": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--no-env", "", ""),("--raw", "", "Leave control characters as they are, on a terminal too."),("-n", "", "No line end after the value."),("--format", "one of plain json", "One of plain, json."),("", "keys", ""),),
    "secret list": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--no-env", "", ""),("--all", "", "Also the values that rotation keeps."),("--format", "one of plain json", "One of plain, json."),),
    "secret rotate": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--no-env", "", ""),("-k --keep", "text", "How many old values to keep, 0 to 100."),("-l --length", "text", "Characters, 1 to 1024."),("-c --charset", "one of alphanumeric ascii hex base64", "One of alphanumeric, ascii, hex, base64."),("-p --print", "", "Print the value."),("--value-stdin", "", "Take the new value from stdin."),("", "keys", ""),),
    "secret set": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--no-env", "", ""),("-v", "text", ""),("--value", "text", "The value; prefer the prompt or stdin, which nobody else can see."),("--raw", "", "Keep the line end at the end of stdin."),("--allow-empty", "", "Store an empty value too."),("--env", "variables", "Let this variable refer to the secret."),("--verbose", "", "More detail on stderr."),("", "keys", ""),),
    "secret share": (("-P --profile", "profiles", "Use this profile."),("-b --backend", "backends", "Use this backend."),("--no-env", "", ""),("--to", "members…", "age1…, ssh-ed25519 …, ssh-rsa … or a member."),("--to-file", "file", "A file of recipients, one a line."),("", "keys", ""),),
    "set": (("-P --profile", "profiles", "Use this profile."),("--local", "", "Write to the local file."),("-f --file", "file", "Write to this file."),("--local-file", "file", "The local file, for --local."),("--expand", "", "Keep $NAME and ${…} live."),("--export-prefix", "", "Write `export` before the name."),("", "assignments", ""),),
    "stale": (("--json", "", "Every name with its status, as JSON."),("--services", "", "Also the Flox services that hold an old name."),("--read", "", "Read values, and drop them, where nothing else tells."),("--count", "", "Only the number of those that are old or gone."),("--touch", "", "If one is old or gone, let direnv and prompts everywhere look again."),("--timeout", "text", "Seconds each store may take in total, 0.1 to 600."),("", "variables…", ""),),
    "status": (("-P --profile", "profiles", "Use this profile."),("--offline", "", "Ask no store."),("--check", "", "Exit status 3 if there is an issue."),("--format", "one of plain json", "One of plain, json."),("--timeout", "text", "Seconds each store may take in total, 0.1 to 600."),),
    "sync": (),
    "sync pull": (("-i --identity", "file", "Your private key, of age or SSH; by default $AGE_IDENTITY, or one in ~/.ssh."),("-f --file", "file", "The file to read; by default .envref.secrets.age, or .envref.secrets.PROFILE.age."),("-b --backend", "backends", "Use this backend."),("-P --profile", "profiles", "Use this profile."),("--force", "", "Overwrite values that differ."),("--any-project", "", "Take the secrets of another project or profile."),),
    "sync push": (("--to", "text…", "age1…, ssh-ed25519 … or ssh-rsa …"),("--to-file", "file…", "A file of recipients, one a line."),("--to-team", "", "Every member of `team:`."),("--yes", "", "Ask nothing about members that are new since the last push."),("-f --file", "file", "The file to write; by default .envref.secrets.age, or .envref.secrets.PROFILE.age."),("-b --backend", "backends", "Use this backend."),("-P --profile", "profiles", "Use this profile."),),
    "team": (),
    "team add": (("", "text", ""),("", "file", ""),),
    "team list": (("--format", "one of plain json", "One of plain, json."),),
    "team remove": (("", "members", ""),),
    "team rm": (("", "members", ""),),
    "trust": (("--print", "", "Print the fingerprint, for ENVREF_TRUST."),("--revoke", "", "Forget this project."),("--list", "", "List the projects that were decided about."),),
    "unset": (("-P --profile", "profiles", "Use this profile."),("--local", "", "Take it out of the local file."),("-f --file", "file", "Take it out of this file."),("", "variables", ""),),
    "validate": (("-P --profile", "profiles", "Use this profile."),("-f --file", "file…", "The base file, also a pipe; several are layers, the last on top."),("--local-file", "file", "The personal overrides."),("--profile-file", "file", "The profile's overrides."),("-e --example", "file", "The example file, by default .env.example."),("-s --schema", "file", "The schema; .env.schema.json without a FILE, and by default where it exists."),("--no-schema", "", "Use no schema."),("--resolve", "", "Also check the values that references stand for."),("--ci", "", "Extra keys are errors; one line an error, none for success."),("--format", "one of plain json", "One of plain, json."),),
    "vault": (),
    "vault backup": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),("", "file", ""),),
    "vault export": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),("--file", "file", "Write this new file, readable by its owner only."),("--to", "text…", "Encrypt to age1… or an SSH key."),("--force", "", "Overwrite FILE; print plain secrets on a terminal."),("--stdout", "", ""),),
    "vault import": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),("--file", "file", "Read this file instead of standard input."),("--no-overwrite", "", "Keep the values that are there."),("--dry-run", "", "Say what would change, and change nothing."),("--stdin", "", "Read standard input (the default)."),),
    "vault init": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),("--work-factor", "text", "Cost of a passphrase guess: 2^N KiB, 15 to 20 (17)."),),
    "vault lock": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),),
    "vault passwd": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),),
    "vault rekey": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),),
    "vault unlock": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),("--ttl", "text", "Stay unlocked without the passphrase for this long, e.g. 30m or 8h."),),
    "vault upgrade": (("-b --backend", "backends", "Use this backend."),("--path", "file", "Use this vault file."),),
    "version": (("--format", "one of plain json", "The output format."),),
}

GROUPS: dict[str, dict[str, str]] = {
    "agent": {"forget": "Drop everything that the agent keeps; the next activation asks the stores.", "start": "Start the agent now; it stays until this shell ends.", "status": "Show what the agent keeps: stores, numbers and ages, never a value.", "stop": "End the agent, and all that it keeps."},
    "backend": {"add": "Add a backend to the project's config.", "list": "List the project's backends in the order in which they are asked."},
    "config": {"show": "Show the configuration in effect: the project's over your own."},
    "profile": {"create": "Make the env file of a new profile.", "diff": "Compare the variables of two profiles; references stay as they are.", "export": "Print the variables of a profile; references stay as they are unless they are to be resolved.", "list": "List the project's profiles; a star marks the one in effect.", "use": "Make a profile the active one: commands use it unless another is named."},
    "secret": {"copy": "Copy a secret of another project in the same backend.", "delete": "Delete a secret from one scope of one backend.", "generate": "Store a random value.", "get": "Print a secret: the profile's, else the project's.", "list": "List the names of the secrets at one scope; never a value.", "rotate": "Give a secret a new value, and keep the old ones as KEY.__history.N.", "set": "Store a secret: typed without echo, or from stdin.", "share": "Print a secret as age ciphertext that only the recipients can read."},
    "sync": {"pull": "Store the secrets of a file that was pushed to you; what your store has already stays.", "push": "Write the secrets of a scope into a file that only the recipients can read."},
    "team": {"add": "Add a member: a name, and an age or ssh public key or the file that holds it.", "list": "List the members of the team and their public keys.", "remove": "Remove a member.", "rm": "As `team remove`."},
    "vault": {"backup": "Copy the vault, still encrypted, to FILE; never overwrites.", "export": "Print every secret of the vault as JSON.", "import": "Store the secrets of an export, all or none.", "init": "Create the vault, behind a passphrase.", "lock": "Close the vault to every process until `vault unlock`, and end unlock sessions.", "passwd": "Change the passphrase; the stored values stay as they are.", "rekey": "Give the vault a new key and encrypt every value again.", "unlock": "Open a locked vault.", "upgrade": "Convert the vault of an older envref."},
}
