/**
 * Spans on the wire. Zipkin: JSON of its API version 2 (`POST /api/v2/spans`). OTLP: the JSON encoding of
 * OpenTelemetry's protocol 1 over HTTP (`POST /v1/traces`): ids are hexadecimal, 64-bit numbers are texts.
 */
import type { Span } from './spans.ts';

const SERVICE = 'turnout';

export function zipkinBody(spans: readonly Span[]): string {
  return JSON.stringify(
    spans.map(({ traceId, id, parentId, kind, name, startUs, durationUs, remote, tags, failed }) => ({
      traceId,
      id,
      ...(parentId === undefined ? {} : { parentId }),
      kind,
      name,
      timestamp: startUs,
      // Zipkin takes 0 for "unknown".
      duration: Math.max(1, durationUs),
      localEndpoint: { serviceName: SERVICE },
      ...(remote === undefined ? {} : { remoteEndpoint: zipkinEndpoint(remote) }),
      tags: failed ? { ...tags, error: 'true' } : tags,
    })),
  );
}

function zipkinEndpoint({ ip, port }: NonNullable<Span['remote']>): object {
  return ip.includes(':') ? { ipv6: ip, port } : { ipv4: ip, port };
}

const OTLP_KIND = { SERVER: 2, CLIENT: 3 } as const;
const OTLP_ERROR = 2;

/** `version` is that of the program. */
export function otlpBody(spans: readonly Span[], version: string): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: attributes({ 'service.name': SERVICE, 'service.version': version }) },
        scopeSpans: [{ scope: { name: SERVICE, version }, spans: spans.map(otlpSpan) }],
      },
    ],
  });
}

function otlpSpan({
  traceId,
  id,
  parentId,
  kind,
  name,
  startUs,
  durationUs,
  remote,
  tags,
  failed,
}: Span): object {
  const peer: Record<string, string> =
    remote === undefined
      ? {}
      : { 'network.peer.address': remote.ip, 'network.peer.port': String(remote.port) };
  return {
    traceId: traceId.padStart(32, '0'),
    spanId: id,
    ...(parentId === undefined ? {} : { parentSpanId: parentId }),
    name,
    kind: OTLP_KIND[kind],
    startTimeUnixNano: `${startUs}000`,
    endTimeUnixNano: `${startUs + durationUs}000`,
    attributes: attributes({ ...tags, ...peer }),
    status: failed ? { code: OTLP_ERROR } : {},
  };
}

function attributes(tags: Readonly<Record<string, string>>): object[] {
  return Object.entries(tags).map(([key, stringValue]) => ({ key, value: { stringValue } }));
}
