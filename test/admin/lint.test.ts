import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { silentLog } from '../../src/base/log.ts';
import { start } from '../../src/start.ts';
import { ask, withAdmin } from './rig.ts';

describe('The linter of the admin server', () => {
  it('finds in the running configuration what turnout lint finds, in the form of linkerd', async () => {
    const text = `admin: {port: 0}
routers:
- protocol: http
  servers: [{port: 0}]
  dtab: |
    /svc => /#/io.l5d.fz;
    /svc => /$/inet/127.1/8080;
`;
    const started = await start(loadConfig(text, { source: 'linker.yaml' }), { threads: 0, log: silentLog });
    assert.ok(started.ok);
    const { linker } = started;
    try {
      const found = (await ask(linker.adminPort, '/admin/lint')).body.trim().split('\n');
      assert.equal(found.length, 2);
      assert.match(found[0] ?? '', /^linker\.yaml:6:5: shadowed: \/svc=>.* is never used/);
      assert.match(found[1] ?? '', /^linker\.yaml:6:5: unknown-namer: /);
      const { lint_results: results } = JSON.parse((await ask(linker.adminPort, '/admin/lint.json')).body);
      assert.deepEqual(results.metadata, {
        num_rules_run: 6,
        num_rules_ok: 4,
        num_rules_failed: 2,
        num_issues_found: 2,
      });
      assert.deepEqual(results.ok_rules, ['unreachable', 'duplicate', 'loop', 'shadowed-namer']);
      assert.deepEqual(
        results.failed_rules.map(({ id, issues }: { id: string; issues: string[] }) => [id, issues.length]),
        [
          ['shadowed', 1],
          ['unknown-namer', 1],
        ],
      );
    } finally {
      await linker.close(0);
    }
  });

  it('looks once for all who ask at the same time, and leaves tables without end to the command', async () => {
    let looked = 0;
    let entries = 500;
    const dentry = { dentry: '/svc => /srv' };
    const sources = {
      routers: () => [{ label: 'a', interpreter: 'default', dtab: Array(entries).fill(dentry), servers: [] }],
      lint: async () => {
        looked++;
        await new Promise(setImmediate);
        return [];
      },
    };
    await withAdmin({ sources }, async ({ ask }) => {
      const answers = await Promise.all([ask('/admin/lint'), ask('/admin/lint.json')]);
      assert.equal(answers[0]?.body, 'nothing found\n');
      assert.ok(looked >= 1 && looked <= 2);
      entries++;
      const { status, body } = await ask('/admin/lint.json');
      assert.deepEqual([status, body.includes('turnout lint FILE')], [503, true]);
    });
  });
});

describe('The state of an interpreter', () => {
  it('is the dtab of a file as it is now', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnout-interpreter-'));
    const dtabFile = join(folder, 'dtab');
    writeFileSync(dtabFile, '/svc => /$/inet/127.1/1;\n');
    const text = `admin: {port: 0}
routers:
- protocol: http
  label: filed
  servers: [{port: 0}]
  interpreter: {kind: io.l5d.fs, dtabFile: ${dtabFile}}
`;
    const started = await start(loadConfig(text, { source: 'linker.yaml' }), { threads: 0, log: silentLog });
    assert.ok(started.ok);
    const { adminPort } = started.linker;
    try {
      const { body } = await ask(adminPort, '/filed/interpreter_state/io.l5d.fs.json');
      assert.deepEqual(JSON.parse(body), { state: { dtab: '/svc=>/$/inet/127.1/1' } });
    } finally {
      await started.linker.close(0);
      rmSync(folder, { recursive: true });
    }
  });

  it('has a page for each router whose interpreter has one', async () => {
    const router = { dtab: [], servers: [] };
    const sources = {
      routers: () => [
        { ...router, label: 'plain', interpreter: 'default' },
        { ...router, label: 'filed', interpreter: 'io.l5d.fs' },
      ],
      interpreterState: async (label: string) => ({ state: { dtab: `/${label} => /srv` } }),
    };
    await withAdmin({ sources }, async ({ ask }) => {
      const { body } = await ask('/filed/interpreter_state/io.l5d.fs.json');
      assert.deepEqual(JSON.parse(body), { state: { dtab: '/filed => /srv' } });
      assert.equal((await ask('/plain/interpreter_state/default.json')).status, 404);
    });
  });
});

describe('What linkerd has and this server has not', () => {
  it('is 501 with the reason, and in no list', async () => {
    await withAdmin({}, async ({ ask }) => {
      const list = (await ask('/admin')).body.split('\n');
      const paths = ['announcer', 'contention', 'pprof/contention', 'metrics/usage'];
      for (const path of paths.map((each) => `/admin/${each}`)) {
        const { status, body } = await ask(path);
        assert.equal(status, 501);
        assert.match(body, /^\w.*\.\n$/);
        assert.ok(!list.includes(path));
      }
      assert.equal((await ask('/favicon.ico')).status, 204);
    });
  });
});
