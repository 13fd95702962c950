# Completions of nono for fish 3 and later. As nono.fish in ~/.config/fish/completions, or:  nono completion fish | source
function __nono_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l lines (command $words[1] __complete $words[2..-1] "$current" 2>/dev/null)
    set -l mode $lines[1]
    set -e lines[1]
    for line in $lines
        echo $line
    end
    set -l option (string match -r '^--[^=]+=' -- "$current")
    set -l value (string replace -r '^--[^=]+=' '' -- "$current")
    switch "$mode"
        case ':command *'
            __fish_complete_subcommand --fcs-skip=(math (string replace ':command ' '' -- $mode) + 1)
        case ':files'
            for path in (__fish_complete_path "$value")
                echo "$option$path"
            end
        case ':directories'
            for path in (__fish_complete_directories "$value" '')
                echo "$option$path"
            end
    end
end
complete -c nono -f -a '(__nono_complete)'
