/**
 * wrk with a Host header that goes round a number of names, and figures that wrk itself writes as JSON. The
 * requests are made before the first is sent: the load costs the same for one name and for ten thousand.
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Load } from './rig.ts';

const CONNECTIONS = 64;

export type Target = {
  readonly port: number;
  readonly hosts: readonly string[];
  /** Cores of the load generator; a core more is a thread more. */
  readonly cores: readonly number[];
};

export async function driveHosts(folder: string, target: Target, seconds: number): Promise<Load> {
  const script = join(folder, `hosts-${target.port}.lua`);
  writeFileSync(script, scriptOf(target.hosts));
  const words = [
    ...['-c', target.cores.join(','), 'wrk', '-t', String(target.cores.length), '-c', String(CONNECTIONS)],
    ...['-d', `${seconds}s`, '--timeout', '10s', '-s', script, `http://127.0.0.1:${target.port}/`],
  ];
  const { stdout } = await promisify(execFile)('taskset', words);
  const line = stdout.split('\n').find((text) => text.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed something unknown:\n${stdout}`);
  const said: { requests: number; micros: number; errors: number } = JSON.parse(line);
  return { requests: said.requests, seconds: said.micros / 1e6, errors: said.errors };
}

function scriptOf(hosts: readonly string[]): string {
  return `local hosts = {${hosts.map((host) => `"${host}"`).join(',')}}
local requests = {}
local next = 0
function init()
  for i, host in ipairs(hosts) do requests[i] = wrk.format("GET", "/", { Host = host }) end
end
function request()
  next = next % #requests + 1
  return requests[next]
end
function done(summary)
  local e = summary.errors
  io.write(string.format('{"requests":%d,"micros":%d,"errors":%d}\\n', summary.requests, summary.duration,
    e.connect + e.read + e.write + e.timeout + e.status))
end
`;
}
