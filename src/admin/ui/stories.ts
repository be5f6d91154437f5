/** Requests as the tap tells them, the latest first, bounded. */

export type Attempt = {
  readonly client: string;
  readonly endpoint: string;
  readonly tls?: string;
  readonly atMs: number;
  readonly ms: number;
  readonly status?: number;
  readonly failure?: string;
};

export type Story = {
  readonly id: number;
  readonly time: string;
  readonly router: string;
  readonly server: string;
  readonly peer: string;
  readonly tls: boolean;
  readonly method: string;
  readonly host: string;
  readonly target: string;
  readonly version: string;
  readonly status: number;
  readonly path?: string;
  readonly dtab?: string;
  readonly client?: string;
  readonly endpoint?: string;
  readonly endpointTls?: string;
  readonly tunnel?: string;
  readonly class: 'success' | 'failure' | 'cancelled';
  readonly failure?: string;
  readonly message?: string;
  readonly latencyMs: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly retries: number;
  readonly requeues: number;
  readonly attempts: readonly Attempt[];
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId?: string;
  readonly userAgent?: string;
};

export const STORIES_MAX = 300;

export type Stories = {
  readonly list: readonly Story[];
  /** Not shown: more came than a page can follow. */
  readonly skipped: number;
  readonly seen: number;
};

export const noStories: Stories = { list: [], skipped: 0, seen: 0 };

export function withStories(before: Stories, told: readonly Omit<Story, 'id'>[]): Stories {
  const fresh = told.map((story, i) => ({ ...story, id: before.seen + i })).reverse();
  return {
    list: [...fresh, ...before.list].slice(0, STORIES_MAX),
    skipped: before.skipped,
    seen: before.seen + told.length,
  };
}

export function toneOfStory({ class: outcome }: Story): string {
  if (outcome === 'success') return 'good';
  return outcome === 'failure' ? 'bad' : 'poor';
}

export function statusText({ status, failure }: Story): string {
  if (status === 0) return 'left';
  return failure === undefined ? String(status) : `${status} ${failure}`;
}
