package main

import (
	"fmt"
	"strings"
)

// bashScript completes by names alone: bash shows no descriptions. What follows a flag
// that takes a value is that value; where nothing is known of it, nothing is offered.
// Bash takes "=" for a word of its own (COMP_WORDBREAKS), so that -flag=value is three.
func bashScript(list []command) string {
	var words, values strings.Builder
	for _, c := range list {
		var names []string
		for _, f := range c.completedFlags() {
			names = append(names, "-"+f.name)
			if f.value != "" {
				fmt.Fprintf(&values, "    '%s -%s') %s ;;\n", c.name, f.name, bashValue(f))
			}
		}
		args := strings.Join(c.args, " ")
		fmt.Fprintf(&words, "    %s) flags='%s' args='%s' files=%t ;;\n",
			c.name, strings.Join(names, " "), args, c.files)
	}
	return fmt.Sprintf(bashFrame, strings.Join(commandNames(), " "), values.String(), words.String())
}

// bashValue is what is done for the value of a flag: "known" offers words.
func bashValue(f completed) string {
	switch {
	case f.source != "":
		return fmt.Sprintf("_tcapflow_client_known \"$(%s)\"; return", f.source)
	case f.choices != nil:
		return fmt.Sprintf("_tcapflow_client_known '%s'; return", strings.Join(f.choices, " "))
	case f.file:
		return "return"
	}
	return "_tcapflow_client_known ''; return"
}

const bashFrame = `# bash completion of tcapflow-client; "tcapflow-client help completion" says where it goes

# _tcapflow_client_known offers words; the names of files are none of them.
_tcapflow_client_known() {
    compopt +o default 2>/dev/null
    COMPREPLY=($(compgen -W "$1" -- "$cur"))
}

_tcapflow_client() {
    local cur=${COMP_WORDS[COMP_CWORD]} at=$((COMP_CWORD - 1)) flags= args= files=false
    COMPREPLY=()
    if [ "$COMP_CWORD" = 1 ]; then
        _tcapflow_client_known '%s'
        return
    fi
    if [ "$cur" = = ]; then
        cur=
    elif [ "${COMP_WORDS[at]}" = = ]; then
        at=$((at - 1))
    fi
    case "${COMP_WORDS[1]} ${COMP_WORDS[at]}" in
%s    esac
    case ${COMP_WORDS[1]} in
%s    esac
    if [ "${cur#-}" != "$cur" ]; then
        _tcapflow_client_known "$flags"
    elif [ "$files" = false ]; then
        _tcapflow_client_known "$args"
    fi
}

complete -o default -F _tcapflow_client tcapflow-client
`

func zshScript(list []command) string {
	var names, cases strings.Builder
	for _, c := range list {
		fmt.Fprintf(&names, "        '%s:%s'\n", c.name, quoted(c.about))
		fmt.Fprintf(&cases, "    %s)\n        _arguments", c.name)
		for _, f := range c.completedFlags() {
			fmt.Fprintf(&cases, " \\\n            '%s'", zshFlag(f))
		}
		switch {
		case c.files:
			cases.WriteString(" \\\n            '*:file:_files'")
		case c.args != nil:
			fmt.Fprintf(&cases, " \\\n            '1:what:(%s)'", strings.Join(c.args, " "))
		}
		cases.WriteString(" ;;\n")
	}
	return fmt.Sprintf(zshFrame, names.String(), cases.String())
}

// zshFlag is a flag in the form of zshcompsys(1), _arguments. A flag without a value
// takes one behind "=" all the same, as Go's flag package has it.
func zshFlag(f completed) string {
	about := strings.NewReplacer("[", `\[`, "]", `\]`).Replace(quoted(f.about))
	if f.value == "" {
		return fmt.Sprintf("-%s=-[%s]:: :(true false)", f.name, about)
	}
	return fmt.Sprintf("*-%s[%s]:%s:%s", f.name, about, strings.ReplaceAll(f.value, ":", `\:`), zshValue(f))
}

func zshValue(f completed) string {
	switch {
	case f.source != "":
		return fmt.Sprintf(`{compadd -- ${(f)"$(%s)"}}`, quoted(f.source))
	case f.choices != nil:
		return "(" + strings.Join(f.choices, " ") + ")"
	case f.file:
		return "_files"
	}
	return " "
}

// quoted is for the inside of single quotes, in a POSIX shell and in zsh.
func quoted(text string) string { return strings.ReplaceAll(text, "'", `'\''`) }

const zshFrame = `#compdef tcapflow-client
# zsh completion of tcapflow-client; "tcapflow-client help completion" says where it goes

_tcapflow-client() {
    local -a names=(
%s    )
    if (( CURRENT == 2 )); then
        _describe command names
        return
    fi
    shift words
    (( CURRENT-- ))
    case $words[1] in
%s    esac
}

# From a folder of $fpath this file is the function; sourced, it defines it.
if [[ $funcstack[1] = _tcapflow-client ]]; then
    _tcapflow-client "$@"
else
    compdef _tcapflow-client tcapflow-client
fi
`

func fishScript(list []command) string {
	var b strings.Builder
	b.WriteString(fishHead)
	for _, c := range list {
		fmt.Fprintf(&b, "complete -c tcapflow-client -n __fish_use_subcommand -a %s -d %s\n",
			c.name, fishQuoted(c.about))
	}
	for _, c := range list {
		with := fmt.Sprintf("complete -c tcapflow-client -n '__fish_seen_subcommand_from %s'", c.name)
		switch {
		case c.files:
			fmt.Fprintf(&b, "%s -F\n", with)
		case c.args != nil:
			fmt.Fprintf(&b, "%s -a '%s'\n", with, strings.Join(c.args, " "))
		}
		for _, f := range c.completedFlags() {
			fmt.Fprintf(&b, "%s -o %s%s -d %s\n", with, f.name, fishValue(f), fishQuoted(f.about))
		}
	}
	return b.String()
}

const fishHead = `# fish completion of tcapflow-client; "tcapflow-client help completion" says where it goes
complete -c tcapflow-client -f
`

func fishValue(f completed) string {
	switch {
	case f.value == "":
		return ""
	case f.source != "":
		return " -x -a " + fishQuoted("("+f.source+")")
	case f.choices != nil:
		return fmt.Sprintf(" -x -a '%s'", strings.Join(f.choices, " "))
	case f.file:
		return " -r -F"
	}
	return " -x"
}

// fishQuoted is text in single quotes: fish knows \' and \\ there.
func fishQuoted(text string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, "'", `\'`).Replace(text) + "'"
}
