import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Delegation } from '../../dtab/delegation.ts';
import { type Addr, type Bound, type Dentry, leaf } from '../../dtab/names.ts';
import { Path } from '../../dtab/path.ts';
import type { DelegateAnswer } from '../../src/admin/sources.ts';
import { Failure } from '../../src/base/failure.ts';
import { Cell } from '../../src/base/var.ts';
import { withAdmin } from './rig.ts';

const dentry: Dentry = {
  prefix: ['svc', null],
  dst: { type: 'alt', trees: [leaf(Path.of('#', 'io.l5d.fs')), { type: 'neg' }] },
  position: { line: 3, column: 5, offset: 40, source: 'linker.yaml' },
};

function bound(addr: Addr): Bound {
  return { type: 'bound', id: Path.of('#', 'io.l5d.fs', 'web'), addr: new Cell(addr), residual: Path.empty };
}

const addresses: Addr = {
  type: 'bound',
  addresses: [{ host: '127.0.0.1', port: 8080, meta: { weight: 2 } }],
  meta: {},
};

/** What the page answers when the interpreter answers this. */
async function shown(delegation: Delegation): Promise<unknown> {
  let got: unknown;
  const sources = { delegate: async (): Promise<DelegateAnswer> => ({ type: 'ok', delegation }) };
  await withAdmin({ sources }, async ({ ask }) => {
    const { status, body } = await ask('/delegator.json?namespace=http&path=/svc/web');
    assert.equal(status, 200);
    got = JSON.parse(body);
  });
  return got;
}

const path = Path.of('svc', 'web');

describe('/delegator.json', () => {
  it('shows each step with its dentry, where that stands, and the addresses', async () => {
    const delegation: Delegation = {
      type: 'delegate',
      path,
      tree: { type: 'leaf', path: Path.of('#', 'io.l5d.fs', 'web'), dentry, bound: bound(addresses) },
    };
    assert.deepEqual(await shown(delegation), {
      type: 'delegate',
      path: '/svc/web',
      delegate: {
        type: 'leaf',
        path: '/#/io.l5d.fs/web',
        dentry: {
          prefix: '/svc/*',
          dst: '/#/io.l5d.fs | ~',
          position: { source: 'linker.yaml', line: 3, column: 5 },
        },
        bound: {
          addr: {
            type: 'bound',
            addrs: [{ ip: '127.0.0.1', port: 8080, meta: { endpoint_addr_weight: 2 } }],
            meta: {},
          },
          id: '/#/io.l5d.fs/web',
          path: '/',
        },
      },
    });
  });

  it('shows every kind of node', async () => {
    const failed = bound({ type: 'failed', failure: new Failure('naming', 'no route') });
    const got = await shown({
      type: 'alt',
      path,
      trees: [
        { type: 'neg', path: Path.empty },
        { type: 'fail', path: Path.of('$', 'fail') },
        { type: 'fail', path },
        { type: 'empty', path: Path.of('$', 'nil') },
        { type: 'exception', path, failure: new Failure('naming', 'boom') },
        { type: 'union', path, trees: [{ weight: 0.5, tree: { type: 'neg', path } }] },
        { type: 'leaf', path, bound: failed },
        {
          type: 'transformation',
          path,
          name: 'port',
          bound: bound({ type: 'neg' }),
          tree: { type: 'neg', path },
        },
      ],
    });
    const id = '/#/io.l5d.fs/web';
    assert.deepEqual(got, {
      type: 'alt',
      path: '/svc/web',
      alt: [
        { type: 'neg', path: '~' },
        { type: 'fail', path: '/$/fail' },
        { type: 'fail', path: '!' },
        { type: 'empty', path: '/$/nil' },
        { type: 'exception', path: '/svc/web', message: 'boom' },
        {
          type: 'union',
          path: '/svc/web',
          union: [{ weight: 0.5, tree: { type: 'neg', path: '/svc/web' } }],
        },
        {
          type: 'leaf',
          path: '/svc/web',
          bound: { addr: { type: 'failed', cause: 'no route' }, id, path: '/' },
        },
        {
          type: 'transformation',
          path: '/svc/web',
          name: 'port',
          bound: { addr: { type: 'neg' }, id, path: '/' },
          tree: { type: 'neg', path: '/svc/web' },
        },
      ],
    });
  });

  it('passes what was asked, by GET and by POST', async () => {
    const asked: unknown[] = [];
    const sources = {
      delegate: async (...question: unknown[]): Promise<DelegateAnswer> => {
        asked.push(question);
        return { type: 'ok', delegation: { type: 'neg', path } };
      },
    };
    await withAdmin({ sources }, async ({ ask }) => {
      await ask('/delegator.json?namespace=http&dtab=%2Fa%3D%3E%2Fb&path=%2Fa');
      const headers = { 'content-type': 'application/json; charset=utf-8' };
      const body = JSON.stringify({ namespace: 'http', dtab: '/a=>/b', path: '/a' });
      await ask('/delegator.json', { method: 'POST', headers, body });
      await ask('/delegator.json?path=/a&base=1');
    });
    assert.deepEqual(asked, [
      ['http', '/a=>/b', '/a', false],
      ['http', '/a=>/b', '/a', false],
      [undefined, '', '/a', true],
    ]);
  });

  it('answers 400, 405, 415 and 501 where it must', async () => {
    const answers: Record<string, DelegateAnswer> = {
      http: { type: 'bad-dtab', message: 'expected /' },
      h2: { type: 'bad-path', message: 'no /' },
    };
    const sources = {
      delegate: async (router: string | undefined): Promise<DelegateAnswer> =>
        answers[router ?? ''] ?? { type: 'cannot' },
    };
    await withAdmin({ sources }, async ({ ask }) => {
      const get = async (query: string) => {
        const { status, body } = await ask(`/delegator.json${query}`);
        return [status, body];
      };
      assert.deepEqual(await get('?namespace=http&path=/'), [400, 'Invalid dtab: expected /']);
      assert.deepEqual(await get('?namespace=h2&path=x'), [400, 'Invalid path: no /']);
      assert.deepEqual(await get('?namespace=x&path=/'), [
        501,
        'Name Interpreter for x cannot show delegations',
      ]);
      assert.equal((await get('?namespace=http'))[0], 400);
      assert.equal((await ask('/delegator.json', { method: 'DELETE' })).status, 405);
      const post = (type: string, body: string) =>
        ask('/delegator.json', { method: 'POST', headers: { 'content-type': type }, body });
      assert.equal((await post('text/plain', '{}')).status, 415);
      for (const body of [
        '{',
        '[]',
        'null',
        '{"path":"/a"}',
        '{"dtab":"","path":1}',
        '{"dtab":"","path":"","namespace":1}',
      ]) {
        const answer = await post('application/json', body);
        assert.deepEqual([answer.status, answer.body], [400, `Malformed delegation request: ${body}`]);
      }
    });
  });

  it('waits for an address set that is pending', async () => {
    const addr = new Cell<Addr>({ type: 'pending' });
    const delegation: Delegation = { type: 'leaf', path, bound: { ...bound(addresses), addr } };
    const sources = { delegate: async (): Promise<DelegateAnswer> => ({ type: 'ok', delegation }) };
    await withAdmin({ sources }, async ({ ask }) => {
      const answer = ask('/delegator.json?path=/svc/web');
      while (!addr.observed) await new Promise(setImmediate);
      addr.set({ type: 'neg' });
      assert.deepEqual(JSON.parse((await answer).body).bound.addr, { type: 'neg' });
      assert.equal(addr.observed, false);
    });
  });

  it('gives up after two seconds, and lets go of what it watched', async () => {
    const addr = new Cell<Addr>({ type: 'pending' });
    const delegation: Delegation = { type: 'leaf', path, bound: { ...bound(addresses), addr } };
    const sources = { delegate: async (): Promise<DelegateAnswer> => ({ type: 'ok', delegation }) };
    await withAdmin({ sources }, async ({ ask, clock }) => {
      const answer = ask('/delegator.json?path=/svc/web');
      while (!addr.observed) await new Promise(setImmediate);
      clock.advance(2000);
      const { status, body } = await answer;
      assert.deepEqual([status, body], [503, 'Request timed out.']);
      assert.equal(addr.observed, false);
    });
  });
});
