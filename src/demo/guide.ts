/**
 * What the demo prints once it runs: commands to copy, and what each shows. Plain text when it is not a
 * terminal.
 */
import type { DemoPorts } from './ports.ts';

export function guide(ports: DemoPorts, folder: string, isTerminal: boolean): string {
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
  ];
  const lines = steps.flatMap(([note, command]) => [dim(`# ${note}`), bold(command), '']);
  return [
    `Turnout runs: outgoing router on ${ports.outgoing}, incoming router (TLS) on ${ports.incoming}, ` +
      `admin on http://localhost:${ports.admin}/admin`,
    `Services and configuration: ${folder}`,
    '',
    ...lines,
    'Ctrl-C ends it and removes what it wrote.',
    '',
  ].join('\n');
}
