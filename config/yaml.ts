/**
 * Text to values with positions. JSON when the first character is `{`, else YAML 1.2 (core schema: `yes`,
 * `no`, `on`, `off` are text, `010` is ten; no `<<` merge, no tags but the core ones). Duplicate keys at any
 * depth are errors. Limits: 4 MB of text, 64 levels, and a number of nodes that counts what aliases repeat,
 * so that aliases cannot blow a small text up.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  parseDocument,
  Scalar,
  type YAMLError,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml';
import { type Diagnostics, quote } from './errors.ts';
import { DEPTH_MAX, parseJson } from './json.ts';
import type { Entry, Value } from './value.ts';

const TEXT_LENGTH_MAX = 4 * 1024 * 1024;
const NODES_MAX = 500_000;
const SYNTAX_ERRORS_MAX = 10;
const TOO_DEEP = `nested deeper than ${DEPTH_MAX} levels`;
/**
 * What the lexer inserts that is no part of the text; the last of them says that a scalar's content follows.
 */
const SCALAR_FOLLOWS = '\u001f';
const MARKERS = new Set(['\u0002', '\u0018', SCALAR_FOLLOWS]);

/**
 * The value of the text, or undefined after syntax errors were reported. A duplicate key is reported too, but
 * the rest can still be checked: the first of the values counts.
 */
export function parseText(diagnostics: Diagnostics): Value | undefined {
  const { text } = diagnostics;
  if (text.length > TEXT_LENGTH_MAX) {
    diagnostics.error('syntax', 0, '', `the text is longer than ${TEXT_LENGTH_MAX / 1024 / 1024} MB`);
    return undefined;
  }
  if (text.trim() === '') {
    diagnostics.error('syntax', 0, '', 'the configuration is empty');
    return undefined;
  }
  return text.trimStart().startsWith('{') ? parseJson(diagnostics) : parseYaml(diagnostics);
}

function parseYaml(diagnostics: Diagnostics): Value | undefined {
  const deep = tooDeepAt(diagnostics.text);
  if (deep !== undefined) {
    diagnostics.error('syntax', deep, '', TOO_DEEP);
    return undefined;
  }
  const document = parseDocument(diagnostics.text, {
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    uniqueKeys: false,
    prettyErrors: false,
  });
  const problems = [...document.errors, ...document.warnings];
  // The library gives up on block nesting that exhausts the stack and then reports each level.
  const exhausted = problems.find((problem) => problem.code === 'RESOURCE_EXHAUSTION');
  if (exhausted !== undefined) diagnostics.error('syntax', exhausted.pos[0], '', TOO_DEEP);
  else for (const problem of problems.slice(0, SYNTAX_ERRORS_MAX)) report(problem, diagnostics);
  if (diagnostics.failed) return undefined;
  const value = new YamlReader(document, diagnostics).read();
  return diagnostics.has('syntax') ? undefined : value;
}

function report(problem: YAMLError, diagnostics: Diagnostics): void {
  const several = 'a configuration is one YAML document, and here begins another';
  const message = problem.code === 'MULTIPLE_DOCS' ? several : (problem.message.split('\n')[0] ?? '');
  diagnostics.error('syntax', problem.pos[0], '', message);
}

/** Where flow collections nest deeper than the limit, found before the costly part of parsing. */
function tooDeepAt(text: string): number | undefined {
  let depth = 0;
  let at = 0;
  let content = false;
  for (const lexeme of new Lexer().lex(text)) {
    if (!content && (lexeme === '[' || lexeme === '{')) depth += 1;
    if (!content && (lexeme === ']' || lexeme === '}')) depth -= 1;
    if (depth > DEPTH_MAX) return at;
    content = lexeme === SCALAR_FOLLOWS;
    if (!MARKERS.has(lexeme)) at += lexeme.length;
  }
  return undefined;
}

/** What an alias repeats; `value` is absent while the anchored node is being read. */
type Anchored = { value?: Value; nodes: number; levels: number };

class YamlReader {
  readonly #document: Document.Parsed;
  readonly #diagnostics: Diagnostics;
  /** Anchored nodes are read once and shared by their aliases. The latest anchor of a name counts. */
  readonly #anchors = new Map<string, Anchored>();
  #nodes = 0;
  #deepest = 0;
  #limitReached = false;

  constructor(document: Document.Parsed, diagnostics: Diagnostics) {
    this.#document = document;
    this.#diagnostics = diagnostics;
  }

  read(): Value {
    return this.#node(this.#document.contents, 0, '', 0);
  }

  #node(node: unknown, otherwiseAt: number, path: string, depth: number): Value {
    const at = startOf(node, otherwiseAt);
    this.#deepest = Math.max(this.#deepest, depth);
    this.#nodes += 1;
    if (isAlias(node)) return this.#alias(node.source, at, path, depth);
    if (this.#beyondLimits(at, path)) return { type: 'null', at };
    if (!isScalar(node) && !isSeq(node) && !isMap(node)) return { type: 'null', at };
    if (node.anchor === undefined) return this.#read(node, at, path, depth);
    const anchored: Anchored = { nodes: 0, levels: 0 };
    this.#anchors.set(node.anchor, anchored);
    const nodesBefore = this.#nodes;
    const deepestBefore = this.#deepest;
    this.#deepest = depth;
    const value = this.#read(node, at, path, depth);
    anchored.value = value;
    anchored.nodes = this.#nodes - nodesBefore + 1;
    anchored.levels = this.#deepest - depth;
    this.#deepest = Math.max(deepestBefore, this.#deepest);
    return value;
  }

  #read(node: Scalar | YAMLSeq | YAMLMap, at: number, path: string, depth: number): Value {
    if (isScalar(node)) return this.#scalar(node, at);
    if (isMap(node)) return this.#map(node.items, at, path, depth);
    const items: Value[] = [];
    for (const [i, item] of node.items.entries()) {
      if (this.#limitReached) break;
      items.push(this.#node(item, at, `${path}[${i}]`, depth + 1));
    }
    return { type: 'list', at, items };
  }

  #map(pairs: readonly { key: unknown; value: unknown }[], at: number, path: string, depth: number): Value {
    const entries: Entry[] = [];
    const seen = new Set<string>();
    for (const pair of pairs) {
      if (this.#limitReached) break;
      const keyAt = startOf(pair.key, at);
      if (!isScalar(pair.key) || pair.key.value === null) {
        this.#diagnostics.error('syntax', keyAt, path, 'a key must be a plain word');
        continue;
      }
      const key = scalarText(pair.key);
      const below = path === '' ? key : `${path}.${key}`;
      if (seen.has(key))
        this.#diagnostics.error('duplicate-key', keyAt, below, `duplicate key ${quote(key)}`);
      seen.add(key);
      entries.push({ key, keyAt, value: this.#node(pair.value, keyAt, below, depth + 1) });
    }
    return { type: 'object', at, entries };
  }

  #alias(name: string, at: number, path: string, depth: number): Value {
    const anchored = this.#anchors.get(name);
    if (anchored?.value === undefined) {
      const why = anchored === undefined ? 'has no anchor before it' : 'stands inside its own anchor';
      this.#diagnostics.error('syntax', at, path, `the alias *${name} ${why}`);
      return { type: 'null', at };
    }
    this.#nodes += anchored.nodes;
    this.#deepest = Math.max(this.#deepest, depth + anchored.levels);
    return this.#beyondLimits(at, path) ? { type: 'null', at } : anchored.value;
  }

  #scalar(node: Scalar, at: number): Value {
    const value = node.value;
    if (value === null || value === undefined) return { type: 'null', at };
    if (typeof value === 'boolean') return { type: 'bool', at, value };
    if (typeof value === 'number') return { type: 'number', at, value, text: scalarText(node) };
    return {
      type: 'string',
      at,
      value: String(value),
      contentAt: contentStart(node, at, this.#diagnostics.text),
    };
  }

  /** Reported once: after it nothing further is read. */
  #beyondLimits(at: number, path: string): boolean {
    if (this.#nodes <= NODES_MAX && this.#deepest <= DEPTH_MAX) return false;
    if (!this.#limitReached) {
      const why = this.#nodes > NODES_MAX ? `more than ${NODES_MAX} values` : TOO_DEEP;
      this.#diagnostics.error('syntax', at, path, why);
    }
    this.#limitReached = true;
    return true;
  }
}

function startOf(node: unknown, otherwise: number): number {
  if (isAlias(node) || isScalar(node) || isSeq(node) || isMap(node)) return node.range?.[0] ?? otherwise;
  return otherwise;
}

function scalarText(node: Scalar): string {
  return node.source ?? String(node.value);
}

function contentStart(node: Scalar, at: number, text: string): number {
  if (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED) {
    const newline = text.indexOf('\n', at);
    return newline < 0 ? text.length : newline + 1;
  }
  return node.type === Scalar.QUOTE_DOUBLE || node.type === Scalar.QUOTE_SINGLE ? at + 1 : at;
}
