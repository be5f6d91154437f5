/** The commands of the program, in the order of its help. */
import type { Command } from '../command.ts';
import { certsCommand } from './certs.ts';
import { checkCommand } from './check.ts';
import { completionCommand } from './completion.ts';
import { configCommand } from './config.ts';
import { demoCommand } from './demo.ts';
import { dtabCommand } from './dtab.ts';
import { explainCommand } from './explain.ts';
import { helpCommand } from './help.ts';
import { installCommand } from './install.ts';
import { lintCommand } from './lint.ts';
import { metricsCommand } from './metrics.ts';
import { reloadCommand } from './reload.ts';
import { runCommand } from './run.ts';
import { statCommand, topCommand } from './stat.ts';
import { tapCommand } from './tap.ts';
import { testCommand } from './test.ts';
import { validateCommand } from './validate.ts';
import { whatIfCommand } from './what-if.ts';

export const commands: readonly Command[] = [
  runCommand,
  validateCommand,
  reloadCommand,
  demoCommand,
  checkCommand,
  explainCommand,
  lintCommand,
  testCommand,
  tapCommand,
  statCommand,
  topCommand,
  whatIfCommand,
  dtabCommand,
  metricsCommand,
  configCommand,
  certsCommand,
  installCommand,
  completionCommand(() => commands),
  helpCommand(() => commands),
];
