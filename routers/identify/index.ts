/**
 * The list of identifier kinds, and a router's identifiers as one: asked in order until one names the
 * request.
 */
import type { IdentifierSpec } from '../../config/spec.ts';
import { Path } from '../../dtab/path.ts';
import { type Activity, pending } from '../../src/base/activity.ts';
import { assert } from '../../src/base/assert.ts';
import type { Closable } from '../../src/base/closable.ts';
import { Failure } from '../../src/base/failure.ts';
import { constant } from '../../src/base/var.ts';
import type { RequestHead } from '../head.ts';
import { HeaderIdentifier } from './header.ts';
import { HeaderTokenIdentifier } from './header-token.ts';
import { type Identifier, Unidentified } from './identifier.ts';
import { IngressIdentifier } from './ingress.ts';
import type { IngressRules } from './ingress-rules.ts';
import { MethodAndHostIdentifier } from './method-and-host.ts';
import { parsePath } from './parse-path.ts';
import { PathIdentifier } from './path.ts';
import { StaticIdentifier } from './static.ts';

/** Whoever sent the request; the address, e.g. `1.2.3.4:5`, costs a system call. */
type Caller = { readonly peer: string };

export interface RequestIdentifier extends Closable {
  /**
   * The printed name, or why there is none. `caller` is asked for its address
   * only then.
   */
  identify(head: RequestHead, caller: Caller): string | Failure;
}

/** What identifiers that do not know everything by themselves need. */
export type IdentifierDeps = {
  /** The table of the identifier at that place of the list. */
  readonly ingress: (index: number) => Activity<IngressRules>;
  /** What was NotYet may have a name now. */
  readonly changed: () => void;
};

const withoutCluster: IdentifierDeps = { ingress: () => constant(pending), changed() {} };

/** Made once a router. `dstPrefix` is printed text, and so is the path of a static identifier. */
export function makeIdentifier(
  specs: readonly IdentifierSpec[],
  dstPrefix: string,
  deps: IdentifierDeps = withoutCluster,
): RequestIdentifier {
  const identifier = makeIdentifiers(specs, dstPrefix, deps);
  return {
    close: () => identifier.close?.(),
    identify(head, caller) {
      const answer = identifier.identify(head);
      return typeof answer === 'string' ? answer : unknownDestination(head, caller.peer, answer);
    },
  };
}

/**
 * The same without the wording of the failure: the answer of the last identifier when none names the request.
 */
export function makeIdentifiers(
  specs: readonly IdentifierSpec[],
  dstPrefix: string,
  deps: IdentifierDeps = withoutCluster,
): Identifier {
  const prefix = configuredPath(dstPrefix, 'dstPrefix');
  const identifiers = specs.map((spec, i) => makeOne(spec, prefix, i, deps));
  const first = identifiers[0];
  assert(first !== undefined, 'a router has at least one identifier');
  if (identifiers.length === 1) return first;
  return {
    identify(head) {
      let answer = first.identify(head);
      for (let i = 1; i < identifiers.length && answer instanceof Unidentified; i++) {
        answer = (identifiers[i] as Identifier).identify(head);
      }
      return answer;
    },
    close() {
      for (const each of identifiers) each.close?.();
    },
  };
}

function makeOne(spec: IdentifierSpec, prefix: Path, index: number, deps: IdentifierDeps): Identifier {
  switch (spec.kind) {
    case 'io.l5d.header.token':
      return new HeaderTokenIdentifier(prefix, spec.header);
    case 'io.l5d.header':
      return new HeaderIdentifier(prefix, spec.header);
    case 'io.l5d.methodAndHost':
      return new MethodAndHostIdentifier(prefix, spec.httpUriInDst);
    case 'io.l5d.path':
      return new PathIdentifier(prefix, spec.segments, spec.consume);
    case 'io.l5d.static':
      return new StaticIdentifier(prefix, configuredPath(spec.path, 'path of io.l5d.static'));
    case 'io.l5d.ingress':
      return new IngressIdentifier(prefix, deps.ingress(index), deps.changed);
  }
}

function configuredPath(text: string, what: string): Path {
  const path = parsePath(text, what);
  assert(path instanceof Path, `${what} was checked when the configuration was read`);
  return path;
}

const TARGET_SHOWN_MAX = 256;

function unknownDestination(head: RequestHead, peer: string, answer: Unidentified | Failure): Failure {
  // A failure that is no matter of naming the destination has a text of its own.
  if (answer instanceof Failure && answer.kind !== 'unidentified') return answer;
  const reason = answer instanceof Failure ? answer.message : answer.reason;
  const target =
    head.target.length > TARGET_SHOWN_MAX ? `${head.target.slice(0, TARGET_SHOWN_MAX)}...` : head.target;
  return new Failure(
    'unidentified',
    `Unknown destination: Request("${head.method} ${target}", from /${peer}) / ${reason}`,
    true,
  );
}
