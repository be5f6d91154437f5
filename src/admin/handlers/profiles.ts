/**
 * What threads do and hold, by the inspector: CPU profiles and heap snapshots in the forms that browsers'
 * developer tools open, and stacks. They cost the thread something and a snapshot holds secrets: only callers
 * on loopback get them, one at a time.
 */
import { stackOfThread } from '../../threads/blocked-stack.ts';
import {
  CONTROL_THREAD,
  dataThreads,
  type InspectedThread,
  inspectThread,
} from '../../threads/inspected-thread.ts';
import { isLocalCaller } from '../local-caller.ts';
import { type AdminAnswer, type AdminRequest, headerOf, JSON_TYPE, json, type Page, text } from '../page.ts';
import type { AdminSources } from '../sources.ts';

const SECONDS_MAX = 300;
const HZ_MAX = 10_000;
const STACK_MS = 500;

export function profilePages({ clock }: AdminSources): Page[] {
  let busy = false;
  /** One inspection at a time: two would disturb each other. */
  const inspected = async (
    request: AdminRequest,
    use: (thread: InspectedThread) => Promise<AdminAnswer>,
  ): Promise<AdminAnswer> => {
    const id = numberOf(request.query, 'thread', CONTROL_THREAD);
    if (busy) return text(409, 'Another inspection is under way.\n');
    busy = true;
    try {
      const thread = await inspectThread(id);
      if (thread === undefined) {
        const known = [CONTROL_THREAD, ...(await dataThreads())].join(', ');
        return text(404, `There is no thread ${id}. Known: ${known}\n`);
      }
      return await use(thread).finally(() => thread.close());
    } finally {
      busy = false;
    }
  };
  const page = (path: string, answer: (request: AdminRequest) => Promise<AdminAnswer>): Page => ({
    path,
    methods: ['GET'],
    answer: (request) => (isLocalCaller(request) ? answer(request) : text(403, 'only callers on loopback\n')),
  });
  return [
    page('/admin/pprof/profile', (request) => {
      const seconds = numberOf(request.query, 'seconds', 10);
      const hz = numberOf(request.query, 'hz', 100);
      if (!(seconds > 0 && seconds <= SECONDS_MAX)) return refusal('seconds', SECONDS_MAX);
      if (!(hz > 0 && hz <= HZ_MAX)) return refusal('hz', HZ_MAX);
      const wait = () => new Promise<void>((resolve) => void clock.after(seconds * 1000, resolve));
      return inspected(request, (thread) => profile(thread, hz, wait));
    }),
    page('/admin/pprof/heap', (request) => inspected(request, heapSnapshot)),
    page('/admin/threads', async (request) => {
      const threads = await stacks();
      if (headerOf(request, 'accept') === 'application/json') return json(threads);
      return text(200, threads.map(({ id, name, stack }) => `${id} ${name}\n${stack}\n`).join('\n'));
    }),
    page('/admin/threads.json', async () => json(await stacks())),
  ];
}

async function refusal(name: string, most: number): Promise<AdminAnswer> {
  return text(400, `${name}: a number above 0 and up to ${most}\n`);
}

async function profile(thread: InspectedThread, hz: number, wait: () => Promise<void>): Promise<AdminAnswer> {
  await thread.post('Profiler.enable');
  await thread.post('Profiler.setSamplingInterval', { interval: Math.round(1e6 / hz) });
  await thread.post('Profiler.start');
  await wait();
  const { profile: made } = await thread.post('Profiler.stop');
  return file('turnout.cpuprofile', JSON.stringify(made));
}

/** The thread stands still for as long as it takes, some 100 ms for each 10 MB of heap. */
async function heapSnapshot(thread: InspectedThread): Promise<AdminAnswer> {
  const chunks: string[] = [];
  thread.said = (method, { chunk }) => {
    if (method === 'HeapProfiler.addHeapSnapshotChunk' && typeof chunk === 'string') chunks.push(chunk);
  };
  await thread.post('HeapProfiler.takeHeapSnapshot', { reportProgress: false });
  return file('turnout.heapsnapshot', inPieces(chunks));
}

async function* inPieces(chunks: readonly string[]): AsyncGenerator<string> {
  yield* chunks;
}

function file(name: string, body: AdminAnswer['body']): AdminAnswer {
  const headers = { 'content-disposition': `attachment; filename="${name}"` };
  return { status: 200, type: JSON_TYPE, headers, body };
}

type ThreadStack = { readonly id: number; readonly name: string; readonly stack: string };

async function stacks(): Promise<readonly ThreadStack[]> {
  const data = await Promise.all(
    (await dataThreads()).map(async (id) => ({
      id,
      name: 'data',
      stack: await stackOfThread(id, STACK_MS),
    })),
  );
  const own = (new Error().stack ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.trim());
  return [{ id: CONTROL_THREAD, name: 'control', stack: own.join('\n') }, ...data];
}

function numberOf(query: URLSearchParams, name: string, otherwise: number): number {
  const value = query.get(name);
  return value === null ? otherwise : value.trim() === '' ? Number.NaN : Number(value);
}
