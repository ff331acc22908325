# Completion of nsdrift(1) for bash. Subcommands, options and the options of the library are read from
# the output of --help, so that this file need not change when an option is added. Works with and
# without the package bash-completion.

# Prints the subcommands.
_nsdrift_commands() {
    local line inside=
    while IFS= read -r line; do
        case $line in
            Commands:) inside=1 ;;
            '') inside= ;;
            '  '*) [[ -z $inside ]] || { line=${line#  } && echo "${line%% *}"; } ;;
        esac
    done < <("$1" --help 2> /dev/null)
}

# Prints the long options of a subcommand; an option that takes a value ends with =.
_nsdrift_options() {
    local line
    while IFS= read -r line; do
        if [[ $line =~ ^\ +(-[a-zA-Z],\ )?(--[a-z-]+)(\ [A-Z]|=)? ]]; then
            echo "${BASH_REMATCH[2]}${BASH_REMATCH[3]:+=}"
        fi
    done < <("$1" ${2:+"$2"} --help 2> /dev/null)
}

# Prints the options of the library, each as name=.
_nsdrift_library_options() {
    local line inside=
    while IFS= read -r line; do
        case $line in
            'Options of the library'*) inside=1 ;;
            '  '*) [[ -z $inside ]] || { line=${line#  } && echo "${line%% *}="; } ;;
        esac
    done < <("$1" --help 2> /dev/null)
}

# Succeeds if the value of this option is the next word of the command line.
_nsdrift_takes_word() {
    local option
    case $1 in
        -o | -j) return 0 ;;
        --*=* | -[!-]*) return 1 ;;
    esac
    for option in $_nsdrift_known; do
        [[ $option != "$1=" ]] || return 0
    done
    return 1
}

# Fills COMPREPLY with possible values of an option.
_nsdrift_value() {
    local command=$1 option=$2 current=$3
    case $option in
        -o | --option)
            COMPREPLY=($(compgen -W "$(_nsdrift_library_options "$command")" -- "$current"))
            compopt -o nospace 2> /dev/null ;;
        --exit-status) COMPREPLY=($(compgen -W 'findings bisect program' -- "$current")) ;;
        --severity) COMPREPLY=($(compgen -W 'note warning error' -- "$current")) ;;
        --color) COMPREPLY=($(compgen -W 'auto always never' -- "$current")) ;;
        --check) COMPREPLY=($(compgen -c -- "$current")) ;;
        --since | --log | --trace)
            COMPREPLY=($(compgen -f -- "$current"))
            compopt -o filenames 2> /dev/null ;;
        --debug-path)
            COMPREPLY=($(compgen -d -- "$current"))
            compopt -o filenames 2> /dev/null ;;
    esac
    return 0
}

_nsdrift_processes() {
    local folder
    for folder in /proc/[1-9]*; do
        echo "${folder#/proc/}"
    done
}

_nsdrift() {
    local command=$1 current=$2 previous=$3 subcommand= program= runs= word i
    local _nsdrift_known
    COMPREPLY=()
    # COMP_WORDBREAKS usually contains =: bash then splits "--log=x" into three words.
    [[ $current != = ]] || current=
    if [[ $previous == = && $COMP_CWORD -ge 3 ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi

    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -z $subcommand ]]; then
            [[ $word == -* ]] || subcommand=$word
            [[ -z $subcommand ]] || _nsdrift_known=$(_nsdrift_options "$command" "$subcommand")
        elif [[ $word == = ]]; then
            ((i++))
        elif [[ $word == -- && ($subcommand == run || $subcommand == repeat) ]]; then
            program=$((i + 1))
            break
        elif [[ $word == -* ]]; then
            if _nsdrift_takes_word "$word" && [[ ${COMP_WORDS[i + 1]} != = ]]; then
                ((i++))
            fi
        elif [[ $subcommand == run || ($subcommand == repeat && -n $runs) ]]; then
            program=$i
            break
        elif [[ $subcommand == repeat ]]; then
            runs=$word
        fi
    done

    if [[ -z $subcommand ]]; then
        COMPREPLY=($(compgen -W "$(_nsdrift_commands "$command") --help --version" -- "$current"))
    elif [[ -n $program ]]; then
        if declare -F _command_offset > /dev/null; then
            _command_offset "$program"
        elif ((COMP_CWORD == program)); then
            COMPREPLY=($(compgen -c -- "$current") $(compgen -f -- "$current"))
            compopt -o filenames 2> /dev/null
        else
            COMPREPLY=($(compgen -f -- "$current"))
            compopt -o filenames 2> /dev/null
        fi
    elif [[ $previous == -* ]] && _nsdrift_takes_word "$previous"; then
        _nsdrift_value "$command" "$previous" "$current"
    elif [[ $current == --*=* ]]; then
        _nsdrift_value "$command" "${current%%=*}" "${current#*=}"
        COMPREPLY=("${COMPREPLY[@]/#/${current%%=*}=}")
    elif [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$_nsdrift_known" -- "$current"))
        [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2> /dev/null
    else
        case $subcommand in
            scan) COMPREPLY=($(compgen -W "$(_nsdrift_processes)" -- "$current")) ;;
            report)
                COMPREPLY=($(compgen -f -- "$current"))
                compopt -o filenames 2> /dev/null ;;
            run)
                COMPREPLY=($(compgen -c -- "$current") $(compgen -f -- "$current"))
                compopt -o filenames 2> /dev/null ;;
            repeat)
                [[ -n $runs ]] || COMPREPLY=($(compgen -W '20 200 1000' -- "$current"))
                if [[ -n $runs ]]; then
                    COMPREPLY=($(compgen -c -- "$current") $(compgen -f -- "$current"))
                    compopt -o filenames 2> /dev/null
                fi ;;
        esac
    fi
    return 0
}

complete -F _nsdrift nsdrift
