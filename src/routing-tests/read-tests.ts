/** The file of routing tests: checked as a whole, every mistake with the place that it stands at. */
import { parse } from 'yaml';
import { CannotRun } from '../command.ts';
import type { Expected, RoutingTest, RoutingTests } from './routing-test.ts';
import type { StubAnswer } from './stub-namer.ts';

const ADDRESS = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/;

type Fields = Readonly<Record<string, unknown>>;

class Wrong extends Error {}

/** Throws CannotRun. */
export function readTests(text: string, source: string): RoutingTests {
  let value: unknown;
  try {
    value = parse(text, { maxAliasCount: 0 });
  } catch (error) {
    throw new CannotRun(`${source}: ${(error as Error).message.trimEnd()}`);
  }
  try {
    return testsOf(value);
  } catch (error) {
    if (error instanceof Wrong) throw new CannotRun(`${source}: ${error.message}`);
    throw error;
  }
}

function testsOf(value: unknown): RoutingTests {
  const file = fields(value, 'the file', ['config', 'answers', 'tests']);
  const list = file['tests'];
  if (!Array.isArray(list) || list.length === 0) throw new Wrong('tests: expected a list of tests');
  const config = file['config'] === undefined ? undefined : string(file['config'], 'config');
  return {
    ...(config === undefined ? {} : { config }),
    ...(file['answers'] === undefined ? {} : { answers: answersOf(file['answers']) }),
    tests: list.map((each, i) => testOf(each, `tests[${i}]`)),
  };
}

function testOf(value: unknown, at: string): RoutingTest {
  const test = fields(value, at, ['name', 'request', 'method', 'headers', 'router', 'expect']);
  const asked = string(test['request'], `${at}.request`);
  const headers = Object.entries(anyFields(test['headers'] ?? {}, `${at}.headers`)).map(
    ([name, each]) => `${name}: ${string(each, `${at}.headers.${name}`)}`,
  );
  const router = test['router'] === undefined ? undefined : string(test['router'], `${at}.router`);
  return {
    name: test['name'] === undefined ? asked : string(test['name'], `${at}.name`),
    asked,
    method: test['method'] === undefined ? 'GET' : string(test['method'], `${at}.method`),
    headers,
    ...(router === undefined ? {} : { router }),
    expected: expectedOf(test['expect'], `${at}.expect`),
  };
}

function expectedOf(value: unknown, at: string): Expected {
  const expected = fields(value, at, ['bound', 'weights', 'error']);
  if (Object.keys(expected).length !== 1) throw new Wrong(`${at}: expected one of bound, weights, error`);
  const { bound, weights, error } = expected;
  if (bound !== undefined) return { type: 'shares', shares: new Map([[string(bound, `${at}.bound`), 1]]) };
  if (error !== undefined) return { type: 'error', code: string(error, `${at}.error`) };
  const entries = Object.entries(anyFields(weights, `${at}.weights`)).map(([id, weight]) => {
    if (typeof weight !== 'number' || !(weight >= 0))
      throw new Wrong(`${at}.weights: ${id}: expected a number`);
    return [id, weight] as const;
  });
  const whole = entries.reduce((sum, [, weight]) => sum + weight, 0);
  if (whole === 0) throw new Wrong(`${at}.weights: expected weights above 0`);
  return { type: 'shares', shares: new Map(entries.map(([id, weight]) => [id, weight / whole])) };
}

function answersOf(value: unknown): ReadonlyMap<string, StubAnswer> {
  const entries = Object.entries(anyFields(value, 'answers'));
  return new Map(entries.map(([name, answer]) => [name, answerOf(answer, `answers.${name}`)]));
}

function answerOf(value: unknown, at: string): StubAnswer {
  if (typeof value === 'string') {
    if (value === 'absent' || value === 'empty' || value === 'blocked' || value === 'pending')
      return { type: value };
    if (value.startsWith('failed:')) return { type: 'failed', message: value.slice('failed:'.length).trim() };
  }
  const addresses = (Array.isArray(value) ? value : [value]).map((each: unknown) => {
    const [, six, four, digits = ''] = (typeof each === 'string' ? ADDRESS.exec(each) : null) ?? [];
    const host = six ?? four;
    if (host === undefined || Number(digits) > 65_535) {
      throw new Wrong(
        `${at}: expected host:port, a list of them, absent, empty, blocked, pending or failed: WHY`,
      );
    }
    return { host, port: Number(digits) };
  });
  return { type: 'addresses', addresses };
}

function fields(value: unknown, at: string, known: readonly string[]): Fields {
  const found = anyFields(value, at);
  const unknown = Object.keys(found).find((key) => !known.includes(key));
  if (unknown !== undefined) throw new Wrong(`${at}: unknown key ${unknown}; known: ${known.join(', ')}`);
  return found;
}

function anyFields(value: unknown, at: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Wrong(`${at}: expected keys`);
  return value as Fields;
}

function string(value: unknown, at: string): string {
  if (typeof value === 'string') return value;
  throw new Wrong(`${at}: expected a text${value === undefined ? '' : `, not ${JSON.stringify(value)}`}`);
}
