/**
 * What the test API server holds: objects, one counter of versions over all of them, the history of changes
 * since the last compaction, and what pages of lists that have begun still have to give.
 */
import { randomUUID } from 'node:crypto';
import { apiVersion, type Kind } from './kinds.ts';

export type KubeJson = {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    creationTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [field: string]: unknown;
  };
  [field: string]: unknown;
};

export type Change = {
  readonly version: number;
  readonly kind: Kind;
  /** Undefined when it has been deleted. */
  readonly object: KubeJson | undefined;
  /** Undefined when it is new. */
  readonly previous: KubeJson | undefined;
};

type Rest = { readonly version: number; readonly objects: readonly KubeJson[] };

const keyOf = (namespace: string | undefined, name: string): string => `${namespace ?? ''}/${name}`;

export class Store {
  version = 1000;
  /** Changes up to this version are forgotten. */
  oldest = 1000;
  readonly #objects = new Map<Kind, Map<string, KubeJson>>();
  #history: Change[] = [];
  readonly #rests = new Map<string, Rest>();
  readonly #listeners = new Set<(change: Change) => void>();

  onChange(listener: (change: Change) => void): void {
    this.#listeners.add(listener);
  }

  get(kind: Kind, namespace: string | undefined, name: string): KubeJson | undefined {
    return this.#objects.get(kind)?.get(keyOf(namespace, name));
  }

  /** Sorted as the real server sorts: by namespace and name. */
  list(kind: Kind): readonly KubeJson[] {
    const entries = [...(this.#objects.get(kind) ?? [])];
    return entries.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
  }

  /** Creates or replaces. Answers the object as it is stored. */
  put(kind: Kind, given: KubeJson): KubeJson {
    const { metadata } = given;
    const namespace = kind.namespaced ? (metadata.namespace ?? 'default') : undefined;
    const previous = this.get(kind, namespace, metadata.name);
    const version = ++this.version;
    const object: KubeJson = {
      apiVersion: apiVersion(kind),
      kind: kind.kind,
      ...given,
      metadata: {
        ...metadata,
        ...(namespace !== undefined && { namespace }),
        uid: previous?.metadata.uid ?? randomUUID(),
        resourceVersion: String(version),
        creationTimestamp:
          previous?.metadata.creationTimestamp ?? new Date().toISOString().slice(0, 19).concat('Z'),
      },
    };
    this.#of(kind).set(keyOf(namespace, metadata.name), object);
    this.#note({ version, kind, object, previous });
    return object;
  }

  /** Answers what was there. */
  remove(kind: Kind, namespace: string | undefined, name: string): KubeJson | undefined {
    const previous = this.get(kind, namespace, name);
    if (previous === undefined) return undefined;
    this.#of(kind).delete(keyOf(namespace, name));
    this.#note({ version: ++this.version, kind, object: undefined, previous });
    return previous;
  }

  /** Undefined when a change of that time is forgotten. */
  since(version: number): readonly Change[] | undefined {
    return version < this.oldest ? undefined : this.#history.filter((change) => change.version > version);
  }

  /** The last changes, oldest first. */
  last(count: number): readonly Change[] {
    return this.#history.slice(-count);
  }

  /** As after a restore from a backup: versions are given out again from here on. */
  rewind(version: number): void {
    this.version = version;
    this.oldest = Math.min(this.oldest, version);
    this.#history = [];
  }

  compact(): void {
    this.oldest = this.version;
    this.#history = [];
    this.#rests.clear();
  }

  /** The rest of a list, as of the time when it began; the answer is the token to continue with. */
  keep(rest: Rest): string {
    const token = Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: rest.version, id: randomUUID() }));
    this.#rests.set(token.toString('base64'), rest);
    return token.toString('base64');
  }

  rest(token: string): Rest | undefined {
    return this.#rests.get(token);
  }

  #of(kind: Kind): Map<string, KubeJson> {
    let objects = this.#objects.get(kind);
    if (objects === undefined) {
      objects = new Map();
      this.#objects.set(kind, objects);
    }
    return objects;
  }

  #note(change: Change): void {
    this.#history.push(change);
    for (const listener of this.#listeners) listener(change);
  }
}
