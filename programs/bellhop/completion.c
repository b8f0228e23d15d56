/* SPDX-License-Identifier: MIT */
/*
 * bellhop completion bash|zsh|fish: how each shell asks `bellhop completion words`, where all is
 * known that can stand on a command line (complete.c, from the tables of commands and options).
 */
#include "programs/bellhop/bellhop.h"

#include <string.h>

/*
 * Bash splits words at COMP_WORDBREAKS too, which has ':' and '=' in it: pieces between which no
 * blank stands are put together again, and what stands before the last such break is cut off the
 * candidates, because bash replaces what comes after it alone.
 */
static const char bash[] =
	"# bash completion of bellhop; printed by `bellhop completion bash`.\n"
	"_bellhop()\n"
	"{\n"
	"\tlocal line=${COMP_LINE:0:COMP_POINT} words=() piece candidate kept current\n"
	"\tfor piece in \"${COMP_WORDS[@]:0:COMP_CWORD+1}\"; do\n"
	"\t\tif [[ ${#words[@]} -eq 0 || $line == [[:blank:]]* ]]; then\n"
	"\t\t\tline=${line#\"${line%%[![:blank:]]*}\"}\n"
	"\t\t\twords+=('')\n"
	"\t\tfi\n"
	"\t\t[[ $line == \"$piece\"* ]] || piece=$line\n"
	"\t\twords[${#words[@]}-1]+=$piece\n"
	"\t\tline=${line#\"$piece\"}\n"
	"\tdone\n"
	"\tcurrent=${words[${#words[@]}-1]}\n"
	"\tkept=${current%\"${current##*[\"$COMP_WORDBREAKS\"]}\"}\n"
	"\tCOMPREPLY=()\n"
	"\twhile IFS= read -r candidate; do\n"
	"\t\tcandidate=${candidate%%$'\\t'*}\n"
	"\t\tif [[ $candidate == :files ]]; then\n"
	"\t\t\tcompopt -o filenames 2>/dev/null\n"
	"\t\t\tpiece=${current#\"$kept\"}\n"
	"\t\t\twhile IFS= read -r candidate; do\n"
	"\t\t\t\tCOMPREPLY+=(\"$candidate\")\n"
	"\t\t\tdone < <(compgen -f -- \"$piece\")\n"
	"\t\t\tcontinue\n"
	"\t\tfi\n"
	"\t\t[[ $candidate == *= ]] && compopt -o nospace 2>/dev/null\n"
	"\t\tcandidate=${candidate#\"$kept\"}\n"
	"\t\t[[ $candidate == *[^A-Za-z0-9_./:=@%+,-]* ]] && printf -v candidate %q "
	"\"$candidate\"\n"
	"\t\tCOMPREPLY+=(\"$candidate\")\n"
	"\tdone < <(\"${words[0]}\" completion words \"${words[@]:1}\" 2>/dev/null)\n"
	"}\n"
	"complete -F _bellhop bellhop\n";

static const char zsh[] = "#compdef bellhop\n"
			  "# zsh completion of bellhop; printed by `bellhop completion zsh`.\n"
			  "_bellhop()\n"
			  "{\n"
			  "\tlocal line tab=$'\\t'\n"
			  "\tlocal -a texts shown open open_shown\n"
			  "\tfor line in \"${(@f)$(\"${words[1]}\" completion words \\\n"
			  "\t\t\"${(@)words[2,CURRENT-1]}\" \"$PREFIX\" 2>/dev/null)}\"; do\n"
			  "\t\t[[ -n $line ]] || continue\n"
			  "\t\tif [[ $line == :files ]]; then\n"
			  "\t\t\t[[ $PREFIX == --*=* ]] && compset -P '*='\n"
			  "\t\t\t_files\n"
			  "\t\telif [[ ${line%%$tab*} == *= ]]; then\n"
			  "\t\t\topen+=(\"${line%%$tab*}\")\n"
			  "\t\t\topen_shown+=(\"${line/$tab/  -- }\")\n"
			  "\t\telse\n"
			  "\t\t\ttexts+=(\"${line%%$tab*}\")\n"
			  "\t\t\tshown+=(\"${line/$tab/  -- }\")\n"
			  "\t\tfi\n"
			  "\tdone\n"
			  "\t(( $#texts )) && compadd -l -d shown -- \"${texts[@]}\"\n"
			  "\t(( $#open )) && compadd -l -S '' -d open_shown -- \"${open[@]}\"\n"
			  "\treturn 0\n"
			  "}\n"
			  "if [[ ${funcstack[1]} == _bellhop ]]; then\n"
			  "\t_bellhop \"$@\"\n"
			  "else\n"
			  "\tcompdef _bellhop bellhop\n"
			  "fi\n";

static const char fish[] =
	"# fish completion of bellhop; printed by `bellhop completion fish`.\n"
	"function __bellhop_complete\n"
	"\tset -l words (commandline -opc)\n"
	"\tset -l current (commandline -ct)\n"
	"\tset -l kept (string match -r -- '^--[a-z-]+=' \"$current\")\n"
	"\tfor line in ($words[1] completion words $words[2..-1] \"$current\" 2>/dev/null)\n"
	"\t\tif test \"$line\" = :files\n"
	"\t\t\tfor path in (__fish_complete_path (string replace -- \"$kept\" '' \"$current\"))\n"
	"\t\t\t\techo \"$kept$path\"\n"
	"\t\t\tend\n"
	"\t\telse\n"
	"\t\t\techo $line\n"
	"\t\tend\n"
	"\tend\n"
	"end\n"
	"complete -c bellhop -f -a '(__bellhop_complete)'\n";

int run_completion(const struct arguments *arguments)
{
	static const struct {
		const char *shell;
		const char *script;
	} scripts[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

	for (size_t i = 0; i < sizeof(scripts) / sizeof(scripts[0]); i++) {
		if (strcmp(arguments->words[0], scripts[i].shell) == 0) {
			fputs(scripts[i].script, stdout);
			return EXIT_DONE;
		}
	}
	say("there is no completion for %s; use bash, zsh or fish", arguments->words[0]);
	return EXIT_USAGE;
}
