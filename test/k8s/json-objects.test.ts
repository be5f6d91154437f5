import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { JsonObjects, JsonProblem, OBJECT_BYTES_MAX } from '../../k8s/json-objects.ts';

type Cut = { readonly objects: unknown[]; readonly end: string | JsonProblem };

/** Feeds `text` in pieces of at most `size` bytes. */
function cut(of: 'watch' | 'list', text: string | Buffer, size = 1e9): Cut {
  const objects: unknown[] = [];
  const scanner = new JsonObjects(of);
  const bytes = Buffer.from(text as string);
  for (let at = 0; at < bytes.length; at += size) {
    const problem = scanner.feed(bytes.subarray(at, at + size), (item) => objects.push(JSON.parse(item)));
    if (problem !== undefined) return { objects, end: problem };
  }
  return { objects, end: scanner.end() };
}

const tricky = [{ a: '}{"\\' }, { 'b]': [[{}], 'ü 🦊 \u0000'] }, { items: [{ items: [] }] }, {}];

describe('The objects of a watch', () => {
  it('are found however the bytes are cut', () => {
    const text = tricky.map((each) => JSON.stringify(each)).join('\n');
    for (let size = 1; size < text.length; size++) {
      assert.deepEqual(cut('watch', text, size), { objects: tricky, end: '' });
    }
  });

  it('may stand on several lines, or on one', () => {
    assert.deepEqual(cut('watch', ' {\n "a":\t1}\r\n\r\n{}{"b":2} ').objects, [{ a: 1 }, {}, { b: 2 }]);
  });

  it('that are cut off are no objects', () => {
    const { objects, end } = cut('watch', '{"a":1}{"b":');
    assert.deepEqual(objects, [{ a: 1 }]);
    assert.ok(end instanceof JsonProblem && end.message === 'it ends in the middle of an object');
  });

  it('are not looked for in something else', () => {
    for (const text of ['<html>', '[]', '{}]', '"a"', '{} x', '}']) {
      const { end } = cut('watch', text);
      assert.ok(end instanceof JsonProblem, text);
    }
  });

  it('are bounded', () => {
    const scanner = new JsonObjects('watch');
    const piece = Buffer.alloc(1024 * 1024, 'x');
    let problem = scanner.feed(Buffer.from('{"a":"'), () => {});
    for (let mb = 0; mb <= OBJECT_BYTES_MAX / piece.length && problem === undefined; mb++) {
      problem = scanner.feed(piece, () => {});
    }
    assert.equal(problem?.message, `an object is longer than ${OBJECT_BYTES_MAX} bytes`);
  });
});

describe('The items of a list', () => {
  it('are found however the bytes are cut, and what stands around them', () => {
    const list = {
      kind: 'L',
      metadata: { 'items":[': '"items":[{}]', more: [[1]] },
      items: tricky,
      last: [1],
    };
    const text = JSON.stringify(list);
    for (let size = 1; size < text.length; size++) {
      const { objects, end } = cut('list', text, size);
      assert.deepEqual(objects, tricky);
      assert.deepEqual(JSON.parse(end as string), { ...list, items: [] });
    }
  });

  it('may be none, and null', () => {
    for (const items of [[], null]) {
      const text = JSON.stringify({ items, metadata: {} }, undefined, 2);
      assert.deepEqual(cut('list', text).objects, []);
      assert.deepEqual(JSON.parse(cut('list', text, 1).end as string), { items, metadata: {} });
    }
  });

  it('are objects, in one object, that has an end', () => {
    for (const text of [
      '{"items":[1]}',
      '{"items":[[]]}',
      '{}{}',
      '{',
      '',
      '{"items":[{}',
      '{} x',
      '[{}]',
      '{"a":"',
    ]) {
      assert.ok(cut('list', text).end instanceof JsonProblem, text);
    }
  });

  it('survive any JSON and any cut', () => {
    const items = fc.array(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 })), { maxLength: 4 });
    fc.assert(
      fc.property(items, fc.jsonValue(), fc.integer({ min: 1, max: 30 }), (list, rest, size) => {
        const expected = JSON.parse(JSON.stringify(list));
        const found = cut('list', JSON.stringify({ rest, items: list }), size);
        assert.deepEqual(found.objects, expected);
        assert.deepEqual(
          cut('watch', list.map((each) => JSON.stringify(each)).join(''), size).objects,
          expected,
        );
      }),
    );
  });

  it('are never found in arbitrary bytes with a throw', () => {
    const bytes = fc.array(fc.constantFrom(...'{}[]",:\\ \nit1\u00ff'), { maxLength: 60 });
    fc.assert(
      fc.property(bytes, fc.constantFrom('watch' as const, 'list' as const), (letters, of) => {
        const scanner = new JsonObjects(of);
        scanner.feed(Buffer.from(letters.join(''), 'latin1'), () => {});
        scanner.end();
      }),
    );
  });
});
