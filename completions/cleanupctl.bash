_cleanupctl_completion() {
    local IFS=$'\n'
    COMPREPLY=($(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \
        _CLEANUPCTL_COMPLETE=complete_bash "${1/#\~/$HOME}" 2>/dev/null))
    if [[ ${COMPREPLY[0]-} == '<files>' ]]; then
        COMPREPLY=()
        compopt -o default 2>/dev/null
    fi
}

complete -F _cleanupctl_completion cleanupctl
