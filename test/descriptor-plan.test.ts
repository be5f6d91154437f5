import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { descriptorLimit, descriptorPlan } from '../src/descriptor-plan.ts';

describe('The plan of file descriptors', () => {
  it('keeps a quarter of a small limit, and 256 of a large one, for the process', () => {
    assert.deepEqual(descriptorPlan(256), { callers: 115, endpoints: 77 });
    assert.deepEqual(descriptorPlan(65_536), { callers: 39_168, endpoints: 26_112 });
  });

  it('goes by the limit in force', () => {
    assert.ok(descriptorLimit() >= 64);
  });
});
