/** Which objects a watch is about, and the path and query that ask the API for them. */
import type { KubeObject, Resource } from './resources.ts';

export type Selection<T extends KubeObject> = {
  readonly resource: Resource<T>;
  /** Absent: all namespaces. */
  readonly namespace?: string | undefined;
  /** As in `kubectl -l`. Its parts must be checked before they are put together. */
  readonly labelSelector?: string | undefined;
  /** As in `kubectl --field-selector`: `metadata.name=web` is the narrowest. */
  readonly fieldSelector?: string | undefined;
};

/** The collection's path on the API server. */
export function collectionPath({ resource, namespace }: Selection<KubeObject>): string {
  const { group, version, plural } = resource;
  const api = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const place = namespace === undefined ? '' : `/namespaces/${encodeURIComponent(namespace)}`;
  return `${api}${place}/${plural}`;
}

/** Path and selectors: two selections are the same question when this is the same text. */
export function selectionPath(selection: Selection<KubeObject>): string {
  const query = selectors(selection).toString();
  return query === '' ? collectionPath(selection) : `${collectionPath(selection)}?${query}`;
}

export function selectors({ labelSelector, fieldSelector }: Selection<KubeObject>): URLSearchParams {
  const query = new URLSearchParams();
  if (labelSelector !== undefined) query.set('labelSelector', labelSelector);
  if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector);
  return query;
}

/** The one object of a name. The API knows this selector for every resource. */
export const named = (name: string): string => `metadata.name=${name}`;

/** A name that a namespace or a service can have (RFC 1123 label); anything else cannot exist. */
export const isDnsLabel = (text: string): boolean => /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?$/.test(text);

/** What a label can have as its value. Anything else is refused by the API and would change a selector. */
export const isLabelValue = (text: string): boolean =>
  text === '' || /^[A-Za-z0-9](?:[-_.A-Za-z0-9]{0,61}[A-Za-z0-9])?$/.test(text);
