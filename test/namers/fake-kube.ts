/** The Kubernetes API in memory: objects as the API writes them, selected as the API selects them. */
import assert from 'node:assert/strict';
import type { KubeApi, WatchReport } from '../../k8s/api.ts';
import type { JsonObject } from '../../k8s/json-fields.ts';
import { type KubeObject, keyOf, parseMeta, type Resource } from '../../k8s/resources.ts';
import { collectionPath, type Selection, selectionPath } from '../../k8s/selection.ts';
import { type Activity, failed, ok, pending, type State } from '../../src/base/activity.ts';
import type { Failure } from '../../src/base/failure.ts';
import { Cell, Lazy } from '../../src/base/var.ts';

type Kept = { readonly resource: Resource<KubeObject>; readonly object: KubeObject };
type Fields = Readonly<Record<string, unknown>> & { readonly metadata: JsonObject };

export class FakeKube implements KubeApi {
  /** Paths and selectors of what is watched, in the order of the first observers. */
  readonly watched = new Set<string>();
  readonly refreshed: string[] = [];
  closed = false;
  readonly #objects = new Cell<readonly Kept[]>([]);
  readonly #failures = new Cell<ReadonlyMap<string, State<never>>>(new Map());
  readonly #shared = new Map<string, Activity<ReadonlyMap<string, KubeObject>>>();

  /** Creates or replaces. The namespace is `default` when it is not said. */
  put<T extends KubeObject>(resource: Resource<T>, fields: Fields): void {
    const meta = parseMeta({ ...fields, metadata: { namespace: 'default', ...fields.metadata } });
    assert.ok(meta !== undefined);
    const object = resource.parse(meta, fields);
    this.#objects.set([...this.#without(resource, keyOf(meta)), { resource, object }]);
  }

  delete(resource: Resource<KubeObject>, name: string, namespace = 'default'): void {
    this.#objects.set(this.#without(resource, `${namespace}/${name}`));
  }

  /** Every first list of the resource goes wrong, or none any more. */
  fail(resource: Resource<KubeObject>, failure: Failure | 'pending' | undefined): void {
    const failures = new Map(this.#failures.current);
    if (failure === undefined) failures.delete(resource.plural);
    else failures.set(resource.plural, failure === 'pending' ? pending : failed(failure));
    this.#failures.set(failures);
  }

  watch<T extends KubeObject>(selection: Selection<T>): Activity<ReadonlyMap<string, T>> {
    const path = selectionPath(selection);
    let shared = this.#shared.get(path);
    if (shared === undefined) {
      shared = this.#follow(selection, path);
      this.#shared.set(path, shared);
    }
    return shared as unknown as Activity<ReadonlyMap<string, T>>;
  }

  refresh(selection: Selection<KubeObject>): void {
    const path = selectionPath(selection);
    if (this.watched.has(path)) this.refreshed.push(path);
  }

  watches(): readonly WatchReport[] {
    return [];
  }

  close(): void {
    this.closed = true;
  }

  #follow(selection: Selection<KubeObject>, path: string): Activity<ReadonlyMap<string, KubeObject>> {
    return new Lazy<State<ReadonlyMap<string, KubeObject>>>((set) => {
      assert.ok(!this.watched.has(path));
      this.watched.add(path);
      const tell = (): void => {
        const failure = this.#failures.current.get(selection.resource.plural);
        const selected = this.#objects.current.filter((kept) => isSelected(selection, kept));
        set(failure ?? ok(new Map(selected.map(({ object }) => [keyOf(object.meta), object]))));
      };
      const objects = this.#objects.observe(tell);
      const failures = this.#failures.observe(tell);
      return {
        close: () => {
          objects.close();
          failures.close();
          this.watched.delete(path);
        },
      };
    });
  }

  #without(resource: Resource<KubeObject>, key: string): readonly Kept[] {
    return this.#objects.current.filter(
      (kept) => kept.resource.plural !== resource.plural || keyOf(kept.object.meta) !== key,
    );
  }
}

function isSelected(selection: Selection<KubeObject>, { resource, object }: Kept): boolean {
  if (collectionPath({ resource }) !== collectionPath({ resource: selection.resource })) return false;
  const { namespace, labelSelector, fieldSelector } = selection;
  const { meta } = object;
  const pairs = (text: string | undefined): string[][] =>
    text === undefined ? [] : text.split(',').map((pair) => pair.split('='));
  return (
    (namespace === undefined || meta.namespace === namespace) &&
    pairs(labelSelector).every(([name = '', value]) => meta.labels[name] === value) &&
    pairs(fieldSelector).every(([name, value]) => name === 'metadata.name' && meta.name === value)
  );
}

type EndpointFields = {
  readonly ready?: boolean;
  readonly serving?: boolean;
  readonly terminating?: boolean;
  readonly node?: string;
};

/** An endpoint of a slice, ready unless something else is said. */
export function endpoint(address: string, { node, ...conditions }: EndpointFields = {}): JsonObject {
  return {
    addresses: [address],
    conditions: Object.keys(conditions).length === 0 ? { ready: true } : conditions,
    ...(node !== undefined && { nodeName: node }),
  };
}

/** An EndpointSlice of `service`, as the controller of EndpointSlices writes it. */
export function slice(
  name: string,
  service: string,
  ports: Readonly<Record<string, number>> | undefined,
  endpoints: readonly JsonObject[] | undefined,
  more: { readonly addressType?: string; readonly labels?: JsonObject; readonly namespace?: string } = {},
): Fields {
  const { addressType = 'IPv4', labels, namespace = 'default' } = more;
  return {
    metadata: { name, namespace, labels: { ...labels, 'kubernetes.io/service-name': service } },
    addressType,
    endpoints: endpoints ?? null,
    ports:
      ports === undefined
        ? null
        : Object.entries(ports).map(([port, number]) => ({ name: port, port: number, protocol: 'TCP' })),
  };
}
