/**
 * How many file descriptors the sockets of one data thread may take. Both sides have a part of their own, so
 * that callers cannot take what their requests need, and neither takes what the process keeps for files, the
 * admin server and its watches.
 */
export class Descriptors {
  /** Connections of callers, and to endpoints, at the most. */
  readonly callersMax: number;
  readonly endpointsMax: number;
  callers = 0;
  endpoints = 0;

  constructor(callersMax: number, endpointsMax: number) {
    this.callersMax = callersMax;
    this.endpointsMax = endpointsMax;
  }

  get noneForCallers(): boolean {
    return this.callers >= this.callersMax;
  }

  get noneForEndpoints(): boolean {
    return this.endpoints >= this.endpointsMax;
  }
}
