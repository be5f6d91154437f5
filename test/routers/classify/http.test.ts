import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClassifierKind } from '../../../config/spec.ts';
import {
  isNonRetryableNack,
  makeHttpClassifier,
  type ResponseClass,
} from '../../../routers/classify/http.ts';
import { Fields } from '../../../routers/fields.ts';
import type { ResponseHead } from '../../../routers/head.ts';
import { Failure, type FailureKind } from '../../../src/base/failure.ts';

function response(status: number, ...pairs: [string, string][]): ResponseHead {
  return { status, reason: '', minor: 1, fields: Fields.of(pairs) };
}

function classOf(
  kind: string,
  method: string,
  outcome: ResponseHead | Failure,
  streamed = false,
): ResponseClass {
  return makeHttpClassifier(`io.l5d.http.${kind}` as ClassifierKind).classify(method, streamed, outcome);
}

const kinds = ['nonRetryable5XX', 'retryableRead5XX', 'retryableIdempotent5XX', 'retryableAll5XX'];

describe('HTTP classifiers', () => {
  it('call everything below 500 a success', () => {
    for (const kind of [...kinds, 'allSuccessful']) {
      for (const status of [101, 200, 302, 404, 429, 499]) {
        assert.equal(classOf(kind, 'GET', response(status)), 'success');
      }
    }
  });

  it('let server errors of the fitting methods be retried', () => {
    const table: Record<string, Record<string, boolean[]>> = {
      // nonRetryable, read, idempotent, all
      GET: { retried: [false, true, true, true] },
      HEAD: { retried: [false, true, true, true] },
      OPTIONS: { retried: [false, true, true, true] },
      TRACE: { retried: [false, true, true, true] },
      PUT: { retried: [false, false, true, true] },
      DELETE: { retried: [false, false, true, true] },
      POST: { retried: [false, false, false, true] },
      PATCH: { retried: [false, false, false, true] },
      CONNECT: { retried: [false, false, false, false] },
      PURGE: { retried: [false, false, false, false] },
    };
    for (const [method, { retried }] of Object.entries(table)) {
      kinds.forEach((kind, i) => {
        const expected = retried?.[i] ? 'retryable' : 'failure';
        for (const status of [500, 503, 599]) {
          assert.equal(classOf(kind, method, response(status)), expected, `${kind} ${method} ${status}`);
        }
      });
    }
  });

  it('never let a streamed request be retried', () => {
    const nack = response(503, ['finagle-http-nack', 'true'], ['l5d-retryable', 'true']);
    for (const kind of kinds) {
      assert.equal(classOf(kind, 'GET', nack, true), 'failure');
      assert.equal(classOf(kind, 'GET', new Failure('connect', '', true), true), 'failure');
    }
  });

  it('let a nack be retried with every method', () => {
    for (const kind of kinds) {
      assert.equal(classOf(kind, 'POST', response(503, ['finagle-http-nack', ''])), 'retryable');
      assert.equal(classOf(kind, 'PURGE', response(503, ['Retry-After', '0'])), 'retryable');
    }
    assert.equal(classOf('nonRetryable5XX', 'GET', response(503, ['Retry-After', '5'])), 'failure');
    assert.equal(classOf('nonRetryable5XX', 'GET', response(500, ['finagle-http-nack', 'true'])), 'failure');
    assert.equal(
      classOf('nonRetryable5XX', 'GET', response(503, ['finagle-http-nonretryable-nack', 'true'])),
      'failure',
    );
  });

  it('upgrade a failure that the next router marked, in any case of letters', () => {
    assert.equal(classOf('nonRetryable5XX', 'POST', response(502, ['l5d-retryable', 'TRUE'])), 'retryable');
    assert.equal(classOf('nonRetryable5XX', 'POST', response(502, ['l5d-retryable', 'yes'])), 'failure');
    assert.equal(classOf('nonRetryable5XX', 'POST', response(200, ['l5d-retryable', 'true'])), 'success');
  });

  it('let failures be retried that did not reach the application, timeouts, and broken answers', () => {
    const repeatable: FailureKind[] = [
      'attempt-timeout',
      'binding-timeout',
      'upstream-closed',
      'bad-response',
    ];
    for (const kind of repeatable) {
      assert.equal(classOf('retryableRead5XX', 'GET', new Failure(kind, '')), 'retryable', kind);
      assert.equal(classOf('retryableRead5XX', 'POST', new Failure(kind, '')), 'failure', kind);
      assert.equal(classOf('nonRetryable5XX', 'GET', new Failure(kind, '')), 'failure', kind);
    }
    assert.equal(classOf('retryableRead5XX', 'GET', new Failure('connect', '', true)), 'retryable');
    assert.equal(classOf('retryableRead5XX', 'GET', new Failure('no-endpoints', '')), 'failure');
    assert.equal(classOf('retryableAll5XX', 'GET', new Failure('internal', '')), 'failure');
  });

  it('ignore what the caller cancelled', () => {
    for (const kind of [...kinds, 'allSuccessful']) {
      assert.equal(classOf(kind, 'GET', new Failure('cancelled', '', true)), 'ignorable');
    }
  });

  it('call every response a success with allSuccessful, but not a missing one', () => {
    assert.equal(classOf('allSuccessful', 'GET', response(500, ['l5d-retryable', 'true'])), 'success');
    assert.equal(classOf('allSuccessful', 'GET', new Failure('connect', '', true)), 'failure');
  });
});

describe('isNonRetryableNack', () => {
  it('knows the header only on a 503', () => {
    const { fields } = response(503, ['finagle-http-nonretryable-nack', 'true']);
    assert.equal(isNonRetryableNack(503, fields), true);
    assert.equal(isNonRetryableNack(500, fields), false);
    assert.equal(isNonRetryableNack(503, response(503, ['finagle-http-nack', 'true']).fields), false);
  });
});
