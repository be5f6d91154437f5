/** The commands of the program, in the order of its help. */
import type { Command } from '../command.ts';
import { certsCommand } from './certs.ts';
import { demoCommand } from './demo.ts';
import { explainCommand } from './explain.ts';
import { helpCommand } from './help.ts';
import { installCommand } from './install.ts';
import { lintCommand } from './lint.ts';
import { reloadCommand } from './reload.ts';
import { runCommand } from './run.ts';
import { statCommand, topCommand } from './stat.ts';
import { tapCommand } from './tap.ts';
import { testCommand } from './test.ts';
import { validateCommand } from './validate.ts';

export const commands: readonly Command[] = [
  runCommand,
  validateCommand,
  reloadCommand,
  demoCommand,
  explainCommand,
  lintCommand,
  testCommand,
  tapCommand,
  statCommand,
  topCommand,
  certsCommand,
  installCommand,
  helpCommand(() => commands),
];
