/**
 * Which ports a CONNECT may name. With `connect: {ports: [...]}` exactly those. Without it 80, 443, and
 * the ports that the dtab binds: those that stand in an entry of the router's own dtab, and the one that
 * the name of this CONNECT (say `/svc/web:8080`) is bound to by it, so that it stands in the bound id
 * (`/#/io.l5d.fs/web:8080`). A dtab that leads every name to one place does not thereby open every port.
 * Overrides that a caller brings along open none.
 */
import { type Closable, nothingToClose } from '../../src/base/closable.ts';
import type { ConnectTarget } from './connect-target.ts';

const DEFAULT_PORTS: readonly number[] = [80, 443];
const SHOWN_MAX = 20;
/** A number that is a label of its own, or follows the last colon of one. */
const PORT_IN_NAME = /[/:]([0-9]{1,5})(?=[/\s;|&)]|$)/g;

export type PortBinding = (target: ConnectTarget, tell: (bound: boolean) => void) => Closable;

export function portsIn(text: string): number[] {
  return [...text.matchAll(PORT_IN_NAME)]
    .map((match) => Number(match[1]))
    .filter((port) => port >= 1 && port <= 65535);
}

export class ConnectPolicy {
  readonly #ports: ReadonlySet<number>;
  readonly #binds: PortBinding | undefined;

  /** `configured` as in the config, or undefined; `binds` asks whether a name is bound to a port. */
  constructor(configured: readonly number[] | undefined, dtab: readonly string[], binds: PortBinding) {
    this.#ports = new Set(configured ?? [...DEFAULT_PORTS, ...dtab.flatMap(portsIn)]);
    this.#binds = configured === undefined ? binds : undefined;
  }

  /** Tells, at once or later, why the target is refused; undefined: it is not. */
  decide(target: ConnectTarget, tell: (refusal: string | undefined) => void): Closable {
    if (this.#ports.has(target.port)) {
      tell(undefined);
      return nothingToClose;
    }
    if (this.#binds === undefined) {
      tell(this.#refusal(target));
      return nothingToClose;
    }
    return this.#binds(target, (bound) => tell(bound ? undefined : this.#refusal(target)));
  }

  #refusal({ authority, port }: ConnectTarget): string {
    const ports = [...this.#ports].sort((a, b) => a - b);
    const shown = ports.slice(0, SHOWN_MAX).join(', ') + (ports.length > SHOWN_MAX ? ', ...' : '');
    const bound =
      this.#binds === undefined ? '' : `, and the dtab does not bind the name ${authority} to that port`;
    return (
      `CONNECT to port ${port} is not allowed: the allowed ports are ${shown || 'none'}${bound}. ` +
      'To allow it, add it to connect.ports of this server.'
    );
  }
}
