/** Completion scripts, made from the table of commands, so that they cannot name what is not there. */
import { type Command, type Option, optionName } from '../command.ts';

type Place = { readonly words: readonly string[]; readonly command: Command };

/** Every command with the words that name it, groups included. */
function places(table: readonly Command[], before: readonly string[] = []): readonly Place[] {
  return table.flatMap((command) => {
    const words = [...before, command.name];
    return [{ words, command }, ...places(command.commands ?? [], words)];
  });
}

export function bashCompletion(table: readonly Command[]): string {
  const all = places(table);
  const groups = all.filter(({ command }) => command.commands !== undefined);
  const isGroup = groups.map(({ words }) => quoted(words.join(' '))).join('|') || "''";
  const cases = all.map(
    ({ words, command }) =>
      `    ${quoted(words.join(' '))}) words=${quoted(wordsOf(command).join(' '))} ;;\n`,
  );
  const values = all.flatMap(({ words, command }) =>
    Object.entries(command.options).map(([key, option]) => {
      const patterns = namesOf(key, option).map((name) => quoted(`${words.join(' ')}:${name}`));
      return `    ${patterns.join('|')}) ${valueCode(option)} ;;\n`;
    }),
  );
  const top = table.map(({ name }) => name).join(' ');
  return `_turnout() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]} place=\${COMP_WORDS[1]} words=
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W ${quoted(`${top} --help --version`)} -f -- "$cur"))
    return
  fi
  case "$place" in ${isGroup}) [ "$COMP_CWORD" -gt 2 ] && place="$place \${COMP_WORDS[2]}" ;; esac
  case "$place:$prev" in
${values.join('')}  esac
  case "$place" in
${cases.join('')}  esac
  COMPREPLY=($(compgen -W "$words" -f -- "$cur"))
}
complete -o filenames -F _turnout turnout
`;
}

/** A flag takes no value, so what follows is completed as if it were not there. */
function valueCode({ value, completes }: Option<unknown>): string {
  if (value === undefined) return ':';
  if (completes === 'file') return 'COMPREPLY=($(compgen -f -- "$cur")); return';
  if (completes === 'folder') return 'COMPREPLY=($(compgen -d -- "$cur")); return';
  return `COMPREPLY=($(compgen -W ${quoted((completes ?? []).join(' '))} -- "$cur")); return`;
}

function wordsOf({ commands, options, operands }: Command): readonly string[] {
  const inner = (commands ?? []).map(({ name }) => name);
  const names = Object.entries(options).flatMap(([key, option]) => namesOf(key, option));
  const own = typeof operands?.completes === 'object' ? operands.completes : [];
  return [...inner, ...own, ...names, '--help'];
}

function namesOf(key: string, { short }: Option<unknown>): readonly string[] {
  return [optionName(key), ...(short === undefined ? [] : [short])];
}

export function fishCompletion(table: readonly Command[]): string {
  const lines = places(table).flatMap(({ words, command }) => {
    const name = words.at(-1) ?? '';
    const outer = words.at(-2);
    const when = outer === undefined ? '__fish_use_subcommand' : `__fish_seen_subcommand_from ${outer}`;
    const own = `complete -c turnout -n ${quoted(when)} -a ${quoted(name)} -d ${quoted(command.summary)}`;
    const seen = quoted(`__fish_seen_subcommand_from ${name}`);
    const options = Object.entries(command.options).map(([key, { short, value, help, completes }]) => {
      const letter = short === undefined ? '' : ` -s ${short.slice(1)}`;
      const long = ` -l ${optionName(key).slice(2)}`;
      const takes = value === undefined ? '' : typeof completes === 'string' ? ' -r -F' : ' -x';
      const known = typeof completes === 'object' ? ` -a ${quoted(completes.join(' '))}` : '';
      return `complete -c turnout -n ${seen}${letter}${long}${takes}${known} -d ${quoted(help)}`;
    });
    return [own, ...options];
  });
  return `${lines.join('\n')}\n`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
