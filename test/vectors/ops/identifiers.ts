/**
 * The op of identifiers.json: the identifiers of a router, with the defaults that the configuration fills in.
 */
import type { IdentifierSpec } from '../../../config/spec.ts';
import type { Path } from '../../../dtab/path.ts';
import { Fields } from '../../../routers/fields.ts';
import type { RequestHead } from '../../../routers/head.ts';
import { makeH2Identifier } from '../../../routers/identify/h2.ts';
import { Unidentified } from '../../../routers/identify/identifier.ts';
import { makeIdentifiers } from '../../../routers/identify/index.ts';
import { parsePath } from '../../../routers/identify/parse-path.ts';
import { Failure } from '../../../src/base/failure.ts';

type Config = {
  kind: string;
  header?: string;
  segments?: number;
  consume?: boolean;
  httpUriInDst?: boolean;
  path?: string;
};

type Vector = {
  protocol: 'http' | 'h2';
  dstPrefix: string;
  identifier?: Config | Config[];
  request: { version?: string; method?: string; uri?: string; headers: [string, string][] };
};

/** Vectors have characters; heads have one character a byte. */
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');

function path(text: string): Path {
  const parsed = parsePath(bytes(text), 'vector');
  if (typeof parsed === 'string') throw new Error(parsed);
  return parsed;
}

function httpSpec(config: Config): IdentifierSpec {
  switch (config.kind) {
    case 'io.l5d.header.token':
      return { kind: config.kind, header: config.header ?? 'Host' };
    case 'io.l5d.header':
      return { kind: config.kind, header: config.header ?? 'l5d-name' };
    case 'io.l5d.methodAndHost':
      return { kind: config.kind, httpUriInDst: config.httpUriInDst ?? false };
    case 'io.l5d.path':
      return { kind: config.kind, segments: config.segments ?? 1, consume: config.consume ?? false };
    case 'io.l5d.static':
      return { kind: config.kind, path: path(config.path ?? '').show };
    default:
      throw new Error(`unknown identifier ${config.kind}`);
  }
}

function identifyHttp(vector: Vector, configs: Config[], head: RequestHead): string | Unidentified | Failure {
  const specs = configs.length === 0 ? [httpSpec({ kind: 'io.l5d.header.token' })] : configs.map(httpSpec);
  return makeIdentifiers(specs, path(vector.dstPrefix).show).identify(head);
}

function identifyH2(vector: Vector, configs: Config[], head: RequestHead): string | Unidentified | Failure {
  let answer: string | Unidentified | Failure = new Unidentified('no identifier');
  for (const config of configs.length === 0 ? [{ kind: 'io.l5d.header.token' } as Config] : configs) {
    const prefix = path(vector.dstPrefix);
    if (config.kind === 'io.l5d.header.token') {
      answer = makeH2Identifier(
        { kind: config.kind, header: config.header ?? ':authority' },
        prefix,
      ).identify(head);
    } else if (config.kind === 'io.l5d.header.path') {
      const { segments } = config;
      answer = makeH2Identifier(
        {
          kind: config.kind,
          header: config.header ?? ':path',
          ...(segments === undefined ? {} : { segments }),
        },
        prefix,
      ).identify(head);
    } else {
      throw new Error(`unknown identifier ${config.kind}`);
    }
    if (!(answer instanceof Unidentified)) return answer;
  }
  return answer;
}

function identify(vector: Vector): unknown {
  const { request } = vector;
  const head: RequestHead = {
    method: request.method ?? 'GET',
    target: bytes(request.uri ?? '/'),
    minor: request.version === '1.0' ? 0 : 1,
    fields: Fields.of(request.headers.map(([name, value]) => [bytes(name), bytes(value)] as const)),
  };
  const configs = [vector.identifier ?? []].flat();
  let answer: string | Unidentified | Failure;
  try {
    answer = (vector.protocol === 'h2' ? identifyH2 : identifyHttp)(vector, configs, head);
  } catch {
    return { result: 'error' };
  }
  if (answer instanceof Unidentified) return { result: 'unidentified' };
  if (answer instanceof Failure) return { result: 'error' };
  const uri = Buffer.from(head.target, 'latin1').toString('utf8');
  return { result: 'identified', name: answer, ...(vector.protocol === 'http' ? { uri } : {}) };
}

export const ops = { identify };
