/**
 * The texts of generated errors, with the shapes that linkerd's users know. They are made only when a request
 * has failed; lists in them are bounded, so that an error stays cheap whatever the size of the table or the
 * cluster.
 */
import { durationText } from './duration-text.ts';

const DENTRIES_MAX = 50;
const ADDRESSES_MAX = 10;

/** `entries` are printed `prefix => tree`. */
function dtabLines(entries: readonly string[]): string {
  const lines = entries.slice(0, DENTRIES_MAX).map((entry) => `  ${entry}\n`);
  if (entries.length > DENTRIES_MAX) lines.push(`  ... ${entries.length - DENTRIES_MAX} more entries\n`);
  return lines.join('') || '\n';
}

/** The name resolves to nothing, or to an empty address set. */
export function noBrokersText(
  service: string,
  baseDtab: readonly string[],
  localDtab: readonly string[],
): string {
  return (
    `Unable to route request!\n\nservice name: ${service}\ndtab:\n\n` +
    `base dtab:\n${dtabLines(baseDtab)}override dtab:\n${dtabLines(localDtab)}`
  );
}

/**
 * `addresses` and `selected` are `host:port`. `reason` says what the connection attempt ended with, e.g. a
 * TLS error.
 */
export function connectionFailedText(
  service: string,
  client: string,
  addresses: readonly string[],
  selected: string,
  reason?: string,
): string {
  return (
    `Unable to establish connection to ${selected}.\n\nservice name: ${service}\nclient name: ${client}\n` +
    `addresses: ${addressList(addresses)}\nselected address: ${selected}\n` +
    (reason === undefined ? '' : `reason: ${reason}\n`)
  );
}

export function addressList(addresses: readonly string[]): string {
  const shown = addresses.slice(0, ADDRESSES_MAX);
  if (addresses.length > ADDRESSES_MAX) shown.push(`... ${addresses.length - ADDRESSES_MAX} more`);
  return `[${shown.join(', ')}]`;
}

/** `name` is the label of the client; `remote` the address, if one was chosen. */
export function attemptTimeoutText(timeoutMs: number, name: string | undefined, remote?: string): string {
  return timeoutText(timeoutMs, name, 'an individual request, excluding retries', remote);
}

/** For `totalTimeoutMs` and for the `timeoutMs` of a server; `remote` is the endpoint of the last attempt. */
export function totalTimeoutText(timeoutMs: number, name: string | undefined, remote?: string): string {
  return timeoutText(timeoutMs, name, 'the request, including retries (if applicable)', remote);
}

function timeoutText(
  timeoutMs: number,
  name: string | undefined,
  what: string,
  remote: string | undefined,
): string {
  const info =
    remote === undefined ? 'Not Available' : `Upstream Address: Not Available, Downstream Address: ${remote}`;
  return (
    `exceeded ${durationText(timeoutMs)} to ${name ?? 'unspecified'} while waiting for a response` +
    ` for ${what}. Remote Info: ${info}`
  );
}

/** No attempt is begun once the time is over that the caller has set. */
export function deadlineText(name: string): string {
  return `the deadline of the request (l5d-ctx-deadline) was over before it could be sent to ${name}`;
}

/** `tree` is the printed bound tree when the name was bound but no client was ready. */
export function bindingTimeoutText(timeoutMs: number, service: string, tree?: string): string {
  const exceeded = `Exceeded ${durationText(timeoutMs)} binding timeout while`;
  return tree === undefined
    ? `${exceeded} resolving name: ${service}`
    : `${exceeded} connecting to ${tree} for name: ${service}`;
}
