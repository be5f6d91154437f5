/**
 * What a listener wants to hear of requests: a share of all, and conditions on each. Plain data that
 * crosses a thread boundary; conditions are tested on the data thread, so that a narrow interest costs next
 * to nothing.
 */

/** Fields of a finished request that a condition may name. tls: of the connection to the endpoint. */
export type StoryField =
  | 'router'
  | 'server'
  | 'peer'
  | 'method'
  | 'host'
  | 'target'
  | 'path'
  | 'client'
  | 'endpoint'
  | 'failure'
  | 'tls'
  | 'status'
  | 'latency'
  | 'retries';

/** `~` is "starts with"; order is of numbers, for fields that are numbers. */
export type Condition = {
  readonly field: StoryField;
  readonly op: '=' | '!=' | '~' | '<' | '<=' | '>' | '>=';
  readonly value: string | number;
};

export type Interest = {
  /** Names the listener in what comes back: 0 to 30, each once at a time. */
  readonly bit: number;
  /** Share of the requests, 0 to 1. */
  readonly rate: number;
  /** `trace`: the decision that came with the request wins, and all spans of a trace are decided alike. */
  readonly sampling: 'request' | 'trace';
  /** All of them must hold. */
  readonly where: readonly Condition[];
  /** The fields of the request's head are wanted too. */
  readonly headers: boolean;
};

/** How conditions see a request. */
export interface Told {
  told(field: StoryField): string | number;
}

export function holds({ field, op, value }: Condition, request: Told): boolean {
  const told = request.told(field);
  switch (op) {
    case '=':
      return told === value;
    case '!=':
      return told !== value;
    case '~':
      return String(told).startsWith(String(value));
    case '<':
      return told < value;
    case '<=':
      return told <= value;
    case '>':
      return told > value;
    case '>=':
      return told >= value;
  }
}
