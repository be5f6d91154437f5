/**
 * Starting leaves some 10 MB of garbage in each thread, which V8 would keep until there is need for it. One
 * collection shortly after the start gives it back. It takes a few milliseconds, once.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

const SETTLED_MS = 1000;

export function collectSoon(): void {
  setTimeout(() => {
    setFlagsFromString('--expose-gc');
    const collect: unknown = runInNewContext('gc');
    if (typeof collect === 'function') collect({ type: 'major', flavor: 'last-resort' });
  }, SETTLED_MS).unref();
}
