/** Label and field selectors, as far as the real server knows them for every resource. */
import type { KubeJson } from './store.ts';

export type Matches = (object: KubeJson) => boolean;

/** Undefined for a selector that the server refuses. */
export function labelSelector(text: string): Matches | undefined {
  if (text.trim() === '') return () => true;
  const parts: Matches[] = [];
  for (const part of text.split(/,(?![^(]*\))/)) {
    const requirement = labelRequirement(part.trim());
    if (requirement === undefined) return undefined;
    parts.push(requirement);
  }
  return (object) => parts.every((matches) => matches(object));
}

const KEY = '[A-Za-z0-9]([-A-Za-z0-9_./]*[A-Za-z0-9])?';
const VALUE = '([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?';

function labelRequirement(text: string): Matches | undefined {
  const label = ({ metadata }: KubeJson, key: string): string | undefined => metadata.labels?.[key];
  const equality = new RegExp(`^(?<key>${KEY})\\s*(?<op>==|=|!=)\\s*(?<value>${VALUE})$`).exec(text)?.groups;
  if (equality !== undefined) {
    const { key = '', op, value } = equality;
    return (object) => (label(object, key) === value) === (op !== '!=');
  }
  const set = new RegExp(`^(?<key>${KEY})\\s+(?<op>in|notin)\\s*\\((?<values>[^)]*)\\)$`).exec(text)?.groups;
  if (set !== undefined) {
    const values = (set['values'] ?? '').split(',').map((value) => value.trim());
    const { key = '', op } = set;
    return (object) => values.includes(label(object, key) ?? '\0') === (op === 'in');
  }
  const presence = new RegExp(`^(?<not>!?)\\s*(?<key>${KEY})$`).exec(text)?.groups;
  if (presence === undefined) return undefined;
  const { key = '', not } = presence;
  return (object) => (label(object, key) !== undefined) === (not !== '!');
}

/** Undefined for a selector that the server refuses. */
export function fieldSelector(text: string): Matches | undefined {
  if (text.trim() === '') return () => true;
  const parts: Matches[] = [];
  for (const part of text.split(',')) {
    const found = /^metadata\.(name|namespace)\s*(==|=|!=)\s*(.*)$/.exec(part.trim());
    if (found === null) return undefined;
    const [, field, op, value] = found;
    parts.push(({ metadata }) => {
      const actual = field === 'name' ? metadata.name : (metadata.namespace ?? '');
      return (actual === value) === (op !== '!=');
    });
  }
  return (object) => parts.every((matches) => matches(object));
}
