/**
 * Where a thread is that does not turn its loop any more: the inspector interrupts JavaScript even in a loop
 * without end. A thread that is stuck outside of JavaScript does not answer.
 */
import { type NodeWorker, Session } from 'node:inspector';
import { threadNumber } from './inspected-thread.ts';

const FRAMES_MAX = 20;
/** A thread that is asked while it begins something may miss it. */
const ASK_AGAIN_MS = 100;

type Frame = {
  readonly functionName: string;
  readonly location: {
    readonly scriptId: string;
    readonly lineNumber: number;
    readonly columnNumber?: number;
  };
};

type Said = {
  readonly method?: string;
  readonly params?: {
    readonly callFrames?: readonly Frame[];
    readonly scriptId?: string;
    readonly url?: string;
  };
};

/** One line a frame, innermost first. The thread goes on afterwards, and can be ended. */
export async function stackOfThread(threadId: number, limitMs: number): Promise<string> {
  const session = new Session();
  session.connect();
  const { promise, resolve } = Promise.withResolvers<string>();
  const timer = setTimeout(() => resolve('no stack: it is stuck outside of JavaScript'), limitMs);
  const urls = new Map<string, string>();
  let asking: NodeJS.Timeout | undefined;
  const send = (sessionId: string, id: number, method: string): void =>
    session.post('NodeWorker.sendMessageToWorker', { sessionId, message: JSON.stringify({ id, method }) });
  session.on('NodeWorker.attachedToWorker', ({ params }) => {
    const { workerInfo, sessionId }: NodeWorker.AttachedToWorkerEventDataType = params;
    if (threadNumber(workerInfo) !== threadId) return;
    send(sessionId, 1, 'Debugger.enable');
    send(sessionId, 2, 'Debugger.pause');
    asking = setInterval(() => send(sessionId, 2, 'Debugger.pause'), ASK_AGAIN_MS);
  });
  session.on('NodeWorker.receivedMessageFromWorker', ({ params }) => {
    const { method, params: said = {} } = JSON.parse(params.message) as Said;
    if (method === 'Debugger.scriptParsed') urls.set(said.scriptId ?? '', said.url ?? '');
    else if (method === 'Debugger.paused') {
      const frames = said.callFrames?.slice(0, FRAMES_MAX) ?? [];
      clearInterval(asking);
      send(params.sessionId, 3, 'Debugger.resume');
      // It may have been asked more than once, and cannot be ended while it pauses.
      send(params.sessionId, 4, 'Debugger.disable');
      resolve(frames.map((frame) => shown(frame, urls)).join('\n'));
    }
  });
  session.post('NodeWorker.enable', { waitForDebuggerOnStart: false });
  await promise;
  clearTimeout(timer);
  clearInterval(asking);
  session.disconnect();
  return promise;
}

function shown({ functionName, location }: Frame, urls: ReadonlyMap<string, string>): string {
  const url = urls.get(location.scriptId) ?? '';
  const place = `${url}:${location.lineNumber + 1}:${(location.columnNumber ?? 0) + 1}`;
  return `at ${functionName === '' ? '<anonymous>' : functionName} (${place})`;
}
