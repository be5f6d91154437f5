/**
 * The conditions of a tap as people write them: `path=/svc/web status>=500`, blanks between them. `=` and
 * `!=` compare whole values, `~` beginnings; `<`, `<=`, `>` and `>=` compare numbers. A value with blanks
 * stands in double quotes.
 */
import type { Condition, StoryField } from '../../routers/tap/interest.ts';

const NUMBERS: readonly StoryField[] = ['status', 'latency', 'retries'];
const TEXTS: readonly StoryField[] = [
  'router',
  'server',
  'peer',
  'method',
  'host',
  'target',
  'path',
  'client',
  'endpoint',
  'failure',
  'tls',
];
const CONDITIONS_MAX = 16;
const WHERE = /([a-z]+)(!=|<=|>=|=|~|<|>)("[^"]*"|\S+)\s*/y;

/** The conditions, or one line that says what is wrong with the text. */
export function readWhere(text: string): readonly Condition[] | string {
  const conditions: Condition[] = [];
  const trimmed = text.trim();
  WHERE.lastIndex = 0;
  while (WHERE.lastIndex < trimmed.length) {
    const at = WHERE.lastIndex;
    const [, name, op, quoted] = WHERE.exec(trimmed) ?? [];
    if (name === undefined || op === undefined || quoted === undefined) {
      return `expected a condition such as status>=500 at "${trimmed.slice(at, at + 40)}"`;
    }
    const value = quoted.startsWith('"') ? quoted.slice(1, -1) : quoted;
    const condition = conditionOf(name, op as Condition['op'], value);
    if (typeof condition === 'string') return condition;
    conditions.push(condition);
  }
  if (conditions.length > CONDITIONS_MAX) return `at most ${CONDITIONS_MAX} conditions`;
  return conditions;
}

function conditionOf(name: string, op: Condition['op'], value: string): Condition | string {
  const field = [...TEXTS, ...NUMBERS].find((known) => known === name);
  if (field === undefined) return `unknown field "${name}"; known: ${[...TEXTS, ...NUMBERS].join(', ')}`;
  if (field === 'tls' && !((op === '=' || op === '!=') && (value === 'true' || value === 'false'))) {
    return `tls is true or false: compare it with = or !=, not ${op}${value}`;
  }
  if (!NUMBERS.includes(field)) {
    if (op === '=' || op === '!=' || op === '~') return { field, op, value };
    return `${name} is a text: compare it with =, != or ~`;
  }
  if (op === '~' || !/^\d{1,9}(\.\d{1,3})?$/.test(value)) {
    return `${name} is a number: compare it with =, !=, <, <=, > or >= to digits, not ${op}${value}`;
  }
  return { field, op, value: Number(value) };
}
