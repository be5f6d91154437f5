import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { Field, fieldId } from '../../routers/fields.ts';

const KNOWN: readonly (readonly [string, number])[] = [
  ['host', Field.host],
  ['te', Field.te],
  ['via', Field.via],
  ['content-length', Field.contentLength],
  ['transfer-encoding', Field.transferEncoding],
  ['http2-settings', Field.proxyConnection],
  ['x-forwarded-client-cert', Field.forwardedClientCert],
  ['x_forwarded_client_cert', Field.forwardedClientCert],
  ['l5d-dtab', Field.l5dDtab],
  ['l5d-anything', Field.l5dOther],
  ['finagle-http-nonretryable-nack', Field.nack],
  ['x-b3-parentspanid', Field.b3],
];

describe('fieldId', () => {
  it('knows a name in any case', () => {
    const cases = fc.array(fc.boolean(), { minLength: 40, maxLength: 40 });
    fc.assert(
      fc.property(fc.constantFrom(...KNOWN), cases, ([name, id], upper) => {
        const given = [...name].map((c, i) => (upper[i] === true ? c.toUpperCase() : c)).join('');
        assert.equal(fieldId(given), id, given);
      }),
    );
  });

  it('takes nothing else for a known name, one character more, less or other included', () => {
    const anyCharacter = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(
        fc.constantFrom('host', 'te', 'via', 'content-length'),
        fc.nat(20),
        anyCharacter,
        (name, at, c) => {
          const index = at % name.length;
          const others = [`${name}${c}`, name.slice(1), name.slice(0, index) + c + name.slice(index + 1)];
          const known = KNOWN.map(([each]) => each);
          for (const other of others) {
            if (!known.includes(other.toLowerCase())) assert.equal(fieldId(other), Field.other, other);
          }
        },
      ),
    );
  });
});
