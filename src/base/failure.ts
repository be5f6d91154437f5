/**
 * What can go wrong with one request. The kind is the stable code that users see in `turnout-err` and
 * metrics; `routers/respond` is the one place that gives each a status code, docs/errors.md has its section.
 */
export type FailureKind =
  | 'unidentified' // no identifier named the request
  | 'bad-dtab' // an l5d-dtab or l5d-ctx-dtab header that does not parse
  | 'call-depth' // too many Via items
  | 'bad-max-forwards' // TRACE with a Max-Forwards that is not a number
  | 'no-endpoints' // the name is neg, fail or empty, or its address set is
  | 'naming' // unknown namer, recursion limit, a namer that failed
  | 'binding-timeout' // a name or its first address set still pending at the limit
  | 'connect' // no connection to the endpoint
  | 'marked-down' // none was tried: failFast
  | 'tls' // the peer's certificate or the handshake was refused
  | 'attempt-timeout'
  | 'total-timeout'
  | 'server-timeout'
  | 'deadline' // l5d-ctx-deadline was over before an attempt could begin
  | 'body-timeout' // a body that stalls
  | 'bad-response' // the upstream's bytes are not one well-framed response
  | 'upstream-closed' // closed or reset before the response was complete
  | 'nacked' // the upstream refused before doing anything
  | 'too-many-waiters' // the connection pool's queue is full
  | 'no-descriptors' // the process may open no more connections
  | 'overloaded' // maxConcurrentRequests, or an event loop that is too late
  | 'cancelled' // the caller went away
  | 'internal'; // a bug, contained

/** An operating failure: a value, never thrown, without a stack. */
export class Failure {
  readonly kind: FailureKind;
  readonly message: string;
  /** True when it is certain that nothing reached the application: safe to send again. */
  readonly undelivered: boolean;
  readonly cause: unknown;

  constructor(kind: FailureKind, message: string, undelivered = false, cause: unknown = undefined) {
    this.kind = kind;
    this.message = message;
    this.undelivered = undelivered;
    this.cause = cause;
  }
}
