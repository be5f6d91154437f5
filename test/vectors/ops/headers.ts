/** The ops of headers.json, each on the function that the data path uses. */
import type { ForwardedLabelSpec } from '../../../config/spec.ts';
import { readDtab } from '../../../dtab/parse.ts';
import { showDtab } from '../../../dtab/show.ts';
import { Field, Fields } from '../../../routers/fields.ts';
import type { RequestHead } from '../../../routers/head.ts';
import { rewriteAbsoluteForm, splitAbsoluteForm } from '../../../routers/headers/absolute-form.ts';
import { clearRequestContext, clearResponseContext } from '../../../routers/headers/clear-context.ts';
import { type Deadline, takeDeadline } from '../../../routers/headers/deadline.ts';
import { dstClientBlock, dstServiceBlock } from '../../../routers/headers/dst.ts';
import { ForwardedLine, forwardedValue } from '../../../routers/headers/forwarded.ts';
import { stripHopByHop } from '../../../routers/headers/hop-by-hop.ts';
import { authorityHost, restoreHost } from '../../../routers/headers/host-rewrite.ts';
import { appendLocalDtab, LocalDtabs } from '../../../routers/headers/local-dtab.ts';
import { takeSampleRate } from '../../../routers/headers/sample.ts';
import { checkCallDepth, viaValue } from '../../../routers/headers/via.ts';
import { declaredLength } from '../../../routers/http1/framing.ts';
import {
  errorResponse,
  failureResponse,
  type GeneratedResponse,
} from '../../../routers/respond/error-response.ts';
import { Failure } from '../../../src/base/failure.ts';
import { mathRng } from '../../../src/base/rng.ts';

type Pairs = [string, string][];
type DeadlineText = { timestampNs: string; deadlineNs: string };

const limits = { headerChars: 8192, bodyChars: 5_242_880 };

const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1');
const text = (raw: string): string => Buffer.from(raw, 'latin1').toString('utf8');
const fieldsOf = (pairs: Pairs): Fields =>
  Fields.of(pairs.map(([name, value]) => [bytes(name), bytes(value)]));
const pairsOf = (fields: Fields): Pairs => fields.pairs().map(([name, value]) => [text(name), text(value)]);

function fieldOf(response: GeneratedResponse, name: string): string | undefined {
  return response.fields.find(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

/** What an error says after the original's text: decision 11. */
function withoutAdditions(body: string): string {
  return body.replace(/\n\ncode: [\s\S]*$/, '');
}

function refusal(failure: Failure): object {
  const response = failureResponse(failure, limits);
  const present = fieldOf(response, 'l5d-err') === undefined ? null : 'l5d-err';
  return { error: true, status: response.status, responseHeaderPresent: present };
}

function incomingDtab(vector: { requestHeaders: Pairs; localDtab?: string }): object {
  const fields = fieldsOf(vector.requestHeaders);
  const local = new LocalDtabs().take(fields);
  if (local instanceof Failure) return refusal(local);
  const localDtab = showDtab([...readDtab(vector.localDtab ?? ''), ...local.dtab]);
  return { localDtab, remainingHeaders: pairsOf(fields) };
}

function outgoingDtab(vector: { localDtab: string }): object {
  const fields = Fields.of([['l5d-dtab', vector.localDtab]]);
  const local = new LocalDtabs().take(fields);
  if (local instanceof Failure) throw new Error(local.message);
  const line = appendLocalDtab('', local.show);
  return { header: 'l5d-ctx-dtab', value: line === '' ? null : line.slice('l5d-ctx-dtab: '.length, -2) };
}

function sample(vector: { value: string | null }): object {
  return {
    rate: takeSampleRate(fieldsOf(vector.value === null ? [] : [['l5d-sample', vector.value]])) ?? null,
  };
}

function incomingDeadline(vector: { values: string[]; current?: DeadlineText }): object {
  const current: Deadline | undefined = vector.current && {
    timestampNs: BigInt(vector.current.timestampNs),
    deadlineNs: BigInt(vector.current.deadlineNs),
  };
  const fields = fieldsOf(vector.values.map((value) => ['l5d-ctx-deadline', value]));
  const deadline = takeDeadline(fields, current);
  if (deadline === undefined) return { deadline: null };
  const { timestampNs, deadlineNs } = deadline;
  return { deadline: { timestampNs: `${timestampNs}`, deadlineNs: `${deadlineNs}` } };
}

function outgoingDst(vector: { serviceName: string; clientName: string; residual: string | null }): object {
  const lines =
    dstServiceBlock(vector.serviceName) + dstClientBlock(vector.clientName, vector.residual || '/');
  const headers = lines.split('\r\n').filter((line) => line !== '');
  return { headers: Object.fromEntries(headers.map((line) => line.split(': '))) };
}

function strip(vector: { headers: Pairs }): object {
  const fields = fieldsOf(vector.headers);
  stripHopByHop(fields);
  return { headers: pairsOf(fields) };
}

function via(vector: { headers: Pairs; version: string }): object {
  const before = fieldsOf(vector.headers).first(Field.via);
  return { via: viaValue(before, vector.version === '1.0' ? 0 : 1, 'linkerd') };
}

function callDepth(vector: { via: string | null; maxCallDepth: number }): object {
  const failure = checkCallDepth(
    fieldsOf(vector.via === null ? [] : [['Via', vector.via]]),
    vector.maxCallDepth,
  );
  if (failure === undefined) return { allowed: true };
  const { status, body } = failureResponse(failure, limits);
  return { allowed: false, status, body: withoutAdditions(body) };
}

function error(vector: {
  message: string;
  maxHeaderSize?: number;
  maxErrResponseSize?: number;
  expect: { headers?: Record<string, string> };
}): object {
  const response = errorResponse(502, vector.message, {
    headerChars: vector.maxHeaderSize ?? limits.headerChars,
    bodyChars: vector.maxErrResponseSize ?? limits.bodyChars,
  });
  const names = Object.keys(vector.expect.headers ?? {});
  return {
    headers: Object.fromEntries(names.map((name) => [name, fieldOf(response, name) ?? null])),
    body: response.body,
  };
}

const FAILURES: Record<string, Failure> = {
  unidentified: new Failure('unidentified', 'm', true),
  'identifier-error': new Failure('unidentified', 'm', true),
  'no-brokers': new Failure('no-endpoints', 'm', true),
  'connection-failed': new Failure('connect', 'm', true),
  'retryable-write': new Failure('upstream-closed', 'm', true),
  'request-attempt-timeout': new Failure('attempt-timeout', 'm'),
  'total-timeout': new Failure('total-timeout', 'm'),
  'framing-response': new Failure('bad-response', 'm'),
  'max-call-depth': new Failure('call-depth', 'm', true),
  'max-depth': new Failure('naming', 'm'),
};

function errorStatus(vector: { failure: string }): object {
  const failure = FAILURES[vector.failure];
  if (failure === undefined) throw new Error(`unknown failure ${vector.failure}`);
  const response = failureResponse(failure, limits);
  return {
    status: response.status,
    'l5d-err': fieldOf(response, 'l5d-err') !== undefined,
    'l5d-retryable': fieldOf(response, 'l5d-retryable') ?? null,
  };
}

function clearContext(vector: { side: string; headers: Pairs; body?: string }): object {
  const fields = fieldsOf(vector.headers);
  if (vector.side === 'request') {
    clearRequestContext(fields);
    return { headers: pairsOf(fields), body: vector.body ?? '' };
  }
  const emptied = clearResponseContext(fields);
  return { headers: pairsOf(fields), body: emptied ? '' : (vector.body ?? '') };
}

function addForwarded(vector: {
  by: string;
  for: string;
  uri: string;
  host?: string | null;
  forwarded?: string[];
}): object {
  const scheme = splitAbsoluteForm(vector.uri)?.scheme;
  const line = forwardedValue(vector.by, vector.for, vector.host ?? undefined, scheme);
  return { forwarded: [...(vector.forwarded ?? []), line] };
}

function forwardedLabelOf(vector: {
  labeler: ForwardedLabelSpec & { routerLabel?: string };
  address: { ip: string; port: number };
  expect: { labelPattern?: string };
}): object {
  const { labeler, address } = vector;
  const spec = { by: labeler, for: { kind: 'static', label: 'x' } } as const;
  const line = new ForwardedLine(spec, address, address, labeler.routerLabel ?? '', mathRng);
  const label = line.value(undefined, undefined).slice('by='.length, -';for=_x'.length);
  const pattern = vector.expect.labelPattern;
  return { label, labelPattern: pattern !== undefined && new RegExp(pattern).test(label) ? pattern : null };
}

function absoluteUri(vector: { uri: string; host: string | null }): object {
  const head: RequestHead = {
    method: 'GET',
    target: bytes(vector.uri),
    minor: 1,
    fields: fieldsOf(vector.host === null ? [] : [['Host', vector.host]]),
  };
  const answer = rewriteAbsoluteForm(head);
  if (answer instanceof Failure) throw new Error(answer.message);
  // A request line cannot do without a path: the data path puts a slash before a rest that has none.
  const uri = splitAbsoluteForm(vector.uri)?.rest ?? text(head.target);
  return { uri, host: head.fields.first(Field.host) ?? null };
}

function authorityRewrite(vector: {
  authority: string | null;
  host: string | null;
  responseHeaders: Pairs;
}): object {
  const fields = fieldsOf(vector.responseHeaders);
  const authority = authorityHost(vector.authority ?? undefined);
  if (authority !== undefined) restoreHost(fields, authority, vector.host ?? undefined);
  return { host: authority ?? vector.host, responseHeaders: pairsOf(fields) };
}

function framing(vector: { headers: Pairs }): object {
  const fields = fieldsOf(vector.headers);
  const length = declaredLength(fields, 1);
  if (length !== undefined && typeof length !== 'number') throw new Error(JSON.stringify(length));
  return { headers: pairsOf(fields) };
}

export const ops = {
  'incoming-dtab': incomingDtab,
  'outgoing-dtab': outgoingDtab,
  sample,
  'incoming-deadline': incomingDeadline,
  'outgoing-dst': outgoingDst,
  'strip-hop-by-hop': strip,
  'append-via': via,
  'max-call-depth': callDepth,
  'error-response': error,
  'error-status': errorStatus,
  'clear-context': clearContext,
  'add-forwarded': addForwarded,
  'forwarded-label': forwardedLabelOf,
  'absolute-uri': absoluteUri,
  'authority-rewrite': authorityRewrite,
  framing,
};
