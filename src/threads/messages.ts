/**
 * What the control thread and a data thread say to each other, besides naming (which has a port of its own).
 */
import type { MessagePort } from 'node:worker_threads';
import type { Interest } from '../../routers/tap/interest.ts';
import type { LogFields } from '../base/log.ts';
import type { ClientReport } from './client-report.ts';
import type { DataPlan, Ports, TlsReplacement } from './data-plane.ts';
import type { FailureData } from './naming-messages.ts';
import type { SlabMessage } from './stat-slab.ts';

export type ThreadData = {
  readonly plan: DataPlan;
  readonly naming: MessagePort;
  /** Counted up while the thread's loop turns (heartbeat.ts). */
  readonly pulse: Int32Array;
  /** What is told of requests (story-ring.ts). */
  readonly stories: SharedArrayBuffer;
};

type LogMethod = 'info' | 'warn' | 'error';

export type ToThread =
  | { readonly op: 'listen'; readonly ports: Ports; readonly reusePort: boolean }
  /** A new configuration in two steps, so that all threads take it or none. */
  | { readonly op: 'prepare'; readonly plan: DataPlan; readonly ports: Ports; readonly reusePort: boolean }
  | { readonly op: 'commit' }
  | { readonly op: 'abort' }
  | { readonly op: 'drain' }
  | { readonly op: 'tls'; readonly replacement: TlsReplacement }
  | { readonly op: 'ticket-secret'; readonly secret: Uint8Array }
  | { readonly op: 'close' }
  | { readonly op: 'interests'; readonly interests: readonly Interest[] }
  | { readonly op: 'clients'; readonly question: number };

export type FromThread =
  | { readonly op: 'listening'; readonly ports: Ports }
  | { readonly op: 'failed'; readonly failure: FailureData }
  /** No listener of the thread is open any more. */
  | { readonly op: 'retired' }
  | { readonly op: 'drained' }
  /** The last message: how many requests and tunnels were cut. */
  | { readonly op: 'closed'; readonly cut: number }
  | { readonly op: 'log'; readonly level: LogMethod; readonly message: string; readonly fields: LogFields }
  | { readonly op: 'clients'; readonly question: number; readonly clients: readonly ClientReport[] }
  /** There are some to be read. */
  | { readonly op: 'stories' }
  | { readonly op: 'stats'; readonly messages: readonly SlabMessage[] };
