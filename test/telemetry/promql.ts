/** What a PromQL expression asks for: a reader of the part of the language that our rules and panels use. */
import assert from 'node:assert/strict';

/** `labels`: those that are matched; `value` undefined: a pattern or a variable, which may match anything. */
export type Selector = {
  readonly metric: string;
  readonly labels: readonly { readonly name: string; readonly value: string | undefined }[];
};

export type Query = { readonly selectors: readonly Selector[]; readonly grouping: readonly string[] };

const FUNCTIONS = new Set(['sum', 'max', 'min', 'count', 'count_values', 'rate', 'increase', 'label_values']);
const WORDS = new Set(['and', 'or', 'unless', 'by']);
const TOKEN =
  /\s*(?:(?<word>[a-zA-Z_:][a-zA-Z0-9_:]*)|(?<string>"[^"]*")|(?<number>\d+(?:\.\d+)?)|(?<range>\[[^\]]*\])|(?<mark>[<>!=]=|=~|!~|[-+*/<>=(){},]))/y;

export function readQuery(text: string): Query {
  const tokens = tokensOf(text.trim());
  const selectors: Selector[] = [];
  const grouping: string[] = [];
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at] ?? '';
    if (!/^[a-zA-Z_:]/.test(token)) continue;
    if (token === 'by') {
      for (at += 2; tokens[at] !== ')'; at++) if (tokens[at] !== ',') grouping.push(tokens[at] ?? '');
    } else if (tokens[at + 1] === '(' || tokens[at + 1] === 'by') {
      assert.ok(FUNCTIONS.has(token) || WORDS.has(token), `${token} is no function that is known here`);
    } else if (!WORDS.has(token)) {
      const [labels, end] = tokens[at + 1] === '{' ? matchersAt(tokens, at + 2) : [[], at];
      selectors.push({ metric: token, labels });
      at = end;
    }
  }
  assert.ok(selectors.length > 0, `asks for nothing: ${text}`);
  return { selectors, grouping };
}

function matchersAt(tokens: readonly string[], from: number): [Selector['labels'], number] {
  const labels: { name: string; value: string | undefined }[] = [];
  let at = from;
  for (; tokens[at] !== '}'; at++) {
    if (tokens[at] === ',') continue;
    const [name = '', operator = '', quoted = ''] = tokens.slice(at, at + 3);
    assert.match(quoted, /^"/, `no value of ${name}`);
    labels.push({ name, value: operator === '=' ? quoted.slice(1, -1) : undefined });
    at += 2;
  }
  return [labels, at];
}

function tokensOf(text: string): string[] {
  const tokens: string[] = [];
  let depth = 0;
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const start = TOKEN.lastIndex;
    const found = TOKEN.exec(text);
    assert.ok(found !== null, `cannot be read from ${JSON.stringify(text.slice(start))}`);
    const token = found[0].trim();
    if (token === '(' || token === '{') depth++;
    if (token === ')' || token === '}') depth--;
    assert.ok(depth >= 0, `a bracket too many: ${text}`);
    tokens.push(token);
  }
  assert.equal(depth, 0, `a bracket too few: ${text}`);
  return tokens;
}
