/**
 * A thread of this process under the inspector, whose commands it takes also while it is busy. The control
 * thread is number 0; data threads have the numbers that they know each other by.
 */
import { type NodeWorker, Session } from 'node:inspector';
import { setImmediate } from 'node:timers/promises';
import type { Closable } from '../base/closable.ts';

export const CONTROL_THREAD = 0;

/** Data threads that may stand still because they are under the inspector, as for a snapshot of the heap. */
const inspected = new Set<number>();

export function isInspected(id: number): boolean {
  return inspected.has(id);
}

/** The inspector's own numbers differ once a thread has been replaced. */
export function threadNumber({ title, workerId }: NodeWorker.WorkerInfo): number {
  return Number(/^\[worker (\d+)\]/.exec(title)?.[1] ?? workerId);
}

/** `post` rejects when the command fails; `said` gets what the thread tells besides answers. */
export interface InspectedThread extends Closable {
  post(method: string, params?: object): Promise<Record<string, unknown>>;
  said: (method: string, params: Record<string, unknown>) => void;
}

type Told = {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
};

/** The numbers of the data threads, in order. */
export async function dataThreads(): Promise<readonly number[]> {
  const { session, workers } = await attach();
  session.disconnect();
  return [...workers.keys()].sort((a, b) => a - b);
}

/** Undefined when there is no such thread. It is under the inspector until closed. */
export async function inspectThread(id: number): Promise<InspectedThread | undefined> {
  if (id === CONTROL_THREAD) return new ControlThread();
  const { session, workers } = await attach();
  const sessionId = workers.get(id);
  if (sessionId !== undefined) return new DataThread(session, sessionId, id);
  session.disconnect();
  return undefined;
}

/** The session of each data thread by its number. */
async function attach(): Promise<{ session: Session; workers: ReadonlyMap<number, string> }> {
  const session = new Session();
  session.connect();
  const workers = new Map<number, string>();
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    const { workerInfo, sessionId }: NodeWorker.AttachedToWorkerEventDataType = params;
    workers.set(threadNumber(workerInfo), sessionId);
  });
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  await setImmediate();
  return { session, workers };
}

class ControlThread implements InspectedThread {
  readonly #session = new Session();
  said: InspectedThread['said'] = () => {};

  constructor() {
    this.#session.connect();
    this.#session.on('inspectorNotification', ({ method, params }: Told) => {
      this.said(method ?? '', params ?? {});
    });
  }

  post(method: string, params: object = {}): Promise<Record<string, unknown>> {
    return new Promise((resolve, reject) => {
      this.#session.post(method, params, (error, result) => {
        if (error === null) resolve((result ?? {}) as Record<string, unknown>);
        else reject(error);
      });
    });
  }

  close(): void {
    this.#session.disconnect();
  }
}

type Waiting = { resolve(result: Record<string, unknown>): void; reject(error: Error): void };

class DataThread implements InspectedThread {
  readonly #session: Session;
  readonly #sessionId: string;
  readonly #thread: number;
  readonly #waiting = new Map<number, Waiting>();
  #id = 0;
  said: InspectedThread['said'] = () => {};

  constructor(session: Session, sessionId: string, thread: number) {
    this.#session = session;
    this.#sessionId = sessionId;
    this.#thread = thread;
    inspected.add(thread);
    session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
      if (params.sessionId === sessionId) this.#receive(JSON.parse(params.message) as Told);
    });
    session.on('NodeWorker.detachedFromWorker', ({ params }) => {
      if (params.sessionId === sessionId) this.#end('the thread has ended');
    });
  }

  post(method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      const message = JSON.stringify({ id, method, params });
      this.#session.post('NodeWorker.sendMessageToWorker', { sessionId: this.#sessionId, message });
    });
  }

  close(): void {
    this.#session.disconnect();
    this.#end('it is not under the inspector any more');
  }

  #receive({ id, method, params, result, error }: Told): void {
    if (id === undefined) {
      this.said(method ?? '', params ?? {});
      return;
    }
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(result ?? {});
    else waiting?.reject(new Error(error.message));
  }

  #end(why: string): void {
    inspected.delete(this.#thread);
    for (const { reject } of this.#waiting.values()) reject(new Error(why));
    this.#waiting.clear();
  }
}
