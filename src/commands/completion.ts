/** `turnout completion SHELL`: a script that completes commands, options and their values. */
import { type Command, command, exitCode, Mistake } from '../command.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** `table` answers all commands, this one included. */
export function completionCommand(table: () => readonly Command[]): Command {
  return command({
    name: 'completion',
    summary: 'a script for bash, zsh or fish',
    details: `  bash: source <(turnout completion bash)
  zsh:  source <(turnout completion zsh)      # after compinit
  fish: turnout completion fish | source`,
    operands: {
      synopsis: 'bash|zsh|fish',
      min: 1,
      max: 1,
      what: 'a shell: bash, zsh or fish',
      completes: SHELLS,
    },
    options: {},
    async run(_options, [shell = ''], { stdout }) {
      const { bashCompletion, fishCompletion } = await import('../completion/scripts.ts');
      switch (SHELLS.find((each) => each === shell)) {
        case 'bash':
          stdout.write(bashCompletion(table()));
          return exitCode.done;
        case 'zsh':
          stdout.write(`autoload -U +X bashcompinit && bashcompinit\n${bashCompletion(table())}`);
          return exitCode.done;
        case 'fish':
          stdout.write(fishCompletion(table()));
          return exitCode.done;
        default:
          throw new Mistake(`completion knows ${SHELLS.join(', ')}, not ${shell}`);
      }
    },
  });
}
