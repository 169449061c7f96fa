"""The scripts of `envref completion --prompt`: a segment that says how many variables of the shell are old.

While nothing was written, a prompt looks for one file by its name (fresh/stamp.py): one stat, no process. A prompt is
no code here: the text is put before it and taken away again, so neither `promptvars` nor `prompt_subst` matters.
A question that got no number, in a directory outside of the project for instance, is asked again where the last one
that did get one was asked, or above or below.
"""

from __future__ import annotations

SHELLS = ("bash", "zsh", "fish")
_EVERY = "EVERY"

# Whether a prompt has to ask; for bash and zsh.
_IS_NEWS = r"""_envref_is_news() {
    [[ -n $_envref_asked ]] || return 0
    if [[ -n $_envref_failed && $PWD != "$_envref_failed" ]]; then
        [[ $PWD/ != "$_envref_place"/* && $_envref_place/ != "$PWD"/* ]] || return 0
    fi
    ((_envref_every == 0 || SECONDS - _envref_asked < _envref_every)) || return 0
    if [[ -n $_envref_file ]]; then [[ ! -e $_envref_file ]]; else [[ -d $_envref_stamp ]]; fi
}
"""

_BASH = (
    r"""# envref's segment of the prompt, for bash.
_envref_stamp=${XDG_STATE_HOME:-$HOME/.local/state}/envref/stamp _envref_every=EVERY
_envref_file= _envref_asked= _envref_given=${ENVREF_SEEN-} _envref_text= _envref_failed= _envref_place=

_envref_prompt() {
    local status=$? count= old=$_envref_text
    if [[ -z ${ENVREF_SEEN-} ]]; then
        _envref_text=
    elif _envref_is_news; then
        _envref_asked=$SECONDS _envref_file=
        for _envref_file in "$_envref_stamp"/*; do break; done
        [[ $_envref_file != *'*' ]] || _envref_file=
        [[ -n $_envref_file || ! -d $_envref_stamp ]] || _envref_file=$_envref_stamp
        count=$(command envref stale --count --timeout 3 2>/dev/null)
        _envref_text= _envref_failed=$PWD
        [[ ! $count =~ ^[0-9]+$ ]] || _envref_failed= _envref_place=$PWD
        [[ ! $count =~ ^[1-9][0-9]*$ ]] || _envref_text="[$count old] "
    elif [[ $ENVREF_SEEN != "$_envref_given" ]]; then
        _envref_text= _envref_failed= _envref_place=$PWD # these values were just given
    fi
    _envref_given=${ENVREF_SEEN-}
    PS1=$_envref_text${PS1#"$old"}
    return "$status"
}

"""
    + _IS_NEWS
    + r"""
if [[ ${PROMPT_COMMAND[*]-} != *_envref_prompt* ]]; then
    if [[ $(declare -p PROMPT_COMMAND 2>/dev/null) == "declare -a"* ]]; then
        PROMPT_COMMAND+=(_envref_prompt)
    else
        PROMPT_COMMAND=${PROMPT_COMMAND:+$PROMPT_COMMAND$'\n'}_envref_prompt
    fi
fi
"""
)

_ZSH = (
    r"""# envref's segment of the prompt, for zsh.
typeset -g _envref_stamp=${XDG_STATE_HOME:-$HOME/.local/state}/envref/stamp _envref_every=EVERY
typeset -g _envref_file= _envref_asked= _envref_given=${ENVREF_SEEN-} _envref_text= _envref_failed= _envref_place=

_envref_prompt() {
    emulate -L zsh
    local count= old=$_envref_text
    local -a files
    if [[ -z ${ENVREF_SEEN-} ]]; then
        _envref_text=
    elif _envref_is_news; then
        _envref_asked=$SECONDS
        files=($_envref_stamp/*(N))
        _envref_file=${files[1]-}
        [[ -n $_envref_file || ! -d $_envref_stamp ]] || _envref_file=$_envref_stamp
        count=$(command envref stale --count --timeout 3 2>/dev/null)
        _envref_text= _envref_failed=$PWD
        [[ $count != [0-9]* || $count == *[^0-9]* ]] || { _envref_failed=; _envref_place=$PWD }
        [[ $count != [1-9]* || $count == *[^0-9]* ]] || _envref_text="[$count old] "
    elif [[ $ENVREF_SEEN != $_envref_given ]]; then
        _envref_text= _envref_failed= _envref_place=$PWD # these values were just given
    fi
    _envref_given=${ENVREF_SEEN-}
    PROMPT=$_envref_text${PROMPT#"$old"}
}

"""
    + _IS_NEWS
    + r"""
autoload -Uz add-zsh-hook && add-zsh-hook precmd _envref_prompt
"""
)

_FISH = r"""# envref's segment of the prompt, for fish.
set -g __envref_stamp $HOME/.local/state/envref/stamp
test -n "$XDG_STATE_HOME"; and set -g __envref_stamp $XDG_STATE_HOME/envref/stamp
set -g __envref_every EVERY
set -g __envref_file
set -g __envref_asked
set -g __envref_given "$ENVREF_SEEN"
set -g __envref_text
set -g __envref_failed
set -g __envref_place

function __envref_segment
    if test -z "$ENVREF_SEEN"
        set -g __envref_text
    else if __envref_is_news
        set -g __envref_asked 0
        test $__envref_every -gt 0; and set -g __envref_asked (date +%s)
        set -l files $__envref_stamp/*
        set -g __envref_file $files[1]
        test -z "$__envref_file"; and test -d $__envref_stamp; and set -g __envref_file $__envref_stamp
        set -l count (command envref stale --count --timeout 3 2>/dev/null)
        set -g __envref_text
        set -g __envref_failed $PWD
        string match -qr '^[0-9]+$' -- "$count"; and __envref_told
        string match -qr '^[1-9][0-9]*$' -- "$count"; and set -g __envref_text "[$count old] "
    else if test "$ENVREF_SEEN" != "$__envref_given"
        set -g __envref_text # these values were just given
        __envref_told
    end
    set -g __envref_given "$ENVREF_SEEN"
    printf %s "$__envref_text"
end

function __envref_told
    set -g __envref_failed
    set -g __envref_place $PWD
end

function __envref_is_news
    test -n "$__envref_asked"; or return 0
    if test -n "$__envref_failed"; and test "$PWD" != "$__envref_failed"
        test (string sub -l (string length -- "$__envref_place/") -- "$PWD/") = "$__envref_place/"; and return 0
        test (string sub -l (string length -- "$PWD/") -- "$__envref_place/") = "$PWD/"; and return 0
    end
    if test $__envref_every -gt 0; and test (math (date +%s) - $__envref_asked) -ge $__envref_every
        return 0
    end
    if test -n "$__envref_file"
        not test -e $__envref_file
    else
        test -d $__envref_stamp
    end
end

function __envref_status
    return $argv[1]
end

functions -q fish_prompt
if not functions -q __envref_own_prompt
    functions -c fish_prompt __envref_own_prompt
end

function fish_prompt
    set -l last $status
    __envref_segment
    __envref_status $last
    __envref_own_prompt
end
"""
_SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}


def segment(shell: str, every: int) -> str:
    """The script for a shell. `every` is after how many seconds to ask although nothing was written here; 0: never."""
    return _SCRIPTS[shell].replace(_EVERY, str(every))
