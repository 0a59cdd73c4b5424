# Completion of healthcheckctl(1) in bash: commands, options, and the names that a running healthcheckd knows.
# Belongs into /usr/share/bash-completion/completions/healthcheckctl, or is sourced from ~/.bashrc.

# Names of cats or programs, one a line; nothing when healthcheckd is away. "      "KEY": "NAME"," is how
# status --json gives those of a cat, and those of nothing else.
_healthcheckctl_names() {
    local key=$1
    shift
    timeout 2 "$@" status --json 2>/dev/null </dev/null |
        sed -n "s/^      \"$key\": \"\\([^\"\\\\]*\\)\",\\{0,1\\}\$/\\1/p"
}

_healthcheckctl() {
    # Words as the shell takes them: bash would part web:web_00 at its colon. "\ " is a blank within a word.
    local line=${COMP_LINE:0:COMP_POINT} words cur prev command='' socket=()
    # shellcheck disable=SC2162
    read -a words <<<"${line%\\}"
    [[ $line == *[[:space:]] && $line != *\\[[:space:]] ]] && words+=('')
    cur=${words[-1]}
    prev=${words[-2]-}

    local i
    for ((i = 1; i < ${#words[@]} - 1; i++)); do
        case ${words[i]} in
        -s | --socket)
            socket=(-s "${words[i + 1]}")
            ((i++))
            ;;
        --socket=*) socket=(-s "${words[i]#*=}") ;;
        --for | -n | --interval | --timeout) ((i++)) ;;
        -*) ;;
        *) [[ -z $command ]] && command=${words[i]} ;;
        esac
    done

    local candidates='' IFS=$'\n'
    case $prev in
    -s | --socket)
        COMPREPLY=($(compgen -f -- "$cur"))
        return
        ;;
    --for) candidates=$'10m\n30m\n2h\n1d' ;;
    -n | --interval | --timeout) return ;;
    *)
        if [[ $cur == -* ]]; then
            candidates=$'--socket\n--timeout\n--help\n--version'
            case $command in
            status) candidates=$'--json\n--failed' ;;
            watch) candidates=--interval ;;
            pause) candidates=--for ;;
            test-action) candidates=--dry-run ;;
            ?*) candidates= ;;
            esac
        elif [[ -z $command ]]; then
            candidates=$'status\nwatch\npause\nresume\ncheck\ntest-action\nreload\nhistory'
        elif [[ $command != reload ]]; then
            candidates=$(_healthcheckctl_names name "${words[0]}" "${socket[@]}")
            [[ $command == pause || $command == resume ]] &&
                candidates+=$'\n'$(_healthcheckctl_names program "${words[0]}" "${socket[@]}" | sort -u)
        fi
        ;;
    esac
    local candidate
    COMPREPLY=()
    for candidate in $candidates; do
        [[ $candidate == "$cur"* ]] || continue
        # bash replaces only what follows the last colon of the word.
        [[ $cur == *:* && $COMP_WORDBREAKS == *:* ]] && candidate=${candidate#"${cur%:*}:"}
        COMPREPLY+=("${candidate// /\\ }")
    done
    return 0
}

complete -F _healthcheckctl healthcheckctl
