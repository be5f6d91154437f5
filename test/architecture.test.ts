/**
 * The rules of the code that a program can check: which layer may import which, no cycles, sizes, and that
 * the request path depends on nothing but Node. Sources are read as text; the formatter guarantees the shapes
 * that are looked for.
 */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

const FILE_LINES_MAX = 500;
const FUNCTION_LINES_MAX = 70;
const LINE_CHARS_MAX = 110;

/** What each layer may import, itself included. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  base: ['base'],
  dtab: ['base', 'dtab'],
  config: ['base', 'dtab', 'config'],
  k8s: ['base', 'dtab', 'config', 'k8s'],
  namers: ['base', 'dtab', 'config', 'k8s', 'namers'],
  routers: ['base', 'dtab', 'config', 'routers'],
  src: ['yaml', 'base', 'dtab', 'config', 'k8s', 'namers', 'routers', 'src'],
  test: ['base', 'dtab', 'config', 'k8s', 'namers', 'routers', 'src', 'test'],
};

/** Packages that a layer may use; the others use Node's modules only. */
const PACKAGES: Readonly<Record<string, readonly string[]>> = {
  config: ['yaml'],
  k8s: ['@kubernetes/client-node'],
  src: [
    'yaml',
    'fastify',
    '@fastify/static',
    'node-forge',
    'preact',
    'preact/hooks',
    'prom-client',
    'http-proxy',
    'uplot',
  ],
  test: [
    'axe-core',
    'fast-check',
    'fastify',
    'http-proxy',
    'node-forge',
    'playwright-core',
    'preact',
    'prom-client',
    'ws',
    'yaml',
  ],
};

type Source = {
  readonly file: string;
  readonly lines: readonly string[];
  readonly imports: readonly string[];
};

const sources: readonly Source[] = globSync('{src,dtab,config,k8s,namers,routers,test}/**/*.{ts,tsx}', {
  cwd: root,
})
  .sort()
  .map((file) => {
    const text = readFileSync(join(root, file), 'utf8');
    return { file, lines: text.trimEnd().split('\n'), imports: importsOf(text) };
  });

function importsOf(text: string): string[] {
  const statement = /^(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  return [...text.matchAll(statement)].map((match) => match[1] ?? match[2] ?? '');
}

function layerOf(file: string): string {
  return file.startsWith('src/base/') ? 'base' : (file.split('/')[0] ?? '');
}

const isRelative = (specifier: string): boolean => specifier.startsWith('.');
const resolved = (file: string, specifier: string): string => normalize(join(dirname(file), specifier));

/** One line for each thing that breaks a rule. */
function assertNone(problems: readonly string[]): void {
  assert.equal(problems.join('\n'), '');
}

describe('The import graph', () => {
  it('points down only', () => {
    assertNone(
      sources.flatMap(({ file, imports }) =>
        imports
          .filter(isRelative)
          .map((specifier) => resolved(file, specifier))
          .filter((target) => !MAY_IMPORT[layerOf(file)]?.includes(layerOf(target)))
          .map((target) => `${file} imports ${target}`),
      ),
    );
  });

  it('names files that exist, with their extension', () => {
    const files = new Set(sources.map(({ file }) => file));
    assertNone(
      sources.flatMap(({ file, imports }) =>
        imports
          .filter(isRelative)
          .filter((specifier) => !files.has(resolved(file, specifier)))
          .map((specifier) => `${file} imports ${specifier}`),
      ),
    );
  });

  it('has no cycle', () => {
    assertNone(cycles());
  });

  it('reaches packages only where ARCHITECTURE allows them, and none on the request path', () => {
    assertNone(
      sources.flatMap(({ file, imports }) =>
        imports
          .filter((specifier) => !isRelative(specifier) && !specifier.startsWith('node:'))
          .filter((name) => !PACKAGES[layerOf(file)]?.includes(name))
          .map((name) => `${file} imports ${name}`),
      ),
    );
  });
});

describe('Idle memory', () => {
  it('is not spent on the client for fetch that an import of node:http loads', () => {
    const rarely = ['src/base/http.ts', 'src/demo/applications.ts', 'src/check/running.ts'];
    assertNone(
      sources
        .filter(({ file }) => layerOf(file) !== 'test' && !rarely.includes(file))
        .filter(({ lines }) => /^import (?!type )[^;]*from 'node:http';/m.test(lines.join('\n')))
        .map(({ file }) => `${file} imports node:http: take it from base/http`),
    );
  });

  it('is not doubled by a character that is not ASCII in the bundle', (t) => {
    const files = globSync(join(root, 'dist/*.js'));
    if (files.length === 0) return t.skip('not built: npm run build');
    assertNone(files.filter((file) => readFileSync(file).some((byte) => byte > 127)));
  });
});

function cycles(): string[] {
  const imports = new Map(
    sources.map((source) => [
      source.file,
      source.imports.filter(isRelative).map((specifier) => resolved(source.file, specifier)),
    ]),
  );
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (file: string, trail: readonly string[]): void => {
    const start = trail.indexOf(file);
    if (start !== -1) found.push([...trail.slice(start), file].join(' -> '));
    if (start !== -1 || done.has(file)) return;
    for (const target of imports.get(file) ?? []) visit(target, [...trail, file]);
    done.add(file);
  };
  for (const file of imports.keys()) visit(file, []);
  return found;
}

describe('The size of things', () => {
  it(`is at most ${FILE_LINES_MAX} lines a file`, () => {
    assertNone(
      sources
        .filter(({ lines }) => lines.length > FILE_LINES_MAX)
        .map(({ file, lines }) => `${file} has ${lines.length} lines`),
    );
  });

  it(`is at most ${LINE_CHARS_MAX} columns a line of code`, () => {
    // The formatter breaks what it can; strings, comments and regular expressions are the author's.
    const mayBeLong = /^\s*(\/\/|\*|\/\*|it\(|describe\()|['"`/]/;
    assertNone(
      sources.flatMap(({ file, lines }) =>
        lines.flatMap((line, i) =>
          line.length > LINE_CHARS_MAX && !(layerOf(file) === 'test' && mayBeLong.test(line))
            ? [`${file}:${i + 1} has ${line.length} columns`]
            : [],
        ),
      ),
    );
  });

  it(`is at most ${FUNCTION_LINES_MAX} lines a function`, () => {
    assertNone(
      sources
        .filter(({ file }) => layerOf(file) !== 'test')
        .flatMap(({ file, lines }) =>
          functions(lines)
            .filter(({ length }) => length > FUNCTION_LINES_MAX)
            .map(({ line, length }) => `${file}:${line} has ${length} lines`),
        ),
    );
  });

  it('is measured by something that finds functions of every form', () => {
    const text = `
export async function one(a: string): void {
  return a;
}
class Two {
  readonly #three = (a: string): void => {
    if (a) {
      b();
    }
  };
  static async four(
    a: string,
  ): Promise<void> {
    const text = {
      a,
    };
  }
}
`;
    assert.deepEqual(functions(text.split('\n')), [
      { line: 2, length: 3 },
      { line: 6, length: 5 },
      { line: 11, length: 7 },
    ]);
  });
});

/** Functions and methods: from the line that begins one to the line that closes it at the same depth. */
function functions(lines: readonly string[]): { line: number; length: number }[] {
  const begins =
    /^\s*(?:(?:export|default|static|async|override|get|set) )*(?:function\b|[*#\w]+(?:<.*>)?\()/;
  const arrow = /=> \{$/;
  const statement = /^\s*(?:if|for|while|switch|catch|return|throw|await|super|assert)\b/;
  return lines.flatMap((text, i) => {
    const opens = text.endsWith('{') || text.endsWith('(');
    if (!opens || statement.test(text) || !(begins.test(text) || arrow.test(text))) return [];
    const depth = text.search(/\S/);
    const close = lines.findIndex(
      (later, j) => j > i && later.search(/\S/) === depth && !later.startsWith(')', depth),
    );
    const isBody = close !== -1 && lines[close]?.startsWith('}', depth) === true;
    return isBody ? [{ line: i + 1, length: close - i + 1 }] : [];
  });
}

describe('The manifest and the entry', () => {
  it('bound the memory of what is young on the control thread, which V8 lets grow to 128 MB', () => {
    const flag = '--max-semi-space-size=4';
    assert.equal(
      sources.find(({ file }) => file === 'src/main.ts')?.lines[0],
      `#!/usr/bin/env -S node ${flag}`,
    );
    assert.match(readFileSync(join(root, 'package.json'), 'utf8'), new RegExp(`"start": "node ${flag} `));
    assert.match(
      readFileSync(join(root, 'Dockerfile'), 'utf8'),
      new RegExp(`ENTRYPOINT \\["node", "${flag}"`),
    );
  });

  it('agree on the oldest Node', () => {
    const manifest: { engines: { node: string } } = JSON.parse(
      readFileSync(join(root, 'package.json'), 'utf8'),
    );
    const entry = readFileSync(join(root, 'src/main.ts'), 'utf8');
    assert.equal(manifest.engines.node, `>=${/MINIMUM = '([\d.]+)'/.exec(entry)?.[1]}`);
  });

  it('name an entry that imports nothing before it has looked at the version of Node', () => {
    const entry = sources.find(({ file }) => file === 'src/main.ts');
    assert.deepEqual(entry?.imports, ['./cli.ts']);
    assert.ok(!entry.lines.some((line) => line.startsWith('import ')));
  });
});
