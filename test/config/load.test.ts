import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadConfig } from '../../config/load.ts';
import { dtabOf } from '../../config/name-decoders.ts';
import { errorsOf, good, router, routerErrors, routerText } from './harness.ts';

const places = (errors: readonly string[]): string[] => errors.map((error) => error.split(': ')[0] ?? '');

describe('loadConfig', () => {
  it('freezes all of the spec', () => {
    const { spec } = good(routerText('dtab: /svc => /a'));
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' ||
      value === null ||
      (Object.isFrozen(value) && Object.values(value).every(frozen));
    assert.ok(frozen(spec));
    assert.deepEqual(structuredClone(spec), spec);
  });

  it('treats an absent, null and empty list of routers alike', () => {
    for (const text of ['admin: {}', 'routers:', 'routers: []']) {
      assert.match(errorsOf(text).join(), /At least one router must be specified in the configuration\./);
    }
  });

  it('takes null for absent, except where a value is required', () => {
    const { spec } = good(
      `namers:\nadmin:\ntelemetry:\n${routerText('client:\nlabel:\ndtab:\ninterpreter:')}`,
    );
    assert.equal(spec.routers[0]?.label, 'http');
    assert.match(routerErrors('identifier: {kind: io.l5d.static, path: }').join(), /"path" is required/);
    assert.match(errorsOf('routers: [~]').join(), /expected an object/);
  });

  it('refuses a top level that is no object, and unknown keys there, with the known ones', () => {
    assert.match(errorsOf('- a').join(), /1:1 : expected an object, got a list/);
    assert.match(
      errorsOf(`router: []\n${routerText('')}`).join(),
      /Did you mean "routers"\? Known: admin, routers/,
    );
  });

  it('looks at the file system for directories and files that must exist', () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnout-config-'));
    const file = join(folder, 'x.dtab');
    writeFileSync(file, '');
    const config = (rootDir: string, dtabFile: string): string =>
      `namers: [{kind: io.l5d.fs, rootDir: ${rootDir}}]\n` +
      routerText(`interpreter: {kind: io.l5d.fs, dtabFile: ${dtabFile}}`);
    assert.ok('spec' in loadConfig(config(folder, file), { source: 'f' }));
    const swapped = loadConfig(config(file, folder), { source: 'f' });
    const missing = loadConfig(config(`${folder}/a`, `${folder}/b`), { source: 'f' });
    rmSync(folder, { recursive: true });
    for (const loaded of [swapped, missing]) {
      assert.deepEqual('errors' in loaded && loaded.errors.map((error) => error.code), ['file', 'file']);
    }
  });

  it('knows where each entry of a dtab stands', () => {
    const spec = router('dtab: |\n  # names\n  /svc => /a;\n\n  /svc/b =>\n    /c').dtab;
    assert.deepEqual(
      dtabOf(spec).map(({ position }) => `${position?.source}:${position?.line}:${position?.column}`),
      ['linkerd.yaml:6:5', 'linkerd.yaml:8:5'],
    );
  });
});

describe('Types of values', () => {
  it('accept what a person may mean, and report the rest with what was expected', () => {
    assert.equal(router('label: 8080').label, '8080');
    assert.equal(router('bindingTimeoutMs: "250"').bindingTimeoutMs, 250);
    assert.equal(router('originator: "true"').originator, true);
    assert.match(routerErrors('bindingTimeoutMs: 1.5').join(), /expected an integer, got 1.5/);
    assert.match(routerErrors('bindingTimeoutMs: .inf').join(), /expected an integer/);
    assert.match(routerErrors('originator: yes').join(), /true or false \(YAML 1.2 has no yes/);
    assert.match(routerErrors('bindingCache: {paths: 0}').join(), /must be at least 1, got 0/);
    assert.match(routerErrors('servers: {port: 1}').join(), /expected a list, got an object/);
  });

  it('are strict about ports and addresses', () => {
    assert.match(routerErrors('servers: [{port: "4140"}]').join(), /without quotes/);
    assert.match(routerErrors('servers: [{port: 65536}]').join(), /65536 outside valid range for ports/);
    assert.match(routerErrors('servers: [{port: -1}]').join(), /outside valid range/);
    assert.match(routerErrors('servers: [{ip: example.com}]').join(), /not an IP address literal/);
    assert.equal(router("servers: [{ip: '::'}]").servers[0]?.ip, '::');
  });

  it('point at the character of a path or dtab that is wrong', () => {
    assert.deepEqual(places(routerErrors('dstPrefix: /a//b')), ['4:17 routers[0].dstPrefix']);
    assert.deepEqual(places(routerErrors('dtab: "/a => /b; /c =>"')), ['4:25 routers[0].dtab']);
    assert.deepEqual(places(routerErrors('identifier: {kind: io.l5d.static, path: foo}')), [
      '4:43 routers[0].identifier.path',
    ]);
  });

  it('know header names, regular expressions and patterns', () => {
    assert.match(
      routerErrors('identifier: {kind: io.l5d.header, header: "a b"}').join(),
      /"a b" is not a header name/,
    );
    assert.match(
      routerErrors('client: {kind: io.l5d.static, configs: [{prefix: "/{a}+"}]}').join(),
      /has no place/,
    );
    assert.match(
      errorsOf(`admin: {security: {pathBlacklist: ["["]}}\n${routerText('')}`).join(),
      /not a regular expression/,
    );
  });

  it('check the name of a rewriting namer against what its pattern captures', () => {
    const text = (name: string): string =>
      `namers: [{kind: io.l5d.rewrite, prefix: /r, pattern: '/{a}', name: '${name}'}]\n${routerText('')}`;
    good(text('/#/x/{a}'));
    assert.match(errorsOf(text('/#/x/{b}')).join(), /\{b\} is not captured by the pattern/);
    assert.match(errorsOf(text('x/{a}')).join(), /not a path/);
    const without = 'namers: [{kind: io.l5d.rewrite, pattern: /a, name: /b}]';
    assert.match(
      errorsOf(`${without}\n${routerText('')}`).join(),
      /'prefix' property is required for the io.l5d.rewrite namer/,
    );
  });
});

describe('Checks across the parts of a configuration', () => {
  it('find two routers with one label, given or by protocol', () => {
    const text = 'routers: [{protocol: http, servers: [{port: 1}]}, {protocol: http, servers: [{port: 2}]}]';
    assert.match(errorsOf(text).join(), /Multiple routers with the label http \(the protocol/);
  });

  it('find two servers, or a server and admin, with one address', () => {
    assert.match(routerErrors('servers: [{port: 1}, {port: 1}]').join(), /Server conflict on port 1/);
    assert.match(routerErrors('servers: [{}, {port: 4140}]').join(), /Server conflict on port 4140/);
    assert.match(
      routerErrors('servers: [{port: 9990}]').join(),
      /Server conflict on port 9990: admin listens/,
    );
    assert.match(
      routerErrors("servers: [{port: 1, ip: '::1'}, {port: 1, ip: '0:0::0:1'}]").join(),
      /Server conflict on port 1/,
    );
  });

  it('let ports that the system chooses and other addresses be, and warn of a wildcard', () => {
    router('servers: [{port: 0}, {port: 0}]');
    assert.deepEqual(good(routerText('servers: [{port: 1}, {port: 1, ip: 127.0.0.2}]')).warnings, []);
    const { warnings } = good(routerText('servers: [{port: 1}, {port: 1, ip: 0.0.0.0}]'));
    assert.match(warnings.join(), /port 1 is also taken by routers\[0\].servers\[1\] on 0.0.0.0/);
  });

  it('find a router without servers and options of streaming that exclude each other', () => {
    assert.match(errorsOf('routers: [{protocol: http, label: a}]').join(), /router 'a' has no servers/);
    assert.match(
      routerErrors('streamingEnabled: false\nstreamAfterContentLengthKB: 5\nlabel: web').join(),
      /Conflicting streaming options set. Can't disable streaming and set streamAfterContentLengthKB in web/,
    );
    assert.equal(router('streamingEnabled: false').streamAfterBytes, Number.POSITIVE_INFINITY);
  });

  it('find TLS that cannot work, in each entry alone', () => {
    const tls = (text: string): string => routerErrors(`client: {tls: {${text}}}`).join();
    assert.match(tls(''), /`commonName` is not set/);
    assert.match(tls('commonName: a, trustCerts: [b], trustCertsBundle: c'), /exclude each other/);
    assert.match(
      tls('disableValidation: true, clientAuth: {certPath: a, keyPath: b}'),
      /is incompatible with/,
    );
    assert.match(tls('refuse: true, commonName: a'), /stands alone/);
    router('client: {tls: {enabled: false}}');
    router('client: {tls: {disableValidation: true, trustCerts: [b], trustCertsBundle: c}}');
    assert.deepEqual(
      places(
        routerErrors(
          'client: {kind: io.l5d.static, configs: ' +
            '[{prefix: /, tls: {commonName: a}}, {prefix: /b, tls: {}}]}',
        ),
      ),
      ['4:96 routers[0].client.configs[1].tls'],
    );
  });

  it('find a static section without configs or with other keys', () => {
    assert.match(routerErrors('client: {kind: io.l5d.static}').join(), /"configs" is required/);
    assert.match(
      routerErrors('service: {kind: io.l5d.static, configs: [], totalTimeoutMs: 1}').join(),
      /unknown key/,
    );
    assert.match(routerErrors('client: {configs: []}').join(), /unknown key "configs"/);
  });

  it('ask for the bounds of a jittered backoff, in order', () => {
    const backoff = (keys: string): string =>
      routerErrors(`service: {retries: {backoff: {kind: jittered${keys}}}}`).join();
    assert.match(backoff(''), /'minMs' must be specified.*'maxMs' must be specified/);
    assert.match(backoff(', minMs: 5, maxMs: 4'), /'minMs' \(5\) is above 'maxMs' \(4\)/);
  });

  it('warn of a name to announce for which there is no announcer', () => {
    const { warnings } = good(routerText('servers: [{announce: [/#/io.l5d.serversets/a]}]'));
    assert.match(warnings.join(), /no announcer found for \/#\/io.l5d.serversets\/a/);
  });

  it('read StatsD with its defaults, if it says that it knows that it is experimental', () => {
    const statsd = (keys: string) => `telemetry: [{kind: io.l5d.statsd${keys}}]\n${routerText('')}`;
    assert.match(errorsOf(statsd('')).join(), /The "io.l5d.statsd" telemeter is experimental and must be/);
    const { spec } = good(statsd(', experimental: true'));
    assert.deepEqual(spec.telemetry, [
      {
        kind: 'io.l5d.statsd',
        prefix: 'linkerd',
        hostname: '127.0.0.1',
        port: 8125,
        gaugeIntervalMs: 10_000,
        sampleRate: 0.01,
      },
    ]);
  });
});
