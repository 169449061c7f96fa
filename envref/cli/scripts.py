"""The scripts of `envref completion`: each asks envref what may stand at the cursor, and tells its shell.

Whatever envref answers is data: no script evaluates it. Files, folders and the program that `run` starts are the
shell's own to complete. Seen in bash 5.2, zsh 5.9 and fish 3.6; nobody has run the one for PowerShell.
"""

from __future__ import annotations

_BASH = r"""# Completion of envref for bash.

_envref_completion() {
    local line first=
    COMPREPLY=()
    while IFS= read -r line; do
        case $line in
            plain,*) COMPREPLY+=("${line#*,}") ;;
            part,*)
                COMPREPLY+=("${line#*,}")
                compopt -o nospace 2>/dev/null
                ;;
            file,*) _envref_files -f default "$2" ;;
            dir,*) _envref_files -d dirnames "$2" ;;
            program,*) first=${line#*,} ;;
        esac
    done <<< "$(
        IFS=$'\n'
        words="${COMP_WORDS[*]:0:COMP_CWORD}"$'\n'"$2"
        unset COMP_CWORD
        env _ENVREF_COMPLETE=bash_complete COMP_WORDS="$words" "$1" 2>/dev/null
    )"
    [[ -z $first ]] || _envref_program "$first" "$2"
}

# Files or folders: readline's own completion, which knows ~ and quotes; where there is no compopt, their names.
_envref_files() {
    compopt -o "$2" 2>/dev/null || while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen "$1" -- "$3")
}

# The command line of another program, which begins with word $1.
_envref_program() {
    local name rest spec option place
    if ((COMP_CWORD == $1)); then
        while IFS= read -r name; do
            [[ $name != */* ]] && type -P -- "$name" >/dev/null && COMPREPLY+=("$name")
        done <<< "$(compgen -c -- "$2" | sort -u)"
        [[ $2 != */* ]] || _envref_files -f default "$2"
        return
    fi
    for name in _comp_command_offset _command_offset; do # of bash-completion, since 2.12 and before
        if declare -F "$name" >/dev/null; then
            "$name" "$1"
            return
        fi
    done
    spec=$(complete -p -- "${COMP_WORDS[$1]##*/}" 2>/dev/null)
    if [[ ! $spec =~ \ -F\ ([^[:space:]]+) ]] || ! declare -F "${BASH_REMATCH[1]}" >/dev/null; then
        _envref_files -f default "$2"
        return
    fi
    name=${BASH_REMATCH[1]}
    while [[ $spec =~ \ -o\ ([a-z]+)(.*) ]]; do
        option=${BASH_REMATCH[1]} spec=${BASH_REMATCH[2]}
        compopt -o "$option" 2>/dev/null
    done
    rest=$COMP_LINE
    for ((place = 0; place < $1; place++)); do
        rest=${rest#*"${COMP_WORDS[place]}"}
    done
    rest=${rest#"${rest%%[![:space:]]*}"}
    COMP_POINT=$((COMP_POINT - ${#COMP_LINE} + ${#rest}))
    COMP_LINE=$rest
    COMP_WORDS=("${COMP_WORDS[@]:$1}")
    COMP_CWORD=$((COMP_CWORD - $1))
    "$name" "${COMP_WORDS[0]}" "$2" "${COMP_WORDS[COMP_CWORD - 1]}"
}

complete -o nosort -F _envref_completion envref 2>/dev/null || complete -F _envref_completion envref
"""

_ZSH = r"""#compdef envref
# Completion of envref for zsh.

_envref() {
    local -a before lines plain part
    local sort text help first="" files=""
    before=("${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}")
    lines=("${(@f)$(
        env -u COMP_CWORD _ENVREF_COMPLETE=zsh_complete COMP_WORDS="${(F)before}" "${(Q)words[1]}" 2>/dev/null
    )}")
    for sort text help in "${lines[@]}"; do
        text=${text//\\/\\\\}
        text=${text//:/\\:}
        [[ $help == _ ]] || text+=":$help"
        case $sort in
            plain) plain+=("$text") ;;
            part) part+=("$text") ;;
            file) files=_files ;;
            dir) files='_files -/' ;;
            program) first=$text ;;
        esac
    done
    if [[ -n $first ]]; then
        shift $first words
        (( CURRENT -= first ))
        if (( CURRENT == 1 )) && [[ $PREFIX != */* ]]; then
            _command_names -e
        else
            _normal
        fi
    elif [[ -n $files ]]; then
        [[ $PREFIX == --*=* ]] && compset -P '*='
        ${=files}
    else
        (( ! $#part )) || _describe -V envref part -S ''
        (( ! $#plain )) || _describe -V envref plain
    fi
}

if [[ ${zsh_eval_context[-1]} == loadautofunc ]]; then
    _envref "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef _envref envref
fi
"""

_FISH = r"""# Completion of envref for fish.

function __envref_complete
    set -l before (commandline -opc)
    set -l current (commandline -ct)
    set -l words (string join \n -- $before $current | string collect)
    set -l answer (env -u COMP_CWORD _ENVREF_COMPLETE=fish_complete COMP_WORDS="$words" $before[1] 2>/dev/null)
    for line in $answer
        set -l part (string split -m 1 -- , $line)
        switch $part[1]
            case plain part
                printf "%s\n" $part[2]
            case file
                __envref_files $current
            case dir
                __envref_files $current | string match -r -- '^[^\t]*/(?=\t|$)'
            case program
                __envref_program $part[2] $before $current
        end
    end
end

# What fish itself offers to a program that it knows nothing of, behind a word like --file=.
function __envref_files
    set -l option (string match -r -- '^--[^=]*=' $argv[1])
    complete -C "'' "(string replace -r -- '^--[^=]*=' '' $argv[1]) | string replace -r -- '^' "$option"
end

# The command line of another program, which begins behind the first $argv[1] words of the others.
function __envref_program
    set -l words $argv[2..-1]
    set -l own $words[(math $argv[1] + 1)..-1]
    if test (count $own) -eq 1; and not string match -q -- '*/*' $own[1]
        for name in (complete -C $own[1] | string replace -r -- '\t.*' '' | string match -v -- '*/')
            command -q -- $name; and printf "%s\n" $name
        end
        return
    end
    complete -C (string join ' ' -- (string escape -- $own[1..-2]) $own[-1])
end

complete -c envref -f -a '(__envref_complete)'
"""

_POWERSHELL = r"""Register-ArgumentCompleter -Native -CommandName envref -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $env:_ENVREF_COMPLETE = 'fish_complete'
    $env:COMP_WORDS = $commandAst.ToString()
    $env:COMP_CWORD = $wordToComplete
    try {
        envref | ForEach-Object {
            $sort, $answer = $_ -split ',', 2
            if ($sort -ne 'plain') { return }
            $value, $help = $answer -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:_ENVREF_COMPLETE, Env:COMP_WORDS, Env:COMP_CWORD
    }
}
"""
SCRIPTS = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH, "powershell": _POWERSHELL}
