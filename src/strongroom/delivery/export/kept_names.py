"""Names of variables that a shell keeps for itself: assigned to, they end the script, change the shell, or hold something else."""

from __future__ import annotations

KEPT_BY_BASH = frozenset(
    {
        *("BASHOPTS", "BASHPID", "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_ARGV0", "BASH_CMDS"),
        *("BASH_COMMAND", "BASH_COMPAT", "BASH_LINENO", "BASH_SOURCE", "BASH_SUBSHELL", "BASH_VERSINFO"),
        *("BASH_XTRACEFD", "COMP_WORDBREAKS", "DIRSTACK", "EPOCHREALTIME", "EPOCHSECONDS", "EUID"),
        *("FUNCNAME", "GROUPS", "HISTCMD", "LINENO", "OPTIND", "PIPESTATUS", "PPID", "RANDOM", "SECONDS"),
        *("SHELLOPTS", "SHLVL", "SRANDOM", "UID", "_"),
    }
)
KEPT_BY_ZSH = frozenset(
    {
        *("ARGC", "COLUMNS", "EGID", "EUID", "FUNCNEST", "GID", "HISTCHARS", "HISTCMD", "HISTSIZE"),
        *("KEYBOARD_HACK", "KEYTIMEOUT", "LINENO", "LINES", "LISTMAX", "MAILCHECK", "OPTIND", "PPID"),
        *("RANDOM", "SAVEHIST", "SECONDS", "SHLVL", "TRY_BLOCK_ERROR", "TRY_BLOCK_INTERRUPT", "TTY"),
        *("TTYIDLE", "UID", "USERNAME", "WATCH", "ZSH_EVAL_CONTEXT", "ZSH_SUBSHELL", "_", "aliases", "argv"),
        *("builtins", "cdpath", "commands", "dirstack", "dis_aliases", "dis_builtins", "dis_functions"),
        *("dis_functions_source", "dis_galiases", "dis_patchars", "dis_reswords", "dis_saliases", "fignore"),
        *("fpath", "funcfiletrace", "funcsourcetrace", "funcstack", "functions", "functions_source"),
        *("functrace", "galiases", "histchars", "history", "historywords", "jobdirs", "jobstates"),
        *("jobtexts", "keymaps", "mailpath", "manpath", "module_path", "modules", "nameddirs", "options"),
        *("parameters", "patchars", "path", "pipestatus", "prompt", "psvar", "reswords", "saliases"),
        *("signals", "status", "termcap", "terminfo", "userdirs", "usergroups", "watch", "widgets"),
        *("zsh_eval_context", "zsh_scheduled_events"),
    }
)
KEPT_BY_POSIX_SHELLS = KEPT_BY_BASH | KEPT_BY_ZSH
KEPT_BY_FISH = frozenset(
    {
        *("CMD_DURATION", "COLUMNS", "FISH_VERSION", "LINES", "PWD", "SHLVL", "_", "argv"),
        *("fish_kill_signal", "fish_killring", "fish_pid", "history", "hostname", "pipestatus", "status"),
        *("status_generation", "umask", "version"),
    }
)
