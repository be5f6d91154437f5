import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type LogFields, silentLog } from '../src/base/log.ts';
import { MetricsTree } from '../src/telemetry/metrics-tree.ts';
import { CertificateExpiry } from '../src/tls-expiry.ts';
import { HandClock } from './support/hand-clock.ts';

const DAY_MS = 86_400_000;

function rig(days: number) {
  const clock = new HandClock();
  const metrics = new MetricsTree(clock);
  const lines: { level: string; fields: LogFields }[] = [];
  const line =
    (level: string) =>
    (_message: string, fields: LogFields = {}) =>
      void lines.push({ level, fields });
  const log = { ...silentLog, warn: line('warn'), error: line('error') };
  const expiry = new CertificateExpiry({ clock, log, metrics });
  const certificate = (more: number) => ({
    key: 'certPath',
    path: '/c.pem',
    expiresMs: clock.wallMs() + more * DAY_MS,
    subject: 'CN=web',
  });
  expiry.set('admin.tls', [certificate(days)]);
  expiry.start();
  const seconds = (): number | undefined => {
    const metric = metrics.find(['tls', 'cert_expiry_seconds', '/c.pem'])?.metric;
    return metric?.type === 'gauge' ? metric.value : undefined;
  };
  return { clock, metrics, lines, expiry, seconds, certificate };
}

describe('CertificateExpiry', () => {
  it('shows the seconds that are left, and those of the certificate that takes its place', () => {
    const { clock, seconds, expiry, certificate } = rig(30);
    assert.equal(seconds(), 30 * 86_400);
    clock.advance(DAY_MS);
    assert.equal(seconds(), 29 * 86_400);
    expiry.set('admin.tls', [certificate(90)]);
    assert.equal(seconds(), 90 * 86_400);
    expiry.close();
    assert.equal(seconds(), undefined);
  });

  it('warns at a start and then once a day in the last seven days, and says when it is over', () => {
    const { clock, lines, expiry } = rig(8.5);
    assert.equal(lines.length, 0);
    clock.advance(2 * DAY_MS);
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, fields['section'], fields['file'], fields['days']]),
      [['warn', 'admin.tls', '/c.pem', 6]],
    );
    clock.advance(DAY_MS / 2);
    assert.equal(lines.length, 1);
    clock.advance(6 * DAY_MS + DAY_MS / 4);
    assert.equal(lines.length, 8);
    assert.equal(lines.at(-1)?.level, 'error');
    expiry.close();
  });
});
