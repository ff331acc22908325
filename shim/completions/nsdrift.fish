# Completion of nsdrift(1) for fish. Subcommands and options are read from the output of --help, so
# that this file need not change when an option is added.

function __nsdrift_commands
    set -l inside 0
    nsdrift --help 2>/dev/null | while read -l line
        if test "$line" = Commands:
            set inside 1
        else if test -z "$line"
            set inside 0
        else if test $inside = 1
            string replace -r '^ *([a-z]+) +' '$1\t' -- $line
        end
    end
end

function __nsdrift_subcommand
    for word in (commandline -opc)[2..-1]
        string match -q -- '-*' $word; or begin
            echo $word
            return
        end
    end
    return 1
end

function __nsdrift_options
    set -l subcommand (__nsdrift_subcommand); or return
    contains -- -- (commandline -opc); and return
    nsdrift $subcommand --help 2>/dev/null | while read -l line
        set -l parts (string match -r '^(-[a-zA-Z], |)(--[a-z-]+)([ =][A-Za-z=]+|)(  +|$)(.*)$' -- (string trim -- $line))
        set -q parts[1]; or continue
        printf '%s%s\t%s\n' $parts[3] (test -n "$parts[4]"; and echo =; or echo '') "$parts[6]"
    end
end

function __nsdrift_library_options
    nsdrift --help 2>/dev/null | string match -rg '^  ([a-z_]+ +.*\))$' | while read -l name words
        printf '%s=\t%s\n' $name "$words"
    end
end

# The options of a subcommand come from --help, values of this one do not.
function __nsdrift_wants_status
    string match -q -- '--exit-status=*' (commandline -ct)
end

function __nsdrift_is
    test "$(__nsdrift_subcommand)" = $argv[1]
end

complete -c nsdrift -n 'not __nsdrift_subcommand' -f -a '(__nsdrift_commands)'
complete -c nsdrift -n 'not __nsdrift_subcommand' -f -l help -d 'what there is'
complete -c nsdrift -n 'not __nsdrift_subcommand' -f -l version -d 'the version'
complete -c nsdrift -n __nsdrift_subcommand -a '(__nsdrift_options)'
complete -c nsdrift -n __nsdrift_subcommand -s o -x -a '(__nsdrift_library_options)'
complete -c nsdrift -n '__nsdrift_is run; and __nsdrift_wants_status' -l exit-status -x -a 'findings bisect program'
complete -c nsdrift -n '__nsdrift_is scan' -f -a '(__fish_complete_pids)'
complete -c nsdrift -n '__nsdrift_is run' -a '(__fish_complete_subcommand --fcs-skip=2)'
complete -c nsdrift -n '__nsdrift_is repeat' -a '(__fish_complete_subcommand --fcs-skip=3)'
