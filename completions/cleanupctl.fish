function __cleanupctl_complete
    set -l line (commandline -cp | string collect)
    set -l candidates (env _TYPER_COMPLETE_ARGS="$line" _TYPER_COMPLETE_FISH_ACTION=get-args \
        _CLEANUPCTL_COMPLETE=complete_fish cleanupctl 2>/dev/null)
    if test "$candidates[1]" = '<files>'
        __fish_complete_path (commandline -ct)
    else
        string match --invert -- '' $candidates
    end
end

complete --command cleanupctl --no-files --arguments '(__cleanupctl_complete)'
