/** What must hold of a balancer at any time. */
import assert from 'node:assert/strict';
import type { BalancerRig, Node } from './nodes.ts';

export function check(rig: BalancerRig, members: readonly Node[], kind: string): void {
  const open = members.filter((each) => each.status === 'open');
  assert.equal(rig.balancer.open, open.length);
  if (members.length === 0) return;
  const picked = rig.balancer.pick(undefined);
  assert.ok(picked !== undefined && members.includes(picked));
  if (kind === 'heap' || kind === 'roundRobin') assert.equal(picked.status === 'open', open.length > 0);
  if (kind !== 'heap') return;
  const rivals = open.filter((each) => each.weight === picked.weight);
  if (rivals.length > 0) assert.equal(picked.load, Math.min(...rivals.map((each) => each.load)));
}
