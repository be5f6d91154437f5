/** Every query of the dashboard and of the alert rules, held against what a process really shows. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { CertificateAuthority } from '../../src/certs.ts';
import { freePorts, startProgram } from '../cli/program.ts';
import { KubeApiServer } from '../support/kube-api/kube-api.ts';
import { type Exposition, parseExposition } from '../telemetry/exposition-parser.ts';
import { readQuery } from '../telemetry/promql.ts';
import { named, startApplication } from './mesh.ts';

const read = (name: string) => readFileSync(new URL(`../../k8s/monitoring/${name}`, import.meta.url), 'utf8');

type Panel = { readonly title: string; readonly targets?: readonly { expr: string; legendFormat: string }[] };
type Dashboard = {
  readonly panels: readonly Panel[];
  readonly templating: { readonly list: readonly { name: string; type: string; query: string }[] };
};
type Rule = { readonly alert: string; readonly expr: string; readonly annotations: Record<string, string> };

const dashboard = JSON.parse(read('dashboard.json')) as Dashboard;
const { groups } = parse(read('alerts.yaml')) as { groups: readonly { rules: readonly Rule[] }[] };
const rules = groups.flatMap((group) => group.rules);

/** What the scraper adds, and what `count_values` makes. */
const ADDED = ['instance', 'job', 'checksum'];

describe('the dashboard and the alert rules', () => {
  const open: (() => Promise<unknown>)[] = [];
  let shown: Exposition;

  before(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'turnout-monitoring-'));
    open.push(async () => rmSync(folder, { recursive: true }));
    const api = await KubeApiServer.start();
    open.push(() => api.close());
    const application = await startApplication(named('web'));
    open.push(() => application.close());
    api.put('endpointslices', {
      metadata: { name: 'web', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
      addressType: 'IPv4',
      ports: [{ name: 'http', port: application.port, protocol: 'TCP' }],
      endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }],
    });
    const authority = await CertificateAuthority.create({ commonName: 'test authority' });
    const leaf = await authority.issue({ commonName: 'web', dnsNames: ['web'] });
    const write = (name: string, text: string) => {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const [port = 0, admin = 0, nobody = 0] = await freePorts(3);
    const config = {
      admin: { port: admin, shutdownGraceMs: 2000 },
      telemetry: [{ kind: 'io.l5d.prometheus' }],
      namers: [{ kind: 'io.l5d.k8s', host: '127.0.0.1', port: api.port }],
      routers: [
        {
          protocol: 'http',
          dtab: `/svc => /#/io.l5d.k8s/default/http; /svc/dead => /$/inet/127.0.0.1/${nobody}`,
          servers: [
            {
              port,
              tls: { certPath: write('cert.pem', leaf.certPem), keyPath: write('key.pem', leaf.keyPem) },
            },
          ],
        },
      ],
    };
    const program = startProgram(['run', write('linkerd.json', JSON.stringify(config)), '--threads', '1']);
    open.push(async () => {
      program.child.kill('SIGTERM');
      await program.ended();
    });
    await program.says('is running');
    const ask = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        const options = {
          host: '127.0.0.1',
          port,
          ca: authority.certPem,
          servername: 'web',
          headers: { host },
        };
        request(options, (response) => {
          response.resume().on('end', () => resolve(response.statusCode));
        })
          .on('error', reject)
          .end();
      });
    assert.equal(await ask('web'), 200);
    assert.equal(await ask('dead'), 502);
    const text = await (await fetch(`http://127.0.0.1:${admin}/admin/metrics/prometheus`)).text();
    shown = parseExposition(text);
  });
  after(async () => {
    for (const close of open.reverse()) await close();
  });

  /** Every metric that is asked for is there, with the labels that are matched, grouped by and shown. */
  function check(expression: string, more: readonly string[] = []): void {
    const query = readQuery(expression);
    const labelled = new Set<string>(ADDED);
    for (const { metric, labels } of query.selectors) {
      const series = shown.samples.filter(
        (sample) =>
          sample.name === metric &&
          labels.every(({ name, value }) =>
            value === undefined ? sample.labels.has(name) : sample.labels.get(name) === value,
          ),
      );
      assert.ok(series.length > 0, `nothing is shown for ${metric} ${JSON.stringify(labels)}`);
      for (const name of series.flatMap((sample) => [...sample.labels.keys()])) labelled.add(name);
    }
    for (const name of [...query.grouping, ...more])
      assert.ok(labelled.has(name), `no series has the label ${name}`);
  }

  const labelsIn = (text: string): string[] =>
    [...text.matchAll(/\{\{\s*(?:\$labels\.)?(\w+)\s*\}\}/g)].map((match) => match[1] ?? '');

  for (const { alert, expr, annotations } of rules) {
    it(`ask for what there is: ${alert}`, () => {
      const texts = Object.values(annotations).join(' ');
      check(expr, labelsIn(texts.replace(/\{\{ \$value[^}]*\}\}/g, '')));
    });
  }

  for (const { title, targets = [] } of dashboard.panels) {
    for (const { expr, legendFormat } of targets) {
      it(`ask for what there is: panel ${title}, ${legendFormat}`, () => {
        check(expr.replaceAll('$__rate_interval', '1m'), labelsIn(legendFormat));
      });
    }
  }

  it('offer routers and services to choose from', () => {
    const queries = dashboard.templating.list.filter(({ type }) => type === 'query');
    assert.deepEqual(
      queries.map(({ name }) => name),
      ['rt', 'service'],
    );
    for (const { name, query } of queries) {
      const asked = /^label_values\((.*), (\w+)\)$/.exec(query);
      assert.equal(asked?.[2], name);
      check(asked?.[1] ?? '', [name]);
    }
  });

  it('warn of each thing that an operator has to do something about', () => {
    const metrics = rules.flatMap(({ expr }) => readQuery(expr).selectors.map(({ metric }) => metric));
    for (const metric of [
      'rt:service:success',
      'k8s:stale_ms',
      'tls:cert_expiry_seconds',
      'process_max_fds',
      'config_checksum',
    ])
      assert.ok(metrics.includes(metric), metric);
  });

  it('is no proof unless a name that is not there is noticed', () => {
    assert.throws(() => check('sum(rate(rt:service:nonsense[5m]))'), /nothing is shown for/);
    assert.throws(() => check('sum by (nonsense) (rt:service:requests)'), /no series has the label/);
    assert.throws(() => check('summ(rt:service:requests)'), /no function/);
    assert.throws(() => check('sum(rt:service:requests'), /bracket/);
  });
});
