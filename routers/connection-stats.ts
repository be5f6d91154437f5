/** The metrics of connections, kept alike by servers (of callers) and clients (to endpoints). */
import type { Counter, Gauge, Scope, Stat } from '../src/base/stats.ts';

/** A connection, at its end. */
export interface CountedConnection {
  readonly isTls: boolean;
  readonly bytesRead: number;
  readonly bytesWritten: number;
  /** How long the peer has not taken what it was sent. */
  readonly unwritableMs: number;
  /** Why it failed, if it did. */
  readonly error: Error | undefined;
}

export class ConnectionStats {
  readonly receivedBytes: Counter;
  readonly sentBytes: Counter;
  readonly #opened: Counter;
  readonly #closes: Counter;
  readonly #open: Gauge;
  readonly #openTls: Gauge;
  readonly #durationMs: Stat;
  readonly #received: Stat;
  readonly #sent: Stat;
  readonly #writableMs: Counter;
  readonly #unwritableMs: Counter;
  readonly #scope: Scope;

  constructor(scope: Scope) {
    this.#scope = scope;
    this.#opened = scope.counter('connects');
    this.#closes = scope.counter('closes');
    this.#open = scope.gauge('connections');
    this.#openTls = scope.gauge('tls', 'connections');
    this.receivedBytes = scope.counter('received_bytes');
    this.sentBytes = scope.counter('sent_bytes');
    this.#durationMs = scope.stat('connection_duration');
    this.#received = scope.stat('connection_received_bytes');
    this.#sent = scope.stat('connection_sent_bytes');
    this.#writableMs = scope.counter('socket_writable_ms');
    this.#unwritableMs = scope.counter('socket_unwritable_ms');
  }

  opened(isTls: boolean): void {
    this.#opened.add(1);
    this.#open.add(1);
    if (isTls) this.#openTls.add(1);
  }

  closed(connection: CountedConnection, openMs: number): void {
    const { isTls, bytesRead, bytesWritten, unwritableMs, error } = connection;
    this.#closes.add(1);
    this.#open.add(-1);
    if (isTls) this.#openTls.add(-1);
    this.#durationMs.observe(openMs);
    this.#received.observe(bytesRead);
    this.#sent.observe(bytesWritten);
    this.#unwritableMs.add(unwritableMs);
    this.#writableMs.add(Math.max(0, openMs - unwritableMs));
    if (error !== undefined) this.#scope.counter('exn', codeOf(error)).add(1);
  }
}

/** The system's or OpenSSL's code for it, of which there are few. */
function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' ? code : error.name;
}
