import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { errorsOf, good, load, routerErrors, routerText } from './harness.ts';

const KINDS = /old form|left out/;

/**
 * The router of an old configuration equals that of the present form, and every warning is about an old form.
 */
function same(old: string, now: string, ...warnings: string[]): void {
  const before = good(routerText(old));
  const after = good(routerText(now));
  assert.deepEqual(withoutPlaces(before.spec.routers[0]), withoutPlaces(after.spec.routers[0]));
  assert.deepEqual(after.warnings, []);
  for (const warning of before.warnings) assert.match(warning, KINDS);
  for (const expected of warnings) {
    assert.ok(
      before.warnings.some((warning) => warning.includes(expected)),
      `${expected} is not in:\n${before.warnings.join('\n')}`,
    );
  }
}

function withoutPlaces(router: unknown): unknown {
  return JSON.parse(
    JSON.stringify(router, (key, value) => (key === 'start' || key === 'entries' ? undefined : value)),
  );
}

/** The only warnings and the namers of a configuration with these namers and a router that says nothing. */
function namers(lines: string): ReturnType<typeof good> {
  return good(`namers:\n${lines}\nrouters: [{protocol: http, servers: [{port: 4140}]}]\n`);
}

describe('Old forms of routers', () => {
  it('read baseDtab as dtab, with the prefix and the identifier of that time', () => {
    same(
      'baseDtab: /http => /a',
      'dtab: /http => /a\ndstPrefix: /http\nidentifier: {kind: io.l5d.methodAndHost}',
      '4:3 routers[0].baseDtab: old form "baseDtab", read as "dtab"',
      'read as "dstPrefix: /http"',
      'read as "identifier: {kind: io.l5d.methodAndHost}"',
    );
  });

  it('leave prefix and identifier alone where they are given, and in files without baseDtab', () => {
    same(
      'baseDtab: /x => /a\ndstPrefix: /x\nidentifier: {kind: io.l5d.header.token}',
      'dtab: /x => /a\ndstPrefix: /x\nidentifier: {kind: io.l5d.header.token}',
    );
    assert.equal(good(routerText('dtab: /svc => /a')).spec.routers[0]?.dstPrefix, '/svc');
  });

  it('refuse baseDtab beside dtab', () => {
    assert.match(routerErrors('baseDtab: /a => /b\ndtab: /a => /b').join(), /both are set: remove one/);
  });

  it('read httpUriInDst of a router as one of its identifier', () => {
    const now = 'identifier: {kind: io.l5d.methodAndHost, httpUriInDst: true}';
    same('httpUriInDst: true', now, 'read as "identifier: {kind: io.l5d.methodAndHost, httpUriInDst: true}"');
    same('httpUriInDst: true\nidentifier: {kind: default}', now);
    same(
      'httpUriInDst: true\nidentifier: {kind: io.l5d.path}',
      'identifier: {kind: io.l5d.path}',
      'left out',
    );
  });

  it('read the old identifiers, also in lists', () => {
    same(
      'identifier: {kind: default}',
      'identifier: {kind: io.l5d.methodAndHost}',
      'read as "io.l5d.methodAndHost"',
    );
    same(
      'identifier: [{kind: io.l5d.headerToken, header: a}, {kind: io.l5d.path}]',
      'identifier: [{kind: io.l5d.header.token, header: a}, {kind: io.l5d.path}]',
      'identifier[0].kind: old form "io.l5d.headerToken", read as "io.l5d.header.token"',
    );
    for (const old of ['io.l5d.http.ingress', 'io.l5d.h2.ingress']) {
      const loaded = load(routerText(`identifier: {kind: ${old}}`));
      assert.equal(loaded.warnings[0]?.message, `old form "${old}", read as "io.l5d.ingress"`);
    }
    const h2 = load('routers: [{protocol: h2, servers: [{}], identifier: {kind: io.l5d.headerPath}}]');
    assert.equal(h2.warnings[0]?.message, 'old form "io.l5d.headerPath", read as "io.l5d.header.path"');
    assert.deepEqual('errors' in h2 && h2.errors.map((error) => error.code), ['not-supported']);
  });

  it('read the timeout of a router as that of a service, in the oldest files of an attempt', () => {
    same('timeoutMs: 50', 'service: {totalTimeoutMs: 50}', 'read as "service: {totalTimeoutMs: 50}"');
    same(
      'timeoutMs: 50\nidentifier: {kind: default}',
      'client: {requestAttemptTimeoutMs: 50}\nidentifier: {kind: io.l5d.methodAndHost}',
      'read as "client: {requestAttemptTimeoutMs: 50}"',
    );
  });

  it('move options of the router into its client and service, whatever their kind', () => {
    same(
      'failFast: false',
      'client: {failFast: false}',
      '4:3 routers[0].failFast: old form "failFast" of a router',
    );
    same(
      'failFast: false\nclient: {kind: io.l5d.static, configs: [{prefix: /a, connectTimeoutMs: 5}]}',
      'client: {kind: io.l5d.static, configs: ' +
        '[{prefix: /, failFast: false}, {prefix: /a, connectTimeoutMs: 5}]}',
    );
    same(
      'responseClassifier: {kind: retryableRead5XX}\nservice: {totalTimeoutMs: 5}',
      'service: {totalTimeoutMs: 5, responseClassifier: {kind: io.l5d.http.retryableRead5XX}}',
      'read as "io.l5d.http.retryableRead5XX"',
    );
    assert.match(
      routerErrors('timeoutMs: 5\nservice: {totalTimeoutMs: 6}').join(),
      /"service.totalTimeoutMs" are both set/,
    );
  });

  it('read all spellings of the classifiers', () => {
    for (const name of ['nonRetryable5XX', 'retryableRead5XX', 'retryableIdempotent5XX']) {
      for (const prefix of ['', 'io.l5d.']) {
        same(
          `service: {responseClassifier: {kind: ${prefix}${name}}}`,
          `service: {responseClassifier: {kind: io.l5d.http.${name}}}`,
        );
      }
    }
  });

  it('read the retries of a client as those of the service and the requeue budget', () => {
    same(
      'client: {retries: {budget: {minRetriesPerSec: 3}, backoff: {kind: constant, ms: 4}}}',
      'client: {requeueBudget: {minRetriesPerSec: 3}}\n' +
        'service: {retries: {budget: {minRetriesPerSec: 3}, backoff: {kind: constant, ms: 4}}}',
      '"retries" of a client',
    );
    same(
      'client: {retries: {backoff: {kind: constant}}}',
      'client: {}\nservice: {retries: {backoff: {kind: constant}}}',
    );
  });

  it('leave out the limits on bodies and the engine', () => {
    same('maxChunkKB: 8\nmaxRequestKB: 5120\nmaxResponseKB: 5120', '', '"maxChunkKB" is left out');
    same(
      'client: {engine: {kind: netty4}}\nservers: [{port: 1, engine: {kind: netty3}}]',
      'client: {}\nservers: [{port: 1}]',
      'routers[0].servers[0].engine: old form "engine" is left out: there is one engine',
    );
  });

  it('read loggers and the requestAuthorizers of a router as those of the client', () => {
    for (const key of ['loggers', 'requestAuthorizers']) {
      const loaded = load(routerText(`${key}: [{kind: io.l5d.k8s.istio}]`));
      assert.match(loaded.warnings[0]?.message ?? '', /read as "client: \{requestAuthorizers: /);
      assert.ok('errors' in loaded);
      assert.deepEqual(
        loaded.errors.map((error) => `${error.code} ${error.path}`),
        ['not-supported routers[0].client.requestAuthorizers'],
      );
    }
  });

  it('read thriftProtocol of servers and clients as that of the router', () => {
    const text =
      'routers: [{protocol: thrift, servers: [{thriftProtocol: compact}], client: {thriftProtocol: X}}]';
    const loaded = load(text.replace('X', 'compact'));
    assert.equal(loaded.warnings.length, 2);
    assert.deepEqual('errors' in loaded && loaded.errors.map((error) => error.code), ['not-supported']);
    assert.match(errorsOf(text.replace('X', 'binary')).join(), /one for the router, and here it is another/);
  });

  it('leave out what the failure threshold of namerd has no more', () => {
    const threshold = 'failureThreshold: {threshold: 0.5, windowSize: 9, minPeriodMs: 1}';
    const loaded = load(routerText(`interpreter: {kind: io.l5d.namerd, dst: /$/inet/a/1, ${threshold}}`));
    assert.equal(loaded.warnings.length, 2);
    assert.deepEqual('errors' in loaded && loaded.errors.map((error) => error.code), ['not-supported']);
  });
});

describe('Old forms at the top level', () => {
  it('read options of routers as those of each router, which then had a server by default', () => {
    const old = good('dstPrefix: /x\nfailFast: false\nrouters: [{protocol: http, dstPrefix: /y}]');
    const [router] = old.spec.routers;
    assert.equal(router?.dstPrefix, '/y');
    assert.equal(router?.servers[0]?.port, 4140);
    assert.ok(old.warnings.some((warning) => warning.includes('"servers: [{}]"')));
    assert.ok(old.warnings.some((warning) => warning.includes('"failFast" at the top level')));
  });

  it('read tracers and debugTrace as telemetry', () => {
    const tracers = 'tracers: [{kind: io.l5d.zipkin, sampleRate: 0.5, debugTrace: true}]';
    const loaded = load(`${tracers}\ndebugTrace: false\n${routerText('')}`);
    assert.deepEqual(
      loaded.warnings.map((warning) => warning.path),
      ['tracers', 'tracers.debugTrace', 'debugTrace'],
    );
    assert.ok('spec' in loaded);
    assert.deepEqual(
      loaded.spec.telemetry.map(({ kind }) => kind),
      ['io.l5d.zipkin', 'io.l5d.tracelog'],
    );
  });

  it('read commonMetrics as the Prometheus telemeter, once', () => {
    const one = good(`telemetry: [{kind: io.l5d.commonMetrics}]\n${routerText('')}`);
    assert.deepEqual(one.spec.telemetry, [
      { kind: 'io.l5d.prometheus', path: '/admin/metrics/prometheus', prefix: '', maxSeries: 10_000 },
    ]);
    const both = good(
      `telemetry: [{kind: io.l5d.commonMetrics}, {kind: io.l5d.prometheus}]\n${routerText('')}`,
    );
    assert.equal(both.spec.telemetry.length, 1);
    assert.match(both.warnings.join(), /left out: metrics.json is always there/);
  });
});

describe('Old forms of namers', () => {
  it('read the experimental kinds without that word, and let names without /# resolve', () => {
    const { spec, warnings } = namers('- {kind: io.l5d.experimental.k8s}');
    assert.deepEqual(
      { ...spec.namers[0] },
      { kind: 'io.l5d.k8s', api: {}, prefix: '/io.l5d.k8s', transformers: [], legacyNames: true },
    );
    assert.equal(warnings.length, 2);
    for (const name of ['consul', 'marathon']) {
      const loaded = load(`namers: [{kind: io.l5d.experimental.${name}}]\n${routerText('')}`);
      assert.ok(loaded.warnings.some((warning) => warning.message.endsWith(`read as "io.l5d.${name}"`)));
    }
  });

  it('give the k8s namer the service account where it had its own keys for the API server', () => {
    const cluster = 'host: kubernetes.default.cluster.local, port: 443, tls: true, authTokenFile: /token';
    const { spec, warnings } = namers(`- {kind: io.l5d.experimental.k8s, ${cluster}}`);
    assert.match(JSON.stringify(spec.namers[0]), /"api":\{\}/);
    assert.equal(warnings.length, 6);
    const other = namers('- {kind: io.l5d.k8s, host: api, port: 8001, tlsWithoutValidation: true}');
    assert.match(JSON.stringify(other.spec.namers[0]), /"host":"api","port":8001/);
  });

  it('leave out keys that consul and dnssrv have no more', () => {
    const loaded = load(
      'namers:\n- {kind: io.l5d.dnssrv, domain: a.b, experimental: true}\n' +
        '- {kind: io.l5d.consul, maxHeadersKB: 8, ' +
        `maxInitialLineKB: 4, maxRequestKB: 5, maxResponseKB: 5}\n${routerText('')}`,
    );
    assert.deepEqual(
      loaded.warnings.map((warning) => warning.path),
      [
        'namers[0].domain',
        ...['HeadersKB', 'InitialLineKB', 'RequestKB', 'ResponseKB'].map((key) => `namers[1].max${key}`),
      ],
    );
    assert.deepEqual('errors' in loaded && [...new Set(loaded.errors.map((error) => error.code))], [
      'not-supported',
    ]);
  });

  it('accept experimental where it was once required', () => {
    assert.deepEqual(namers('- {kind: io.l5d.k8s, experimental: true}').warnings, []);
  });
});

describe('Old forms of TLS', () => {
  const NAMES =
    "names: [{prefix: '/#/a/{x}', commonNamePattern: '{x}.one'}, {prefix: '/#/a', commonNamePattern: two}]";
  const spellings = (name: string): string[] => [`io.l5d.clientTls.${name}`, `io.l5d.${name}`];

  it('read noValidation and static as their keys', () => {
    for (const kind of spellings('noValidation')) {
      same(`client: {tls: {kind: ${kind}}}`, 'client: {tls: {disableValidation: true}}', `"kind: ${kind}"`);
    }
    for (const kind of spellings('static')) {
      same(
        `client: {tls: {kind: ${kind}, commonName: a, caCertPath: ca.pem}}`,
        'client: {tls: {commonName: a, trustCerts: [ca.pem]}}',
        'read as "tls: {"commonName":"a","trustCerts":["ca.pem"]}"',
      );
    }
  });

  it('read boundPath as static configs in reversed order, and refuse clients that match none', () => {
    for (const kind of spellings('boundPath')) {
      same(
        `client: {tls: {kind: ${kind}, caCertPath: ca.pem, ${NAMES}}}`,
        'client: {kind: io.l5d.static, configs: [{prefix: /, tls: {refuse: true}}, ' +
          '{prefix: /#/a, tls: {commonName: two, trustCerts: [ca.pem]}}, ' +
          "{prefix: '/#/a/{x}', tls: {commonName: '{x}.one', trustCerts: [ca.pem]}}]}",
      );
    }
  });

  it('let other clients go without TLS when boundPath was not strict, and keep keys for all', () => {
    same(
      `client: {connectTimeoutMs: 5, tls: {kind: io.l5d.boundPath, strict: false, ${NAMES}}}`,
      'client: {kind: io.l5d.static, configs: [{prefix: /, connectTimeoutMs: 5}, ' +
        "{prefix: /#/a, tls: {commonName: two}}, {prefix: '/#/a/{x}', tls: {commonName: '{x}.one'}}]}",
    );
  });

  it('refuse a boundPath that is incomplete or has a key too many', () => {
    const kind = 'kind: io.l5d.boundPath';
    assert.match(routerErrors(`client: {tls: {${kind}}}`).join(), /"names" is required/);
    assert.match(
      routerErrors(`client: {tls: {${kind}, strict: maybe, ${NAMES}}}`).join(),
      /"strict" must be/,
    );
    assert.match(routerErrors(`client: {tls: {${kind}, nmaes: 1, ${NAMES}}}`).join(), /unknown key "nmaes"/);
    assert.match(
      routerErrors(`client: {tls: {${kind}, names: [{prefix: /a}]}}`).join(),
      /"commonNamePattern" is required/,
    );
  });

  it('read caCertPath as trustCerts, and drop the kind of a server', () => {
    same(
      'client: {tls: {commonName: a, caCertPath: ca.pem}}',
      'client: {tls: {commonName: a, trustCerts: [ca.pem]}}',
    );
    same(
      'servers: [{port: 1, tls: {kind: io.l5d.serverTls, certPath: a, keyPath: b}}]',
      'servers: [{port: 1, tls: {certPath: a, keyPath: b}}]',
    );
    assert.match(
      routerErrors('client: {tls: {commonName: a, caCertPath: b, trustCerts: [c]}}').join(),
      /"caCertPath" is the old form of "trustCerts"/,
    );
  });

  it('give prefixes without /# their /# where a namer with such names stands in the file', () => {
    const { spec } = good(
      'namers: [{kind: io.l5d.experimental.k8s, prefix: /ns}]\n' +
        routerText(
          'client: {tls: {kind: io.l5d.boundPath, names: ' +
            "[{prefix: '/ns/{x}', commonNamePattern: a}, {prefix: /nsx, commonNamePattern: b}]}}",
        ),
    );
    assert.deepEqual(
      spec.routers[0]?.client.map((entry) => entry.prefix),
      ['/', '/nsx', '/#/ns/{x}'],
    );
  });
});
