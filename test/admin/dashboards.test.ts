import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { loadConfig } from '../../config/load.ts';
import { silentLog } from '../../src/base/log.ts';
import { start } from '../../src/start.ts';
import { until } from '../support/until.ts';
import { ask } from './rig.ts';

/** What an open page listens to. */
class Dashboard {
  readonly #abort = new AbortController();
  readonly #port: number;
  samples = '';
  listening = false;

  constructor(port: number) {
    this.#port = port;
    void this.#read('/admin/overview', (text) => {
      this.samples += text;
    });
    void this.#read('/admin/tap?where=', () => {
      this.listening = true;
    });
  }

  async #read(path: string, take: (text: string) => void): Promise<void> {
    const { signal } = this.#abort;
    const headers = { accept: 'text/event-stream' };
    try {
      const { body } = await fetch(`http://127.0.0.1:${this.#port}${path}`, { headers, signal });
      for await (const piece of body ?? []) take(Buffer.from(piece).toString());
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  close(): void {
    this.#abort.abort();
  }
}

describe('Open dashboards', () => {
  it('are no message to the data threads but the first that taps, whether there are one or a hundred', async (t) => {
    const text =
      'admin: {port: 0}\nrouters:\n- protocol: http\n  servers: [{port: 0}]\n  dtab: /svc => /$/nil\n';
    const started = await start(loadConfig(text, { source: 'linker.yaml' }), { threads: 1, log: silentLog });
    assert.ok(started.ok);
    const { linker } = started;
    const toThread = t.mock.method(Worker.prototype, 'postMessage');
    const saidWith = async (count: number): Promise<unknown[]> => {
      const before = toThread.mock.callCount();
      const open = Array.from({ length: count }, () => new Dashboard(linker.adminPort));
      const all = () => open.every(({ samples, listening }) => listening && samples.includes('"full":false'));
      await until(all, 'two samples of each', 60_000);
      const states = await Promise.all(open.map(() => ask(linker.adminPort, '/client_state.json')));
      assert.ok(states.every(({ status }) => status === 200));
      for (const each of open) each.close();
      const said = () => toThread.mock.calls.slice(before).map(({ arguments: [message] }) => message);
      await until(() => said().length >= 3, 'the end of the tap', 60_000);
      return said();
    };
    try {
      const [one, hundred] = [await saidWith(1), await saidWith(100)];
      const ops = (said: unknown[]) => said.map((message) => (message as { op: string }).op);
      assert.deepEqual(ops(one), ['interests', 'clients', 'interests']);
      assert.deepEqual(ops(hundred), ops(one));
    } finally {
      await linker.close(0);
    }
  });
});
