/** docs/errors.md has one section a code, and every made-up response carries its code. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Field, Fields } from '../../../routers/fields.ts';
import { clearResponseContext } from '../../../routers/headers/clear-context.ts';
import { refusalText } from '../../../routers/http1/response-writer.ts';
import { failureResponse } from '../../../routers/respond/error-response.ts';
import { refusalCode, refusalCodes } from '../../../routers/respond/refusal-code.ts';
import { Failure, type FailureKind } from '../../../src/base/failure.ts';

const read = (file: string): string => readFileSync(new URL(`../../../${file}`, import.meta.url), 'utf8');

/** As the source has them, so that a new kind cannot be forgotten. */
const kinds = [...read('src/base/failure.ts').matchAll(/^ {2}\| '([a-z-]+)'/gm)].map(
  ([, kind]) => kind as FailureKind,
);

describe('The codes of errors', () => {
  it('each have one section in docs/errors.md, which says what to run', () => {
    const sections = new Map<string, string>();
    for (const part of read('docs/errors.md').split(/^### /m).slice(1)) {
      const [code = '', ...rest] = part.split('\n');
      assert.ok(!sections.has(code), `${code} stands twice`);
      sections.set(code, rest.join('\n'));
    }
    assert.ok(kinds.length > 20);
    assert.deepEqual([...sections.keys()].sort(), [...kinds, ...refusalCodes].sort());
    for (const [code, section] of sections) assert.match(section, /^Run /m, code);
  });

  it('are in a header of every failure, the nack included', () => {
    for (const kind of kinds) {
      const { fields } = failureResponse(new Failure(kind, 'm'), { headerChars: 100, bodyChars: 100 });
      assert.deepEqual(fields[0], ['turnout-err', kind]);
    }
  });

  it('are in a header of every refusal', () => {
    const problems = [
      'caller-limits',
      'chunk-decoder',
      'http-server',
      'connect-target',
      'framing',
      'head-parser',
      'request-check',
      'server-connection',
    ].map((file) => read(`routers/http1/${file}.ts`));
    const statuses = new Set(
      problems.join().match(/(?<=(?:new HeadProblem|#refuse|refusalText)\(\s*)\d{3}/g),
    );
    assert.equal(statuses.size, refusalCodes.length);
    for (const status of statuses) {
      const head = refusalText(Number(status), 'why');
      assert.ok(head.includes(`\r\nturnout-err: ${refusalCode(Number(status))}\r\n`), head);
    }
  });

  it('are not told to strangers', () => {
    const fields = Fields.of([['turnout-err', 'connect']]);
    fields.add('l5d-err', 'x', Field.l5dErr);
    assert.equal(clearResponseContext(fields), true);
    assert.deepEqual(fields.pairs(), []);
  });
});
