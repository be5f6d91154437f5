/**
 * TRACE diagnostics: a TRACE with `l5d-add-context: true` gets the routing details of every router on its way
 * appended to the body of the answer; with `Max-Forwards: 0` the router itself answers.
 */
import type { Fields } from '../fields.ts';
import type { GeneratedResponse } from './error-response.ts';
import { addressList } from './messages.ts';
import { reasonPhrase } from './reason-phrase.ts';

export type RoutingDetails = {
  readonly router: string;
  readonly durationMs: number;
  /** Printed names. */
  readonly service: string;
  readonly client: string;
  /** `host:port` */
  readonly addresses: readonly string[];
  readonly selected: string;
  /** The steps from the service to the client: a name, and the dentry that led to it ('' for the first). */
  readonly steps: readonly { readonly path: string; readonly dentry: string }[];
};

export function routingText(details: RoutingDetails): string {
  const steps = details.steps.map(({ path, dentry }) => `  ${path}${dentry === '' ? '' : ` (${dentry})`}`);
  return (
    `--- Router: ${details.router} ---\nrequest duration: ${Math.round(details.durationMs)} ms\n` +
    `service name: ${details.service}\nclient name: ${details.client}\n` +
    `addresses: ${addressList(details.addresses)}\nselected address: ${details.selected}\n` +
    `dtab resolution:\n${steps.join('\n')}\n`
  );
}

/** The answer to a request whose Max-Forwards is used up; the details only if they were asked for. */
export function localAnswer(details: RoutingDetails | undefined): GeneratedResponse {
  if (details === undefined) return { status: 200, fields: [], body: '' };
  return { status: 200, fields: [['Content-Type', 'text/plain']], body: `\n\n${routingText(details)}` };
}

/** The new body of an upstream's answer. Content-Length has to be set to its length in UTF-8. */
export function withRouting(body: string, details: RoutingDetails): string {
  return `${body.trim()}\n\n${routingText(details)}`;
}

/** Stands for the body of an answer of unknown length, which is discarded. */
export function discardedBody(status: number, fields: Fields): string {
  const lines = fields.pairs().map(([name, value]) => `${name}: ${value}\n`);
  return (
    `${lines.join('')}HTTP ${status} - ${reasonPhrase(status)}\n` +
    'Diagnostic trace encountered chunked response. Response content discarded.'
  );
}
