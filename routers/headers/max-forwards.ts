/**
 * `Max-Forwards` on TRACE and OPTIONS (RFC 9110 7.6.2): counted down on every hop, answered here at 0. The
 * answer comes after routing, because a TRACE may ask for the routing details (`l5d-add-context: true`).
 */
import { Failure } from '../../src/base/failure.ts';
import { Field } from '../fields.ts';
import type { RequestHead } from '../head.ts';

const INTEGER = /^[0-9]{1,10}$/;

/** True: answer the request here instead of forwarding it. Otherwise the field has been counted down. */
export function countDownForwards(head: RequestHead): boolean | Failure {
  if (!head.fields.mayHave(Field.maxForwards)) return false;
  if (head.method !== 'TRACE' && head.method !== 'OPTIONS') return false;
  const { ids, values } = head.fields;
  const at = ids.indexOf(Field.maxForwards);
  if (at === -1) return false;
  const once = ids.lastIndexOf(Field.maxForwards) === at;
  const left = once && INTEGER.test(values[at] as string) ? Number(values[at]) : Number.NaN;
  if (Number.isNaN(left) || left > 0x7fffffff) {
    // OPTIONS has a use without the count: only a TRACE is refused.
    return head.method === 'OPTIONS'
      ? false
      : new Failure('bad-max-forwards', 'Invalid value for Max-Forwards header', true);
  }
  if (left === 0) return true;
  values[at] = String(left - 1);
  return false;
}

/** Whether the caller asks for routing details in the body of the answer. */
export function wantsContext(head: RequestHead): boolean {
  if (head.method !== 'TRACE' || !head.fields.mayHave(Field.l5dAddContext)) return false;
  const value = head.fields.first(Field.l5dAddContext)?.toLowerCase();
  return value === 'true' || value === 't' || value === '1';
}
