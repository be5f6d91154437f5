/** `telemetry[]`. */
import {
  bool,
  checked,
  type Decoder,
  decimal,
  ignored,
  int,
  kinds,
  map,
  nonEmpty,
  ofKind,
  port,
  required,
  string,
  withDefault,
} from './decode.ts';
import { quote } from './errors.ts';
import { requireExperimental } from './not-built.ts';
import type { TelemeterSpec } from './spec.ts';

const urlPath: Decoder<string> = checked(string, (text) =>
  text.startsWith('/') ? undefined : `${quote(text)} does not begin with "/"`,
);

const httpUrl: Decoder<string> = checked(nonEmpty, (text) =>
  /^https?:\/\/[^/?#\s]+(\/[^?#\s]*)?$/.test(text) && URL.canParse(text)
    ? undefined
    : `expected a URL such as http://collector:4318, got ${quote(text)}`,
);

const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL', 'FATAL', 'OFF', 'ALL'] as const;
const logLevel = map(
  checked(string, (text) =>
    LEVELS.some((level) => level === text.toUpperCase()) ? undefined : `Illegal log level: ${text}`,
  ),
  (text) => text.toUpperCase(),
);

const common = { experimental: ignored(bool) };
const CAPACITY_MAX = 10_000;

export const telemeter: Decoder<TelemeterSpec> = kinds<TelemeterSpec>('telemeter', {
  'io.l5d.prometheus': map(
    ofKind({
      ...common,
      path: withDefault(urlPath, '/admin/metrics/prometheus'),
      prefix: withDefault(string, ''),
      maxSeries: withDefault(int(1), 10_000),
    }),
    (keys) => ({ kind: 'io.l5d.prometheus', ...keys }),
  ),
  'io.l5d.tracelog': map(
    ofKind({
      ...common,
      sampleRate: withDefault(decimal(-1e9, 1e9), 1),
      level: withDefault(logLevel, 'INFO'),
    }),
    ({ sampleRate, level }) => ({
      kind: 'io.l5d.tracelog',
      sampleRate: Math.min(1, Math.max(0, sampleRate)),
      level,
    }),
  ),
  'io.l5d.recentRequests': map(
    ofKind({
      ...common,
      sampleRate: required(decimal(0, 1), 'sampleRate must be between 0.0 and 1.0'),
      capacity: withDefault(int(1, CAPACITY_MAX), 10),
    }),
    ({ sampleRate, capacity }) => ({ kind: 'io.l5d.recentRequests', sampleRate, capacity }),
  ),
  'io.l5d.zipkin': map(
    ofKind({
      ...common,
      host: withDefault(nonEmpty, 'localhost'),
      port: withDefault(port, 9410),
      sampleRate: withDefault(decimal(0, 1), 0.001),
    }),
    (keys) => ({ kind: 'io.l5d.zipkin', host: keys.host, port: keys.port, sampleRate: keys.sampleRate }),
  ),
  'io.turnout.otlp': map(
    ofKind({
      ...common,
      endpoint: withDefault(httpUrl, 'http://localhost:4318'),
      sampleRate: withDefault(decimal(0, 1), 0.001),
    }),
    ({ endpoint, sampleRate }) => ({ kind: 'io.turnout.otlp', endpoint, sampleRate }),
  ),
  'io.l5d.influxdb': map(ofKind(common), () => ({ kind: 'io.l5d.influxdb' })),
  'io.l5d.statsd': map(
    ofKind(
      {
        ...common,
        prefix: withDefault(string, 'linkerd'),
        hostname: withDefault(nonEmpty, '127.0.0.1'),
        port: withDefault(port, 8125),
        gaugeIntervalMs: withDefault(int(1), 10_000),
        sampleRate: withDefault(decimal(0, 1), 0.01),
      },
      (value, _keys, at, context) => requireExperimental('"io.l5d.statsd"', 'telemeter', value, at, context),
    ),
    (keys) => ({ kind: 'io.l5d.statsd', ...keys }),
  ),
});
