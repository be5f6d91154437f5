/**
 * What the demo prints: commands to copy and what each shows, then what becomes of them. Plain text when it
 * is not a terminal.
 */
import { type Diagnostic, renderDiagnostic } from '../../config/errors.ts';
import type { Generation } from '../reload.ts';
import type { DemoPorts } from './ports.ts';
import type { Workspace } from './workspace.ts';

type Places = Pick<Workspace, 'folder' | 'configFile'>;

export function guide(ports: DemoPorts, { folder, configFile }: Places, isTerminal: boolean): string {
  const style = (code: number) => (text: string) => (isTerminal ? `\x1b[${code}m${text}\x1b[0m` : text);
  const [bold, dim] = [style(1), style(2)];
  const proxy = `http_proxy=localhost:${ports.outgoing}`;
  const incoming = `https://localhost:${ports.incoming}`;
  const steps: readonly (readonly [note: string, command: string])[] = [
    [
      'A call by name: outgoing router, TLS, incoming router, hello, and from there the same way to world',
      `${proxy} curl -s http://hello`,
    ],
    [
      'The same call, but world is version 2 for this one request',
      `${proxy} curl -s -H 'l5d-dtab: /host/world => /srv/world-v2' http://hello`,
    ],
    [
      'The admin server, reached through the TLS router',
      `curl -sk -H 'l5d-dtab: /svc => /$/inet/127.1/${ports.admin}' ${incoming}/admin/ping`,
    ],
    [
      'Edit the configuration: world is version 2 for everybody. What it changed is printed here',
      `sed -i.old 's|# /host/world|/host/world|' ${configFile}`,
    ],
    ['Break it: it is refused, and the one before stays in force', `echo oops >> ${configFile}`],
    ['As it was', `mv ${configFile}.old ${configFile}`],
    ['Kill world; it is started again at another port, and hello goes on', `kill $(cat ${folder}/world.pid)`],
  ];
  const lines = steps.flatMap(([note, command]) => [dim(`# ${note}`), bold(command), '']);
  return [
    `Turnout runs: outgoing router on ${ports.outgoing}, incoming router (TLS) on ${ports.incoming}, ` +
      `admin on http://localhost:${ports.admin}/admin`,
    `Configuration: ${configFile}`,
    `Address files of the services: ${folder}/disco`,
    '',
    ...lines,
    'Ctrl-C ends it and removes what it wrote.',
    '',
  ].join('\n');
}

/** A configuration that was tried: what it changes, or why it is refused. */
export function generationText(
  { outcome, by, generation, changes, afterRestart, errors }: Generation,
  warnings: readonly Diagnostic[],
): string {
  const head =
    errors.length > 0
      ? `configuration ${outcome} (${by}); generation ${generation} stays in force`
      : `configuration ${outcome} (${by}): generation ${generation}`;
  const lines = [
    ...changes,
    ...afterRestart.map((line) => `${line} (takes effect at the next start)`),
    ...warnings.map(renderDiagnostic),
    ...errors,
  ];
  return `${head}\n${lines.map((line) => `  ${line.replaceAll('\n', '\n  ')}\n`).join('')}`;
}
