/** `io.l5d.tracelog`: every traced request as one line of the process's log, at a level. */
import type { Log } from '../../base/log.ts';
import type { StoryRecord } from '../tap.ts';

type Write = (message: string, fields: Record<string, string | number | undefined>) => void;

export function logTraces(log: Log, level: string): (lines: Buffer) => void {
  const write = writer(log, level);
  if (write === undefined) return () => {};
  return (lines) => {
    for (const line of lines.toString().split('\n'))
      if (line !== '') write('trace', fieldsOf(JSON.parse(line)));
  };
}

function writer(log: Log, level: string): Write | undefined {
  switch (level) {
    case 'OFF':
      return undefined;
    case 'ALL':
    case 'TRACE':
    case 'DEBUG':
      return (message, fields) => log.debug(message, fields);
    case 'INFO':
      return (message, fields) => log.info(message, fields);
    case 'WARNING':
      return (message, fields) => log.warn(message, fields);
    default:
      return (message, fields) => log.error(message, fields);
  }
}

function fieldsOf(story: StoryRecord): Record<string, string | number | undefined> {
  const { attempts, headers: _, tls, ...plain } = story;
  return { ...plain, tls: String(tls), attempts: JSON.stringify(attempts) };
}
